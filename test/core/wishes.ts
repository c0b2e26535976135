/** What tests wish of a calendar, and what they are told. */
import type { Appointment, Party } from '#scheduling/core/appointment'
import { decideBooking, decideHold } from '#scheduling/core/booking'
import type { Calendar, CalendarFacts } from '#scheduling/core/calendar'
import { decideReschedule } from '#scheduling/core/reschedule'
import { calendarOf, MIDNIGHT, visitType } from './calendars'

export const NOW = MIDNIGHT

export const half = visitType('vis_half', 30)
export const hour = visitType('vis_hour', 60, { createdAt: 1 })
export const video = visitType('vis_video', 20, {
  bufferBeforeMinutes: 10,
  bufferAfterMinutes: 5,
  mode: 'video',
  feeMinor: 700,
  feeCurrency: 'BDT',
  createdAt: 2,
})

export const clinic = (facts: Partial<CalendarFacts> = {}): Calendar =>
  calendarOf({ visitTypes: [half, hour, video], ...facts })

export interface Asked {
  readonly appointmentId?: string
  readonly visitTypeId?: string
  readonly holdId?: string
  readonly override?: boolean
  readonly patientId?: string
}

/** Decides as the object does: time has done its part before, and never goes back. */
export function book(calendar: Calendar, startMs: number, asked: Asked = {}, nowMs = NOW) {
  const request = {
    appointmentId: 'apt_new',
    patientId: 'usr_a',
    startMs,
    visitTypeId: undefined,
    holdId: undefined,
    notes: 'Knee',
    meetingRoom: 'secret',
    override: false,
    ...asked,
  }
  return decideBooking(calendar, request, calendar.advance(nowMs))
}

export function hold(calendar: Calendar, startMs: number, asked: Asked = {}, nowMs = NOW) {
  const request = { holdId: 'hld_new', patientId: 'usr_a', startMs, visitTypeId: undefined, ...asked }
  return decideHold(calendar, request, calendar.advance(nowMs))
}

export function move(
  calendar: Calendar,
  appointment: Appointment,
  startMs: number,
  { party = 'patient', ...asked }: Asked & { party?: Party } = {},
  nowMs = NOW,
) {
  const request = { startMs, visitTypeId: undefined, meetingRoom: 'another', override: false, ...asked }
  return decideReschedule(calendar, appointment, request, party, calendar.advance(nowMs))
}

/** What happens, in a word; of what is not offered, the reasons. */
export function told(decision: ReturnType<typeof book> | ReturnType<typeof hold> | ReturnType<typeof move>) {
  if (decision.kind !== 'refusal') return decision.kind
  const { refusal } = decision
  return refusal.code === 'slot-not-offered' ? refusal.reasons.join(', ') : refusal.code
}
