/**
 * What may happen to an appointment: its states, the commands that move it between them, and who may give
 * which. `decideBooking` and `decideCancellation` tell what happens; they change nothing.
 */
import type { Calendar } from './calendar'
import {
  type Busy,
  blockedInterval,
  nearestSlots,
  type Slot,
  type SlotFault,
  slotFaults,
  soldInterval,
} from './slot'
import { MINUTE_MS } from './time'

export type AppointmentStatus =
  | 'pending'
  | 'confirmed'
  | 'in-progress'
  | 'completed'
  | 'rejected'
  | 'cancelled'
  | 'no-show'

export type VisitMode = 'in-person' | 'video'

/** A booked visit. Times are epoch ms UTC, money in minor units; the blocked interval has the buffers. */
export interface Appointment {
  readonly id: string
  readonly doctorId: string
  readonly patientId: string
  readonly visitTypeId: string
  readonly startMs: number
  readonly endMs: number
  readonly blockedStartMs: number
  readonly blockedEndMs: number
  readonly status: AppointmentStatus
  readonly mode: VisitMode
  readonly feeMinor: number | null
  readonly feeCurrency: string | null
  readonly notes: string | null
  readonly remarks: string | null
  readonly cancellationReason: string | null
  readonly cancellableUntilMs: number
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

/** Occupies its interval. The same three states as in D1's triggers. */
const ACTIVE: readonly AppointmentStatus[] = ['pending', 'confirmed', 'in-progress']
/** Counts towards the doctor's daily limit: what takes place, took place or should have. */
const COUNTED: readonly AppointmentStatus[] = [...ACTIVE, 'completed', 'no-show']

export const isActive = ({ status }: Pick<Appointment, 'status'>): boolean => ACTIVE.includes(status)
export const isCounted = ({ status }: Pick<Appointment, 'status'>): boolean => COUNTED.includes(status)

/** In what capacity somebody acts on an appointment. */
export type Party = 'patient' | 'doctor' | 'admin'

interface Transition {
  readonly from: readonly AppointmentStatus[]
  readonly to: AppointmentStatus
  readonly by: readonly Party[]
}

/** The state machine: each action with the states it starts from, the state it leads to, and who may do it. */
export const TRANSITIONS = {
  cancel: { from: ['pending', 'confirmed'], to: 'cancelled', by: ['patient', 'doctor', 'admin'] },
} as const satisfies Record<string, Transition>

export type AppointmentAction = keyof typeof TRANSITIONS

/** The actions that a status allows, whoever asks. */
export const actionsFrom = (status: AppointmentStatus): AppointmentAction[] =>
  actions.filter((action) => startsFrom(action, status))

const actions = Object.keys(TRANSITIONS) as AppointmentAction[]

const startsFrom = (action: AppointmentAction, status: AppointmentStatus): boolean =>
  TRANSITIONS[action].from.some((from) => from === status)

/** The actions that this party may take at `nowMs`. */
export const allowedActions = (appointment: Appointment, party: Party, nowMs: number): AppointmentAction[] =>
  actions.filter((action) => decideAction(appointment, action, party, nowMs).ok)

export type ActionRefusal =
  | { code: 'forbidden' }
  | { code: 'illegal-transition'; from: AppointmentStatus; allowed: AppointmentAction[] }
  | { code: 'too-late-to-cancel'; cancellableUntilMs: number }

/** Whether the party may take the action at `nowMs`, and the state that it leads to. */
export function decideAction(
  appointment: Appointment,
  action: AppointmentAction,
  party: Party,
  nowMs: number,
): { ok: true; to: AppointmentStatus } | { ok: false; refusal: ActionRefusal } {
  const { status, cancellableUntilMs } = appointment
  const transition: Transition = TRANSITIONS[action]
  if (!transition.by.includes(party)) return { ok: false, refusal: { code: 'forbidden' } }
  if (!startsFrom(action, status)) {
    return { ok: false, refusal: { code: 'illegal-transition', from: status, allowed: actionsFrom(status) } }
  }
  if (action === 'cancel' && party === 'patient' && nowMs > cancellableUntilMs) {
    return { ok: false, refusal: { code: 'too-late-to-cancel', cancellableUntilMs } }
  }
  return { ok: true, to: transition.to }
}

export interface BookingRequest {
  readonly appointmentId: string
  readonly patientId: string
  readonly startMs: number
  /** The doctor's first visit type where undefined. */
  readonly visitTypeId: string | undefined
  readonly notes: string | null
}

export type BookingRefusal =
  | { code: 'doctor-not-found' }
  | { code: 'visit-type-not-found' }
  | { code: 'slot-not-offered'; reasons: SlotFault[] }
  | { code: 'slot-taken'; alternatives: Slot[] }
  | { code: 'patient-busy' }
  | { code: 'already-booked'; appointmentId: string }

/** How many alternatives a refused booking is offered. */
export const MAX_ALTERNATIVES = 5

/**
 * Whether the calendar gives this slot to this patient at `nowMs`. A slot that is both taken and over the
 * daily limit is `slot-taken`: who lost a race should hear that, and of the alternatives.
 */
export function decideBooking(
  calendar: Calendar,
  request: BookingRequest,
  nowMs: number,
): { ok: true; appointment: Appointment } | { ok: false; refusal: BookingRefusal } {
  const refuse = (refusal: BookingRefusal) => ({ ok: false, refusal }) as const
  if (!calendar.bookable) return refuse({ code: 'doctor-not-found' })
  const visitType = calendar.visitType(request.visitTypeId)
  if (visitType === undefined) return refuse({ code: 'visit-type-not-found' })

  const { startMs, patientId } = request
  const sold = soldInterval(visitType, startMs)
  const blocked = blockedInterval(visitType, startMs)
  const own = calendar.activeOverlapping(sold).filter((other) => other.patientId === patientId)
  const same = own.find((other) => other.startMs === startMs)
  if (same !== undefined) return refuse({ code: 'already-booked', appointmentId: same.id })

  const offers = calendar.offersAt(startMs, nowMs)
  const reasons = [...new Set(offers.flatMap((offer) => slotFaults(offer, visitType, startMs, nowMs)))]
  if (reasons.some((reason) => reason !== 'daily-limit')) return refuse({ code: 'slot-not-offered', reasons })
  if (own.length > 0) return refuse({ code: 'patient-busy' })
  if (calendar.isBusy(blocked)) {
    const offer = calendar.offer(nowMs)
    return refuse({
      code: 'slot-taken',
      alternatives: nearestSlots(offer, visitType, startMs, nowMs, MAX_ALTERNATIVES),
    })
  }
  if (reasons.length > 0) return refuse({ code: 'slot-not-offered', reasons })

  const { approval, cancellationNoticeMinutes } = calendar.policy
  return {
    ok: true,
    appointment: {
      id: request.appointmentId,
      doctorId: calendar.doctorId,
      patientId,
      visitTypeId: visitType.id,
      startMs,
      endMs: sold.endMs,
      blockedStartMs: blocked.startMs,
      blockedEndMs: blocked.endMs,
      status: approval === 'manual' ? 'pending' : 'confirmed',
      mode: visitType.mode,
      feeMinor: visitType.feeMinor,
      feeCurrency: visitType.feeCurrency,
      notes: request.notes,
      remarks: null,
      cancellationReason: null,
      cancellableUntilMs: startMs - cancellationNoticeMinutes * MINUTE_MS,
      version: 1,
      createdAt: nowMs,
      updatedAt: nowMs,
    },
  }
}

/** What an active appointment keeps others from. */
export const busyOf = ({ blockedStartMs, blockedEndMs }: Appointment): Busy => ({
  startMs: blockedStartMs,
  endMs: blockedEndMs,
})
