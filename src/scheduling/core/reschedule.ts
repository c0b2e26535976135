/** Whether a calendar lets an appointment move. `decideReschedule` tells what happens and changes nothing. */
import {
  type ActionRefusal,
  type Appointment,
  type AppointmentStatus,
  type Party,
  refusalOf,
} from './appointment'
import { type BookingRefusal, placeOf } from './booking'
import type { Calendar } from './calendar'
import type { Hold } from './hold'
import type { VisitTerms } from './schedule'
import { lengthsOf, OVERRIDDEN, ownHoldsIn, type Refused, refuse, slotRefusal } from './wish'

export interface RescheduleRequest {
  readonly startMs: number
  /** As it is where undefined. */
  readonly visitTypeId: string | undefined
  readonly meetingRoom: string
  readonly override: boolean
}

export type RescheduleDecision =
  | { readonly kind: 'move'; readonly appointment: Appointment; readonly holds: readonly Hold[] }
  /** It is there already. */
  | { readonly kind: 'unchanged' }
  | Refused<BookingRefusal | ActionRefusal>

/**
 * Whether the appointment may move, as this party wants at `nowMs`. Its own terms go with it unless another
 * visit type is named; where a doctor approves by hand, a patient's move is a new request.
 */
export function decideReschedule(
  calendar: Calendar,
  appointment: Appointment,
  request: RescheduleRequest,
  party: Party,
  nowMs: number,
): RescheduleDecision {
  const action = refusalOf(appointment, 'reschedule', party, nowMs)
  if (action !== undefined) return refuse(action)
  const { startMs, visitTypeId = appointment.visitTypeId } = request
  const sameType = visitTypeId === appointment.visitTypeId
  if (sameType && startMs === appointment.startMs) return { kind: 'unchanged' }
  const visitType = sameType ? termsOf(appointment) : calendar.visitType(visitTypeId)
  if (visitType === undefined) return refuse({ code: 'visit-type-not-found' })

  const { patientId } = appointment
  const ignored = request.override ? OVERRIDDEN : []
  const wish = { patientId, startMs, visitType, moving: appointment, ignored }
  const refusal = slotRefusal(calendar, wish, nowMs)
  if (refusal !== undefined) return refuse(refusal)
  const moved: Appointment = {
    ...appointment,
    ...placeOf(calendar, visitType, startMs, appointment.meetingRoom ?? request.meetingRoom),
    status: statusAfterMove(calendar, appointment, party),
    version: appointment.version + 1,
    updatedAt: nowMs,
  }
  return { kind: 'move', appointment: moved, holds: ownHoldsIn(calendar, wish) }
}

function statusAfterMove(calendar: Calendar, { status }: Appointment, party: Party): AppointmentStatus {
  if (party !== 'patient') return status
  return calendar.policy.approval === 'manual' ? 'pending' : 'confirmed'
}

/** What was booked: a visit type that has changed since leaves it as it was. */
const termsOf = (appointment: Appointment): VisitTerms => ({
  id: appointment.visitTypeId,
  ...lengthsOf(appointment),
  mode: appointment.mode,
  feeMinor: appointment.feeMinor,
  feeCurrency: appointment.feeCurrency,
})
