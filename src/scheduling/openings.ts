/**
 * A doctor's openings as KV keeps them: everything a listing needs for the whole horizon, so that any range,
 * visit type and zone is a pure function of this value and the clock.
 */
import type { Calendar } from './core/calendar'
import type { Interval } from './core/interval'
import type { VisitType } from './core/schedule'
import type { Busy, Offer, SlotPolicy } from './core/slot'

/** The value in KV. Intervals are pairs of epoch ms, to keep it small. */
export interface Openings {
  readonly doctorId: string
  /** `calendar.version`: it survives the object, so that newer and older can always be told apart. */
  readonly version: number
  readonly asOfMs: number
  readonly bookable: boolean
  readonly timeZone: string
  readonly visitTypes: readonly VisitType[]
  readonly policy: SlotPolicy
  readonly windows: readonly Pair[]
  readonly timeOff: readonly Pair[]
  /** A third number is the instant at which a hold lapses. */
  readonly busy: readonly (Pair | readonly [number, number, number])[]
  readonly bookedPerDay: Readonly<Record<string, number>>
}

type Pair = readonly [startMs: number, endMs: number]

/** KV's key of a doctor's openings. */
export const openingsKey = (doctorId: string): string => `openings:${doctorId}`

/** Seconds that a value lives: it bounds what a put that was overtaken or lost can show. */
export const OPENINGS_TTL_SECONDS = 300

const pairOf = ({ startMs, endMs }: Interval): Pair => [startMs, endMs]
const intervalOf = ([startMs, endMs]: Pair): Interval => ({ startMs, endMs })

/** The openings of a calendar at `nowMs`. */
export function openingsOf(calendar: Calendar, nowMs: number): Openings {
  const offer = calendar.offer(nowMs)
  const { slotMinutes, minNoticeMinutes, horizonDays, dailyLimit } = offer.policy
  return {
    doctorId: calendar.doctorId,
    version: calendar.version,
    asOfMs: nowMs,
    bookable: calendar.bookable,
    timeZone: offer.timeZone,
    visitTypes: calendar.visitTypes,
    policy: { slotMinutes, minNoticeMinutes, horizonDays, dailyLimit },
    windows: offer.windows.map(pairOf),
    timeOff: offer.timeOff.map(pairOf),
    busy: offer.busy.map(({ startMs, endMs, lapsesAtMs }) =>
      lapsesAtMs === undefined ? [startMs, endMs] : [startMs, endMs, lapsesAtMs],
    ),
    bookedPerDay: { ...offer.bookedPerDay },
  }
}

/** What slots are cut from. */
export function offerOf(openings: Openings): Offer {
  return {
    timeZone: openings.timeZone,
    policy: openings.policy,
    windows: openings.windows.map(intervalOf),
    timeOff: openings.timeOff.map(intervalOf),
    busy: openings.busy.map(
      ([startMs, endMs, lapsesAtMs]): Busy =>
        lapsesAtMs === undefined ? { startMs, endMs } : { startMs, endMs, lapsesAtMs },
    ),
    bookedPerDay: openings.bookedPerDay,
  }
}
