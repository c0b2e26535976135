/**
 * Whether a calendar gives a slot to a patient, to book or to hold. `decide…` tells what happens and changes
 * nothing.
 */
import type { Appointment } from './appointment'
import type { Calendar } from './calendar'
import { type Hold, newHold } from './hold'
import type { VisitTerms } from './schedule'
import { blockedInterval, soldInterval } from './slot'
import { MINUTE_MS } from './time'
import {
  lengthsOf,
  OVERRIDDEN,
  ownHoldsIn,
  type Refused,
  refuse,
  type SlotRefusal,
  slotRefusal,
} from './wish'

export type BookingRefusal =
  | SlotRefusal
  | { readonly code: 'doctor-not-found' }
  | { readonly code: 'visit-type-not-found' }
  | { readonly code: 'hold-expired' }
  | { readonly code: 'hold-mismatch' }

export interface BookingRequest {
  readonly appointmentId: string
  readonly patientId: string
  readonly startMs: number
  /** The hold's visit type where undefined, or else the doctor's first. */
  readonly visitTypeId: string | undefined
  readonly holdId: string | undefined
  readonly notes: string | null
  /** The secret of a video visit. */
  readonly meetingRoom: string
  /** Whether staff pass over the minimum notice and the grid. */
  readonly override: boolean
}

export interface Booking {
  readonly kind: 'booking'
  readonly appointment: Appointment
  /** The patient's holds that pass into it. */
  readonly holds: readonly Hold[]
}

/** Whether the calendar gives this slot to this patient at `nowMs`. */
export function decideBooking(
  calendar: Calendar,
  request: BookingRequest,
  nowMs: number,
): Booking | Refused<BookingRefusal> {
  if (!calendar.bookable) return refuse({ code: 'doctor-not-found' })
  const { patientId, startMs, holdId, visitTypeId } = request
  const held = holdId === undefined ? undefined : calendar.hold(holdId)
  if (holdId !== undefined && held?.patientId !== patientId)
    return afterHold(calendar, request) ?? refuse({ code: 'hold-expired' })
  if (
    held !== undefined &&
    (held.startMs !== startMs || (visitTypeId ?? held.visitTypeId) !== held.visitTypeId)
  )
    return refuse({ code: 'hold-mismatch' })
  const visitType = held === undefined ? calendar.visitType(visitTypeId) : heldTerms(calendar, held)
  if (visitType === undefined) return refuse({ code: 'visit-type-not-found' })

  const wish = { patientId, startMs, visitType, ignored: request.override ? OVERRIDDEN : [] }
  const refusal = slotRefusal(calendar, wish, nowMs)
  if (refusal !== undefined) return refuse(refusal)
  const { approval } = calendar.policy
  const appointment: Appointment = {
    id: request.appointmentId,
    doctorId: calendar.doctorId,
    patientId,
    status: approval === 'manual' ? 'pending' : 'confirmed',
    notes: request.notes,
    remarks: null,
    cancellationReason: null,
    ...placeOf(calendar, visitType, startMs, request.meetingRoom),
    version: 1,
    createdAt: nowMs,
    updatedAt: nowMs,
  }
  return { kind: 'booking', appointment, holds: ownHoldsIn(calendar, wish) }
}

/** What was held: a visit type that has changed since gives no more than its mode and its fee. */
function heldTerms(calendar: Calendar, hold: Hold): VisitTerms | undefined {
  const visitType = calendar.heldVisitType(hold)
  return visitType && { ...visitType, ...lengthsOf(hold) }
}

/** A hold that is over may have become the very appointment: then that is what its owner should hear. */
function afterHold(
  calendar: Calendar,
  { patientId, startMs }: BookingRequest,
): Refused<BookingRefusal> | undefined {
  const [own] = calendar
    .ownOverlapping(patientId, { startMs, endMs: startMs + 1 })
    .filter(({ sold }) => sold.startMs === startMs)
  return own && refuse({ code: 'already-booked', appointmentId: own.id })
}

/** Where an appointment stands in time, and on what terms. */
export function placeOf(calendar: Calendar, visitType: VisitTerms, startMs: number, meetingRoom: string) {
  const blocked = blockedInterval(visitType, startMs)
  return {
    visitTypeId: visitType.id,
    ...soldInterval(visitType, startMs),
    blockedStartMs: blocked.startMs,
    blockedEndMs: blocked.endMs,
    mode: visitType.mode,
    feeMinor: visitType.feeMinor,
    feeCurrency: visitType.feeCurrency,
    cancellableUntilMs: startMs - calendar.policy.cancellationNoticeMinutes * MINUTE_MS,
    meetingRoom: visitType.mode === 'video' ? meetingRoom : null,
  }
}

export interface HoldRequest {
  readonly holdId: string
  readonly patientId: string
  readonly startMs: number
  readonly visitTypeId: string | undefined
}

export type HoldDecision =
  /** Earlier holds of the patient that it overlaps end with it. */
  | { readonly kind: 'hold'; readonly hold: Hold; readonly superseded: readonly Hold[] }
  /** The patient holds this very slot. */
  | { readonly kind: 'same'; readonly hold: Hold }
  | Refused<BookingRefusal>

/** Whether the calendar keeps this slot for this patient from `nowMs` on. */
export function decideHold(calendar: Calendar, request: HoldRequest, nowMs: number): HoldDecision {
  if (!calendar.bookable) return refuse({ code: 'doctor-not-found' })
  const visitType = calendar.visitType(request.visitTypeId)
  if (visitType === undefined) return refuse({ code: 'visit-type-not-found' })
  const { patientId, startMs } = request
  const wish = { patientId, startMs, visitType, ignored: [] }
  const own = ownHoldsIn(calendar, wish)
  const same = own.find((hold) => hold.startMs === startMs && hold.visitTypeId === visitType.id)
  if (same !== undefined) return { kind: 'same', hold: same }
  const refusal = slotRefusal(calendar, wish, nowMs)
  if (refusal !== undefined) return refuse(refusal)
  const owner = { id: request.holdId, doctorId: calendar.doctorId, patientId, origin: 'patient' } as const
  return { kind: 'hold', hold: newHold(owner, visitType, startMs, nowMs), superseded: own }
}
