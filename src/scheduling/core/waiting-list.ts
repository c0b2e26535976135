/**
 * Who waits for a doctor's time to become free: a line, first come, first served. Whoever lets an offer pass
 * stands at its end again, so that nobody keeps the others waiting for ever.
 */
import { type Interval, overlaps } from './interval'
import { DAY_MS } from './time'

/** The longest range that one waits for, in milliseconds. */
export const MAX_WAITING_MS = 62 * DAY_MS
/** How many entries a doctor's list has. A trigger in D1 says the same, and limits what a patient has in all. */
export const MAX_WAITLIST_ENTRIES = 500

/** One patient's wish for a slot that lies in [fromMs, toMs), epoch ms UTC. */
export interface WaitlistEntry {
  readonly id: string
  readonly doctorId: string
  readonly patientId: string
  /** Null for whatever is the doctor's first when time becomes free. */
  readonly visitTypeId: string | null
  readonly fromMs: number
  readonly toMs: number
  readonly createdAt: number
  /** When it last let an offer pass. */
  readonly passedAt: number | null
  /** The hold that it is offered now. */
  readonly offerId: string | null
  /** Since when the time of that offer is being passed down the line. */
  readonly freedAt: number | null
}

export class WaitingList {
  readonly #entries = new Map<string, WaitlistEntry>()
  /** Sorted when it is next asked for. */
  #line: readonly WaitlistEntry[] | undefined

  constructor(entries: readonly WaitlistEntry[]) {
    for (const entry of entries) this.put(entry)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Adds the entry, or replaces the one with its id. */
  put(entry: WaitlistEntry): void {
    this.#entries.set(entry.id, entry)
    this.#line = undefined
  }

  remove(id: string): void {
    if (this.#entries.delete(id)) this.#line = undefined
  }

  entry(id: string): WaitlistEntry | undefined {
    return this.#entries.get(id)
  }

  /** Those that may still wait at `nowMs` for some of this time, in the order of the line. */
  waitingFor(intervals: readonly Interval[], bufferMs: number, nowMs: number): WaitlistEntry[] {
    if (this.size === 0) return []
    return this.#inLine().filter(
      (entry) =>
        entry.toMs > nowMs && intervals.some((interval) => overlaps(blockable(entry, bufferMs), interval)),
    )
  }

  /** Whether anybody waits for any of this time: it may then pass to nobody but the line. */
  awaits(interval: Interval, bufferMs: number): boolean {
    return this.size > 0 && this.#inLine().some((entry) => overlaps(blockable(entry, bufferMs), interval))
  }

  /** What this patient waits for already of the same visit type, if it overlaps the range. */
  same(patientId: string, visitTypeId: string | null, range: Interval): WaitlistEntry | undefined {
    return this.#inLine().find(
      (entry) =>
        entry.patientId === patientId && entry.visitTypeId === visitTypeId && overlaps(rangeOf(entry), range),
    )
  }

  /** The entries that were offered any of these holds. */
  offered(holdIds: readonly string[]): WaitlistEntry[] {
    if (this.size === 0) return []
    return this.#inLine().filter(({ offerId }) => offerId !== null && holdIds.includes(offerId))
  }

  /** Those whose time is over. */
  expired(nowMs: number): WaitlistEntry[] {
    return [...this.#entries.values()].filter(({ toMs }) => toMs <= nowMs)
  }

  /** When each of them expires, epoch ms. */
  get dueMs(): number[] {
    return [...this.#entries.values()].map(({ toMs }) => toMs)
  }

  #inLine(): readonly WaitlistEntry[] {
    this.#line ??= [...this.#entries.values()].sort(
      (a, b) => placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1),
    )
    return this.#line
  }
}

/** The time in which the whole of a slot must lie. */
export const rangeOf = ({ fromMs, toMs }: Pick<WaitlistEntry, 'fromMs' | 'toMs'>): Interval => ({
  startMs: fromMs,
  endMs: toMs,
})

/** All that a slot of the wish may take of the doctor's time, where no buffer is longer than this. */
const blockable = (entry: WaitlistEntry, bufferMs: number): Interval => ({
  startMs: entry.fromMs - bufferMs,
  endMs: entry.toMs + bufferMs,
})

/** Since when it stands where it stands in the line. */
const placeOf = ({ createdAt, passedAt }: WaitlistEntry): number => passedAt ?? createdAt
