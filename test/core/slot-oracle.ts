/** What slots are held against: every rule asked in turn, and every minute of a visit. */
import type { Interval } from '#scheduling/core/interval'
import type { Offer, SlotVisitType } from '#scheduling/core/slot'
import { wallClock } from './oracle'

const MINUTE = 60_000
const DAY = 1440 * MINUTE

export interface Scene {
  readonly offer: Offer
  readonly visitType: SlotVisitType
  readonly nowMs: number
}

const clocks = new Map<string, (ms: number) => number>()

/** The date of an instant by the wall clock of the zone. */
export function dateIn(timeZone: string, ms: number): string {
  const clock = clocks.get(timeZone) ?? wallClock(timeZone)
  clocks.set(timeZone, clock)
  return new Date(clock(ms)).toISOString().slice(0, 10)
}

/** Whether any of the list has a minute of those from one to another. */
export function during(list: readonly Interval[], from: number, to: number): boolean {
  for (let ms = from; ms < to; ms += MINUTE) {
    if (list.some((entry) => entry.startMs <= ms && ms < entry.endMs)) return true
  }
  return false
}

/** Why a start is not open, asked of every rule in turn and of every minute of the visit. */
export function reasons({ offer, visitType, nowMs }: Scene, startMs: number): string[] {
  const { policy } = offer
  const endMs = startMs + visitType.durationMinutes * MINUTE
  const window = offer.windows.find((one) => one.startMs <= startMs && startMs < one.endMs)
  const found: string[] = []
  if (window === undefined || endMs > window.endMs) found.push('outside-hours')
  if (during(offer.timeOff, startMs, endMs)) found.push('time-off')
  if (startMs < nowMs) found.push('in-the-past')
  else if (startMs - nowMs < policy.minNoticeMinutes * MINUTE) found.push('too-soon')
  if (startMs - nowMs > policy.horizonDays * DAY) found.push('beyond-horizon')
  if (window !== undefined && (startMs - window.startMs) % (policy.slotMinutes * MINUTE) !== 0)
    found.push('off-grid')
  if (policy.dailyLimit !== null) {
    const booked = offer.bookedPerDay[dateIn(offer.timeZone, startMs)] ?? 0
    if (booked >= policy.dailyLimit) found.push('daily-limit')
  }
  const live = offer.busy.filter(({ lapsesAtMs }) => lapsesAtMs === undefined || lapsesAtMs > nowMs)
  const from = startMs - visitType.bufferBeforeMinutes * MINUTE
  if (during(live, from, endMs + visitType.bufferAfterMinutes * MINUTE)) found.push('busy')
  return found.sort()
}

/** Every open start of a scene, minute by minute. */
export function openStarts(scene: Scene, range: Interval): number[] {
  const found: number[] = []
  for (const window of scene.offer.windows) {
    for (let ms = window.startMs; ms < window.endMs; ms += MINUTE) {
      if (ms >= range.startMs && ms < range.endMs && reasons(scene, ms).length === 0) found.push(ms)
    }
  }
  return found
}
