/**
 * Slots: what a doctor's offer can still sell. Each window has its own grid, cut from its start by elapsed time,
 * so that a slot's length never depends on a clock change. Everything here is a function of the offer and `now`.
 */
import { firstOverlap, type Interval, indexEndingAfter, indexFrom, overlaps, union } from './interval'
import { DAY_MS, dayRange, localDate, MINUTE_MS } from './time'

export interface SlotPolicy {
  readonly slotMinutes: number
  readonly minNoticeMinutes: number
  readonly horizonDays: number
  /** Appointments a local day; null for no limit. */
  readonly dailyLimit: number | null
}

export interface SlotVisitType {
  readonly id: string
  readonly durationMinutes: number
  readonly bufferBeforeMinutes: number
  readonly bufferAfterMinutes: number
}

/** A blocked interval, buffers included. A hold blocks until `lapsesAtMs`; from that instant on, nobody. */
export interface Busy extends Interval {
  readonly lapsesAtMs?: number
}

export interface Offer {
  readonly timeZone: string
  readonly policy: SlotPolicy
  /** Sorted and disjoint. */
  readonly windows: readonly Interval[]
  readonly timeOff: readonly Interval[]
  /** Sorted by startMs; none longer than MAX_BLOCKED_MINUTES. */
  readonly busy: readonly Busy[]
  /** Local date → the appointments that count towards the daily limit. */
  readonly bookedPerDay: Readonly<Record<string, number>>
}

/** The interval that is sold, buffers left out. */
export interface Slot extends Interval {
  readonly visitTypeId: string
}

export type SlotFault =
  | 'outside-hours'
  | 'time-off'
  | 'too-soon'
  | 'beyond-horizon'
  | 'off-grid'
  | 'in-the-past'
  | 'daily-limit'

/** How many starts `nearestSlots` looks at before it answers with what it has found. */
export const MAX_NEAREST_CANDIDATES = 2000

/** What the patient gets: the visit itself. */
export const soldInterval = ({ durationMinutes }: SlotVisitType, startMs: number): Interval => ({
  startMs,
  endMs: startMs + durationMinutes * MINUTE_MS,
})

/** What the doctor gives: the visit and its buffers. */
export function blockedInterval(visitType: SlotVisitType, startMs: number): Interval {
  const { durationMinutes, bufferBeforeMinutes, bufferAfterMinutes } = visitType
  const endMs = startMs + (durationMinutes + bufferAfterMinutes) * MINUTE_MS
  return { startMs: startMs - bufferBeforeMinutes * MINUTE_MS, endMs }
}

/** All open slots whose start lies in the half-open range, in order. */
export const slots = (offer: Offer, visitType: SlotVisitType, range: Interval, nowMs: number): Slot[] => [
  ...openSlots(offer, visitType, range, nowMs),
]

/** The same, each found when it is asked for. */
export function openSlots(
  offer: Offer,
  visitType: SlotVisitType,
  range: Interval,
  nowMs: number,
): Generator<Slot, undefined> {
  const search = searchOf(offer, visitType, nowMs)
  return openFrom({ ...search, lastMs: Math.min(search.lastMs, range.endMs - 1) }, range.startMs)
}

/** The first open slot from now on, or undefined if there is none before the horizon. */
export function nextSlot(offer: Offer, visitType: SlotVisitType, nowMs: number): Slot | undefined {
  // No budget: each obstacle is looked at once, so the length of the calendar is the bound.
  return openFrom(searchOf(offer, visitType, nowMs), nowMs).next().value
}

/**
 * The open slots nearest to `aroundMs`, by the distance of their starts; of two equally near, the earlier first.
 * At most `count`, and fewer where the nearest MAX_NEAREST_CANDIDATES starts hold no more.
 */
export function nearestSlots(
  offer: Offer,
  visitType: SlotVisitType,
  aroundMs: number,
  nowMs: number,
  count: number,
): Slot[] {
  const search = searchOf(offer, visitType, nowMs)
  const later = candidatesFrom(search, aroundMs)
  const earlier = candidatesBefore(search, aroundMs)
  const found: Slot[] = []
  let next = later.next().value
  let previous = earlier.next().value
  for (let looked = 0; looked < MAX_NEAREST_CANDIDATES && found.length < count; looked++) {
    const distanceMs = next === undefined ? Infinity : next.startMs - aroundMs
    const backwards: boolean = previous !== undefined && aroundMs - previous.startMs <= distanceMs
    const nearest: Candidate | undefined = backwards ? previous : next
    if (nearest === undefined) break
    if (nearest.open) found.push(slotAt(visitType, nearest.startMs))
    if (backwards) previous = earlier.next().value
    else next = later.next().value
  }
  return found
}

/**
 * Every reason why no slot starts at `startMs`, apart from its being taken already; none means it is offered.
 * `in-the-past` stands for `too-soon` as well; `off-grid` is said of a start inside a window.
 */
export function slotFaults(
  offer: Offer,
  visitType: SlotVisitType,
  startMs: number,
  nowMs: number,
): SlotFault[] {
  const { policy, windows, timeOff } = offer
  const { firstMs, lastMs } = startBounds(policy, nowMs)
  const sold = soldInterval(visitType, startMs)
  const window = windows[indexEndingAfter(windows, startMs)]
  const within = window !== undefined && window.startMs <= startMs
  const faults: SlotFault[] = []
  if (!within || sold.endMs > window.endMs) faults.push('outside-hours')
  if (timeOff.some((off) => overlaps(off, sold))) faults.push('time-off')
  if (startMs >= nowMs && startMs < firstMs) faults.push('too-soon')
  if (startMs > lastMs) faults.push('beyond-horizon')
  if (within && (startMs - window.startMs) % (policy.slotMinutes * MINUTE_MS) !== 0) faults.push('off-grid')
  if (startMs < nowMs) faults.push('in-the-past')
  if (isFull(offer, localDate(startMs, offer.timeZone))) faults.push('daily-limit')
  return faults
}

function slotAt(visitType: SlotVisitType, startMs: number): Slot {
  return { ...soldInterval(visitType, startMs), visitTypeId: visitType.id }
}

const isFull = ({ policy, bookedPerDay }: Offer, date: string): boolean =>
  policy.dailyLimit !== null && (bookedPerDay[date] ?? 0) >= policy.dailyLimit

/** The first and the last instant, both included, at which a slot may start. */
const startBounds = ({ minNoticeMinutes, horizonDays }: SlotPolicy, nowMs: number) => ({
  firstMs: nowMs + minNoticeMinutes * MINUTE_MS,
  lastMs: nowMs + horizonDays * DAY_MS,
})

/** A start on some window's grid, within its hours and the policy's bounds. */
interface Candidate {
  readonly startMs: number
  readonly open: boolean
}

/** What closes a start: no start after `beforeMs` and before `afterMs` can be open, this one among them. */
interface Obstacle {
  readonly beforeMs: number
  readonly afterMs: number
}

/** The offer, its time off merged, with what each step of a search needs. */
const searchOf = (offer: Offer, visitType: SlotVisitType, nowMs: number) => ({
  ...offer,
  timeOff: union(offer.timeOff),
  visitType,
  nowMs,
  stepMs: offer.policy.slotMinutes * MINUTE_MS,
  durationMs: visitType.durationMinutes * MINUTE_MS,
  ...startBounds(offer.policy, nowMs),
})

type Search = ReturnType<typeof searchOf>

function* openFrom(search: Search, fromMs: number): Generator<Slot, undefined> {
  for (const { startMs, open } of candidatesFrom(search, fromMs)) {
    if (open) yield slotAt(search.visitType, startMs)
  }
}

/** Starts at or after `fromMs`, in order; what an obstacle closes as well is left out. */
function* candidatesFrom(search: Search, fromMs: number): Generator<Candidate, undefined> {
  const { windows, stepMs, durationMs, lastMs } = search
  const firstMs = Math.max(fromMs, search.firstMs)
  for (let i = indexEndingAfter(windows, firstMs); i < windows.length; i++) {
    const window = windows[i]
    if (window === undefined || window.startMs > lastMs) return
    const endMs = Math.min(window.endMs - durationMs, lastMs)
    let startMs = gridFrom(window, stepMs, firstMs)
    while (startMs <= endMs) {
      const obstacle = obstacleAt(search, startMs)
      yield { startMs, open: obstacle === undefined }
      // The step also where the obstacle reaches no further: a clock set back over midnight repeats a full day.
      startMs = Math.max(startMs + stepMs, gridFrom(window, stepMs, obstacle?.afterMs ?? 0))
    }
  }
}

/** Starts before `beforeMs`, the latest first; what an obstacle closes as well is left out. */
function* candidatesBefore(search: Search, beforeMs: number): Generator<Candidate, undefined> {
  const { windows, stepMs, durationMs, firstMs } = search
  const latestMs = Math.min(beforeMs - 1, search.lastMs)
  for (let i = indexFrom(windows, latestMs + 1) - 1; i >= 0; i--) {
    const window = windows[i]
    if (window === undefined || window.endMs <= firstMs) return
    const lowestMs = Math.max(window.startMs, firstMs)
    let startMs = gridUpTo(window, stepMs, Math.min(latestMs, window.endMs - durationMs))
    while (startMs >= lowestMs) {
      const obstacle = obstacleAt(search, startMs)
      yield { startMs, open: obstacle === undefined }
      startMs = Math.min(startMs - stepMs, gridUpTo(window, stepMs, obstacle?.beforeMs ?? startMs))
    }
  }
}

/** The first start on the window's grid at or after `ms`. */
const gridFrom = (window: Interval, stepMs: number, ms: number): number =>
  window.startMs + Math.max(0, Math.ceil((ms - window.startMs) / stepMs)) * stepMs

/** The last start on the window's grid at or before `ms`; before the window if there is none. */
const gridUpTo = (window: Interval, stepMs: number, ms: number): number =>
  window.startMs + Math.floor((ms - window.startMs) / stepMs) * stepMs

function obstacleAt(search: Search, startMs: number): Obstacle | undefined {
  const { visitType, durationMs, nowMs } = search
  const blocked = blockedInterval(visitType, startMs)
  const busy = firstOverlap(search.busy, blocked, ({ lapsesAtMs = Infinity }) => lapsesAtMs > nowMs)
  if (busy !== undefined) {
    return {
      beforeMs: busy.startMs + startMs - blocked.endMs,
      afterMs: busy.endMs + startMs - blocked.startMs,
    }
  }
  const off = search.timeOff[indexEndingAfter(search.timeOff, startMs)]
  if (off !== undefined && off.startMs < startMs + durationMs) {
    return { beforeMs: off.startMs - durationMs, afterMs: off.endMs }
  }
  return fullDayAt(search, startMs)
}

/** All of a full day, but for a clock set back from past midnight into the day before, as no zone does today. */
function fullDayAt(offer: Offer, startMs: number): Obstacle | undefined {
  if (offer.policy.dailyLimit === null) return undefined
  const date = localDate(startMs, offer.timeZone)
  if (!isFull(offer, date)) return undefined
  const day = dayRange(date, date, offer.timeZone)
  return { beforeMs: day.startMs - 1, afterMs: day.endMs }
}
