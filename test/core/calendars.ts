/** A doctor of Dhaka (UTC+6 all year, so that a local day is no day of UTC), for tests of the core. */
import type { Appointment } from '#scheduling/core/appointment'
import { Calendar, type CalendarFacts } from '#scheduling/core/calendar'
import type { Hold } from '#scheduling/core/hold'
import { initialSchedule, type Schedule, type VisitType } from '#scheduling/core/schedule'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Midnight in Dhaka: the first day of the hours. */
export const MIDNIGHT = Date.parse('2026-03-02T00:00:00+06:00')

/** An instant of that day, or of one so many days later. */
export const at = (time: string, day = 0): number => Date.parse(`2026-03-02T${time}:00+06:00`) + day * DAY

export const visitType = (id: string, minutes: number, more: Partial<VisitType> = {}): VisitType => ({
  id,
  name: id,
  durationMinutes: minutes,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  mode: 'in-person',
  feeMinor: null,
  feeCurrency: null,
  version: 1,
  createdAt: 0,
  archivedAt: null,
  ...more,
})

export const daily = (startTime: string, endTime: string) => ({
  rrule: 'FREQ=DAILY',
  startTime,
  endTime,
  startDate: '2026-03-02',
  endDate: '2026-03-04',
})

/** Three days from nine to noon and from one to three. */
export const hours: Schedule = {
  ...initialSchedule('Asia/Dhaka'),
  horizonDays: 2,
  rules: [daily('09:00', '12:00'), daily('13:00', '15:00')],
}

export const calendarOf = (facts: Partial<CalendarFacts> = {}): Calendar =>
  new Calendar({
    doctorId: 'usr_doctor',
    epoch: 1,
    version: 0,
    bookable: true,
    schedule: hours,
    openings: [],
    timeOff: [],
    visitTypes: [visitType('vis_half', 30)],
    appointments: [],
    holds: [],
    waitlist: [],
    ...facts,
  })

/** A confirmed half hour, unless said otherwise; what is blocked is what is sold. */
export function appointmentOf(startMs: number, more: Partial<Appointment> = {}): Appointment {
  const endMs = more.endMs ?? startMs + 30 * MINUTE
  return {
    id: `apt_${startMs}`,
    doctorId: 'usr_doctor',
    patientId: 'usr_a',
    visitTypeId: 'vis_half',
    startMs,
    endMs,
    blockedStartMs: startMs,
    blockedEndMs: endMs,
    status: 'confirmed',
    mode: 'in-person',
    feeMinor: null,
    feeCurrency: null,
    notes: null,
    remarks: null,
    cancellationReason: null,
    cancellableUntilMs: startMs,
    meetingRoom: null,
    version: 1,
    createdAt: 0,
    updatedAt: 0,
    ...more,
  }
}

/** A half hour that is held until `expiresAt`. */
export const holdOf = (id: string, startMs: number, expiresAt: number, more: Partial<Hold> = {}): Hold => ({
  id,
  doctorId: 'usr_doctor',
  patientId: 'usr_a',
  visitTypeId: 'vis_half',
  startMs,
  endMs: startMs + 30 * MINUTE,
  blockedStartMs: startMs,
  blockedEndMs: startMs + 30 * MINUTE,
  origin: 'patient',
  createdAt: expiresAt - 5 * MINUTE,
  expiresAt,
  ...more,
})
