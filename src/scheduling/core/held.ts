/**
 * The holds of a calendar, live and lapsed, with the places that they take; and who waits for their time. What a
 * lapsed hold has held is open at once, unless somebody waits for it: then it is theirs first.
 */
import type { DayCounts } from './day-counts'
import type { Hold } from './hold'
import type { Interval } from './interval'
import { blockedOf, type Occupied, occupantOf } from './occupied'
import { WaitingList, type WaitlistEntry } from './waiting-list'

export class Held {
  readonly #live = new Map<string, Hold>()
  /** Those whose time is over, until D1 has noted it. */
  readonly #lapsed = new Map<string, Hold>()
  readonly #line: WaitingList

  constructor(
    private readonly occupied: Occupied,
    /** By the keys of `occupied`. */
    private readonly counts: DayCounts,
    waitlist: readonly WaitlistEntry[],
    /** The longest buffer of what is offered, in milliseconds. */
    private readonly longestBufferMs: () => number,
  ) {
    this.#line = new WaitingList(waitlist)
  }

  /** Holds lapse. */
  advance(nowMs: number): void {
    for (const hold of this.#live.values()) {
      if (hold.expiresAt > nowMs) continue
      // Whoever waits for its time gets it in the very batch that notes its end, before anybody else sees it.
      if (this.#isAwaited(hold)) this.#live.delete(hold.id)
      else this.remove(hold.id)
      this.#lapsed.set(hold.id, hold)
    }
  }

  /** The hold of this id, while it lives. */
  live(id: string): Hold | undefined {
    return this.#live.get(id)
  }

  get lapsed(): readonly Hold[] {
    return [...this.#lapsed.values()]
  }

  /** When time ends each of them, and each wait: epoch ms. */
  get dueMs(): number[] {
    return [
      ...[...this.#live.values(), ...this.#lapsed.values()].map(({ expiresAt }) => expiresAt),
      ...this.#line.dueMs,
    ]
  }

  get waiting(): WaitingList {
    return this.#line
  }

  /** Those whom some of this time might suit at `nowMs`, in the order of the line. */
  waitingFor(intervals: readonly Interval[], nowMs: number): WaitlistEntry[] {
    return this.#line.waitingFor(intervals, this.longestBufferMs(), nowMs)
  }

  /** Whom the waiting list offers time now, but for the offers named. */
  offeredTo(exceptIds: readonly string[]): string[] {
    return [...this.#live.values()]
      .filter(({ id, origin }) => origin === 'waitlist' && !exceptIds.includes(id))
      .map(({ patientId }) => patientId)
  }

  putWaiting(entry: WaitlistEntry): void {
    this.#line.put(entry)
    this.placeAll()
  }

  removeWaiting(id: string): void {
    this.#line.remove(id)
    this.placeAll()
  }

  put(hold: Hold): void {
    this.#live.set(hold.id, hold)
    this.#place(hold)
    this.counts.set(hold.id, hold.startMs)
  }

  remove(id: string): void {
    this.#lapsed.delete(id)
    this.#live.delete(id)
    this.occupied.remove(id)
    this.counts.delete(id)
  }

  /** After a change of what may be waited for. */
  placeAll(): void {
    for (const hold of this.#live.values()) this.#place(hold)
  }

  /** Nobody is told when a hold lapses that somebody waits for: its time is not open then. */
  #place(hold: Hold): void {
    const lapse = this.#isAwaited(hold) ? {} : { lapsesAtMs: hold.expiresAt }
    this.occupied.put(hold.id, { ...occupantOf(hold), ...lapse })
  }

  #isAwaited(hold: Hold): boolean {
    if (this.#line.size === 0) return false
    return this.#line.awaits(blockedOf(hold), this.longestBufferMs())
  }
}
