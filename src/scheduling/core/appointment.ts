/**
 * The life of an appointment: its states, the commands that lead from one to another, and who may give which,
 * when. `decide` tells what happens and changes nothing.
 */
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
  /** The secret part of a video visit's address. */
  readonly meetingRoom: string | null
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

/** Milliseconds before its start from which a visit may begin. */
export const EARLY_START_MS = 15 * MINUTE_MS

/** In what capacity somebody acts on an appointment. */
export type Party = 'patient' | 'doctor' | 'admin'

interface Transition {
  readonly from: readonly AppointmentStatus[]
  readonly to: readonly AppointmentStatus[]
  readonly by: readonly Party[]
}

/** The state machine: each action with the states it starts from, those it may lead to, and who may take it. */
export const TRANSITIONS = {
  approve: { from: ['pending'], to: ['confirmed'], by: ['doctor', 'admin'] },
  reject: { from: ['pending'], to: ['rejected'], by: ['doctor', 'admin'] },
  reschedule: {
    from: ['pending', 'confirmed'],
    to: ['pending', 'confirmed'],
    by: ['patient', 'doctor', 'admin'],
  },
  cancel: { from: ['pending', 'confirmed'], to: ['cancelled'], by: ['patient', 'doctor', 'admin'] },
  start: { from: ['confirmed'], to: ['in-progress'], by: ['doctor', 'admin'] },
  complete: { from: ['in-progress'], to: ['completed'], by: ['doctor', 'admin'] },
  'no-show': { from: ['confirmed'], to: ['no-show'], by: ['doctor', 'admin'] },
} as const satisfies Record<string, Transition>

export type AppointmentAction = keyof typeof TRANSITIONS

export const ACTIONS = Object.keys(TRANSITIONS) as AppointmentAction[]

const startsFrom = (action: AppointmentAction, status: AppointmentStatus): boolean =>
  TRANSITIONS[action].from.some((from) => from === status)

/** The actions that a status allows, whoever asks. */
export const actionsFrom = (status: AppointmentStatus): AppointmentAction[] =>
  ACTIONS.filter((action) => startsFrom(action, status))

/** The actions that this party may take at `nowMs`. */
export const allowedActions = (appointment: Appointment, party: Party, nowMs: number): AppointmentAction[] =>
  ACTIONS.filter((action) => refusalOf(appointment, action, party, nowMs) === undefined)

export type ActionRefusal =
  | { readonly code: 'forbidden' }
  | {
      readonly code: 'illegal-transition'
      readonly from: AppointmentStatus
      readonly allowed: AppointmentAction[]
    }
  | { readonly code: 'too-late-to-cancel'; readonly cancellableUntilMs: number }
  | { readonly code: 'too-early'; readonly allowedFromMs: number }

/** The status at `nowMs`: a request that nobody answered before its start is rejected, noted in D1 or not. */
const statusAt = ({ status, startMs }: Appointment, nowMs: number): AppointmentStatus =>
  status === 'pending' && startMs <= nowMs ? 'rejected' : status

/** Why the party may not take the action at `nowMs`; undefined where they may. */
export function refusalOf(
  appointment: Appointment,
  action: AppointmentAction,
  party: Party,
  nowMs: number,
): ActionRefusal | undefined {
  const { startMs, cancellableUntilMs } = appointment
  const by: readonly Party[] = TRANSITIONS[action].by
  if (!by.includes(party)) return { code: 'forbidden' }
  const from = statusAt(appointment, nowMs)
  if (!startsFrom(action, from)) return { code: 'illegal-transition', from, allowed: actionsFrom(from) }
  const leaves = action === 'cancel' || action === 'reschedule'
  if (leaves && party === 'patient' && nowMs > cancellableUntilMs)
    return { code: 'too-late-to-cancel', cancellableUntilMs }
  if (action === 'start' && nowMs < startMs - EARLY_START_MS)
    return { code: 'too-early', allowedFromMs: startMs - EARLY_START_MS }
  if (action === 'no-show' && nowMs < startMs) return { code: 'too-early', allowedFromMs: startMs }
  return undefined
}

/** A command that changes where an appointment stands; `reschedule` is decided with the calendar, in `booking.ts`. */
export type AppointmentCommand =
  | { readonly action: 'approve' | 'start' | 'complete' | 'no-show' }
  | { readonly action: 'reject'; readonly remarks: string }
  | { readonly action: 'cancel'; readonly reason: string | null }

export type AppointmentDecision =
  | { readonly kind: 'change'; readonly appointment: Appointment }
  /** It is so already. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refusal'; readonly refusal: ActionRefusal }

/** What the command makes of the appointment when this party gives it at `nowMs`. */
export function decide(
  appointment: Appointment,
  command: AppointmentCommand,
  party: Party,
  nowMs: number,
): AppointmentDecision {
  const { action } = command
  // Asking twice for what nobody can undo is no mistake.
  if (action === 'cancel' && appointment.status === 'cancelled') return { kind: 'unchanged' }
  const refusal = refusalOf(appointment, action, party, nowMs)
  if (refusal !== undefined) return { kind: 'refusal', refusal }
  const changed: Appointment = {
    ...appointment,
    status: TRANSITIONS[action].to[0],
    version: appointment.version + 1,
    updatedAt: nowMs,
  }
  if (command.action === 'reject')
    return { kind: 'change', appointment: { ...changed, remarks: command.remarks } }
  if (command.action === 'cancel')
    return { kind: 'change', appointment: { ...changed, cancellationReason: command.reason } }
  return { kind: 'change', appointment: changed }
}

/** The appointment that nobody approved before its start. */
export const lapsedRequest = (appointment: Appointment, nowMs: number): Appointment => ({
  ...appointment,
  status: 'rejected',
  version: appointment.version + 1,
  updatedAt: nowMs,
})
