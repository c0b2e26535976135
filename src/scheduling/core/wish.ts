/**
 * What somebody wants of a calendar, and why they cannot have it: one rule, whether a slot is to be booked, held,
 * or moved to.
 */
import type { Appointment } from './appointment'
import type { Calendar } from './calendar'
import type { Hold } from './hold'
import type { VisitTerms } from './schedule'
import { blockedInterval, nearestSlots, type Slot, type SlotFault, slotFaults, soldInterval } from './slot'
import { localDate, MINUTE_MS } from './time'

/** How many alternatives a refused booking is offered. */
export const MAX_ALTERNATIVES = 5

/** What staff may pass over, with a reason. */
export const OVERRIDDEN: readonly SlotFault[] = ['too-soon', 'off-grid']
/** What only the rules can tell, which nobody asks about a time that is too far away as it is. */
const OF_HOURS: readonly SlotFault[] = ['outside-hours', 'off-grid']
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

export type Refused<R> = { readonly kind: 'refusal'; readonly refusal: R }
export const refuse = <R>(refusal: R): Refused<R> => ({ kind: 'refusal', refusal })

/** What somebody wants of the calendar. */
export interface Wish {
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
export function slotRefusal(calendar: Calendar, wish: Wish, nowMs: number): SlotRefusal | undefined {
  const { patientId, startMs, visitType, moving } = wish
  const own = calendar.ownOverlapping(patientId, soldInterval(visitType, startMs), moving?.id)
  const same = own.find(({ sold }) => sold.startMs === startMs)
  if (same !== undefined) return { code: 'already-booked', appointmentId: same.id }

  const ignored = ignoredFor(calendar, wish)
  const offers = calendar.offersAt(startMs, nowMs)
  const faults = offers.flatMap((offer) => slotFaults(offer, visitType, startMs, nowMs))
  const untold = calendar.hours.explains(startMs) ? ignored : [...ignored, ...OF_HOURS]
  const reasons = [...new Set(faults)].filter((fault) => !untold.includes(fault))
  if (reasons.some((reason) => reason !== 'daily-limit')) return { code: 'slot-not-offered', reasons }
  if (own.length > 0) return { code: 'patient-busy' }
  const blocked = blockedInterval(visitType, startMs)
  const ownHolds = ownHoldsIn(calendar, wish).map(({ id }) => id)
  if (calendar.isBusy(blocked, moving === undefined ? ownHolds : [...ownHolds, moving.id])) {
    const near = nearestSlots(calendar.offer(nowMs), visitType, startMs, nowMs, MAX_ALTERNATIVES)
    return {
      code: 'slot-taken',
      alternatives: near.filter((slot) => isOffered(calendar, visitType, slot, nowMs)),
    }
  }
  return reasons.length > 0 ? { code: 'slot-not-offered', reasons } : undefined
}

/** Whether every schedule, the one on its way too, offers the slot. */
const isOffered = (calendar: Calendar, visitType: VisitTerms, { startMs }: Slot, nowMs: number): boolean =>
  calendar
    .offersAt(startMs, nowMs)
    .every((offer) => slotFaults(offer, visitType, startMs, nowMs).length === 0)

/** Live holds of the patient that overlap what they want: the wish takes their place. */
export const ownHoldsIn = (
  calendar: Calendar,
  { patientId, startMs, visitType }: Pick<Wish, 'patientId' | 'startMs' | 'visitType'>,
): Hold[] =>
  calendar
    .holdsOverlapping(blockedInterval(visitType, startMs))
    .filter((hold) => hold.patientId === patientId)

function ignoredFor(calendar: Calendar, wish: Wish): readonly SlotFault[] {
  const { startMs, visitType, moving, ignored } = wish
  const { endMs } = soldInterval(visitType, startMs)
  const holds = ownHoldsIn(calendar, wish)
  const held = holds.some(
    (hold) => hold.startMs === startMs && hold.endMs === endMs && hold.visitTypeId === visitType.id,
  )
  if (held) return [...ignored, ...HELD_ALREADY]
  const { timeZone } = calendar.hours.schedule
  const day = localDate(startMs, timeZone)
  const givingWay = moving === undefined ? holds : [...holds, moving]
  // On its own day it is counted already.
  const counted = givingWay.some((one) => localDate(one.startMs, timeZone) === day)
  return counted ? [...ignored, 'daily-limit'] : ignored
}

/** The lengths that were taken, in minutes: a visit type that has changed since leaves them as they were. */
export const lengthsOf = ({ startMs, endMs, blockedStartMs, blockedEndMs }: Appointment | Hold) => ({
  durationMinutes: (endMs - startMs) / MINUTE_MS,
  bufferBeforeMinutes: (startMs - blockedStartMs) / MINUTE_MS,
  bufferAfterMinutes: (blockedEndMs - endMs) / MINUTE_MS,
})
