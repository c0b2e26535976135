/**
 * Whether a calendar gives a slot to a patient: to book, to hold, or to move an appointment to. One rule for
 * all three; `decide…` tells what happens and changes nothing.
 */
import {
  type ActionRefusal,
  type Appointment,
  type AppointmentStatus,
  type Party,
  refusalOf,
} from './appointment'
import type { Calendar } from './calendar'
import { type Hold, newHold } from './hold'
import type { VisitTerms } from './schedule'
import { blockedInterval, nearestSlots, type Slot, type SlotFault, slotFaults, soldInterval } from './slot'
import { localDate, MINUTE_MS } from './time'

/** How many alternatives a refused booking is offered. */
export const MAX_ALTERNATIVES = 5

/** What staff may pass over, with a reason. */
const OVERRIDDEN: readonly SlotFault[] = ['too-soon', 'off-grid']
/** What the owner of a live hold has already: they were offered the slot when they took it. */
const HELD_ALREADY: readonly SlotFault[] = [
  'outside-hours',
  'too-soon',
  'beyond-horizon',
  'off-grid',
  'daily-limit',
]

export type SlotRefusal =
  | { readonly code: 'slot-not-offered'; readonly reasons: SlotFault[] }
  | { readonly code: 'slot-taken'; readonly alternatives: Slot[] }
  | { readonly code: 'patient-busy' }
  | { readonly code: 'already-booked'; readonly appointmentId: string }

export type BookingRefusal =
  | SlotRefusal
  | { readonly code: 'doctor-not-found' }
  | { readonly code: 'visit-type-not-found' }
  | { readonly code: 'hold-expired' }
  | { readonly code: 'hold-mismatch' }

type Refused<R> = { readonly kind: 'refusal'; readonly refusal: R }
const refuse = <R>(refusal: R): Refused<R> => ({ kind: 'refusal', refusal })

/** What somebody wants of the calendar. */
interface Wish {
  readonly patientId: string
  readonly startMs: number
  readonly visitType: VisitTerms
  /** The appointment that is to move there; its own place does not stand in its way. */
  readonly moving?: Appointment
  readonly ignored: readonly SlotFault[]
}

/**
 * Why the wish cannot be met at `nowMs`; undefined where it can. A slot that is both taken and over the daily
 * limit is `slot-taken`: who lost a race should hear that, and of the alternatives.
 */
function slotRefusal(calendar: Calendar, wish: Wish, nowMs: number): SlotRefusal | undefined {
  const { patientId, startMs, visitType, moving } = wish
  const own = calendar.ownOverlapping(patientId, soldInterval(visitType, startMs), moving?.id)
  const same = own.find(({ sold }) => sold.startMs === startMs)
  if (same !== undefined) return { code: 'already-booked', appointmentId: same.id }

  const ignored = ignoredFor(calendar, wish)
  const offers = calendar.offersAt(startMs, nowMs)
  const faults = offers.flatMap((offer) => slotFaults(offer, visitType, startMs, nowMs))
  const reasons = [...new Set(faults)].filter((fault) => !ignored.includes(fault))
  if (reasons.some((reason) => reason !== 'daily-limit')) return { code: 'slot-not-offered', reasons }
  if (own.length > 0) return { code: 'patient-busy' }
  const blocked = blockedInterval(visitType, startMs)
  const ownHolds = ownHoldsIn(calendar, wish).map(({ id }) => id)
  if (calendar.isBusy(blocked, moving === undefined ? ownHolds : [...ownHolds, moving.id])) {
    const alternatives = nearestSlots(calendar.offer(nowMs), visitType, startMs, nowMs, MAX_ALTERNATIVES)
    return { code: 'slot-taken', alternatives }
  }
  return reasons.length > 0 ? { code: 'slot-not-offered', reasons } : undefined
}

/** Live holds of the patient that overlap what they want: the wish takes their place. */
const ownHoldsIn = (
  calendar: Calendar,
  { patientId, startMs, visitType }: Pick<Wish, 'patientId' | 'startMs' | 'visitType'>,
): Hold[] =>
  calendar
    .holdsOverlapping(blockedInterval(visitType, startMs))
    .filter((hold) => hold.patientId === patientId)

function ignoredFor(calendar: Calendar, wish: Wish): readonly SlotFault[] {
  const { startMs, visitType, moving, ignored } = wish
  const held = ownHoldsIn(calendar, wish).some(
    (hold) => hold.startMs === startMs && hold.visitTypeId === visitType.id,
  )
  if (held) return [...ignored, ...HELD_ALREADY]
  const { timeZone } = calendar.hours.schedule
  // On its own day it is counted already.
  const sameDay = moving !== undefined && localDate(moving.startMs, timeZone) === localDate(startMs, timeZone)
  return sameDay ? [...ignored, 'daily-limit'] : ignored
}

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
  const visitType = held === undefined ? calendar.visitType(visitTypeId) : calendar.heldVisitType(held)
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
function placeOf(calendar: Calendar, visitType: VisitTerms, startMs: number, meetingRoom: string) {
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
  durationMinutes: (appointment.endMs - appointment.startMs) / MINUTE_MS,
  bufferBeforeMinutes: (appointment.startMs - appointment.blockedStartMs) / MINUTE_MS,
  bufferAfterMinutes: (appointment.blockedEndMs - appointment.endMs) / MINUTE_MS,
  mode: appointment.mode,
  feeMinor: appointment.feeMinor,
  feeCurrency: appointment.feeCurrency,
})
