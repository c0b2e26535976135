/**
 * When a doctor offers time: hours by rule, dated openings, and time off. What the rules say is expanded once
 * for the whole horizon and kept; while a change of hours is on its way, only what both offer is offered.
 */
import { offeredWindows, windows } from './availability'
import { byStart, type Interval, overlaps } from './interval'
import type { Opening, Schedule, TimeOff } from './schedule'
import { DAY_MS } from './time'

/** Windows are kept from a day ago (a visit under way) to two days beyond the horizon (until replanned). */
const PAST_MS = DAY_MS
const MARGIN_MS = 2 * DAY_MS
/** How far from now the rules are asked why a start is not offered; beyond it, that alone is the reason. */
const MAX_EXPLAINED_MS = 400 * DAY_MS

/** A schedule and the windows that it offers. */
export interface Plan {
  readonly schedule: Schedule
  readonly windows: readonly Interval[]
}

export class Hours {
  #schedule: Schedule
  /** A schedule on its way to D1. */
  #nextSchedule: Schedule | undefined
  #openings: readonly Opening[]
  #timeOff: readonly TimeOff[]
  #plans: readonly Plan[] = []
  #planned: Interval = { startMs: 0, endMs: 0 }
  #now = 0

  constructor(schedule: Schedule, openings: readonly Opening[], timeOff: readonly TimeOff[]) {
    this.#schedule = schedule
    this.#openings = [...openings].sort(byStart)
    this.#timeOff = [...timeOff].sort(byStart)
  }

  /** Sees that the windows reach as far as slots are sold at `nowMs`. */
  advance(nowMs: number): void {
    this.#now = nowMs
    if (this.#plans.length === 0 || nowMs + this.#reachMs() > this.#planned.endMs) this.#plan()
  }

  get schedule(): Schedule {
    return this.#schedule
  }

  get openings(): readonly Opening[] {
    return this.#openings
  }

  /** Sorted by start; they may overlap each other. */
  get timeOff(): readonly TimeOff[] {
    return this.#timeOff
  }

  /** The plan in force. */
  get plan(): Plan {
    return this.#plans[0] ?? { schedule: this.#schedule, windows: [] }
  }

  /** Whether the rules are asked about a start so far away: where not, nothing is said of hours and grid. */
  explains(startMs: number): boolean {
    return Math.abs(startMs - this.#now) <= MAX_EXPLAINED_MS
  }

  /** Every plan that a start must be part of; during a change of schedule these are two. */
  plansAt(startMs: number): Plan[] {
    const outside = startMs < this.#planned.startMs || startMs >= this.#planned.endMs
    if (!outside || !this.explains(startMs)) return [...this.#plans]
    const around = { startMs: startMs - DAY_MS, endMs: startMs + DAY_MS }
    return this.#schedules().map((schedule) => this.#planOf(schedule, around))
  }

  /** Whether the hours or an opening, other than the one named, offer any of the interval already. */
  offersAny(interval: Interval, exceptOpeningId?: string): boolean {
    if (this.#openings.some((opening) => opening.id !== exceptOpeningId && overlaps(opening, interval)))
      return true
    const around = { startMs: interval.startMs - DAY_MS, endMs: interval.endMs + DAY_MS }
    return this.#schedules().some(({ rules, timeZone }) =>
      windows(rules, timeZone, around).some((window) => overlaps(window, interval)),
    )
  }

  /** The windows that this schedule would offer in the range, with the openings. */
  offeredBy(schedule: Schedule, range: Interval): readonly Interval[] {
    return this.#planOf(schedule, range).windows
  }

  /** While the new schedule is on its way to D1, only what both offer is offered; undefined ends that. */
  announceSchedule(next: Schedule | undefined): void {
    this.#nextSchedule = next
    this.#plan()
  }

  setSchedule(schedule: Schedule): void {
    this.#schedule = schedule
    this.#nextSchedule = undefined
    this.#plan()
  }

  setOpenings(openings: readonly Opening[]): void {
    this.#openings = [...openings].sort(byStart)
    this.#plan()
  }

  /** Takes the time off, once. */
  takeTimeOff(timeOff: TimeOff): void {
    this.withdrawTimeOff(timeOff.id)
    this.#timeOff = [...this.#timeOff, timeOff].sort(byStart)
  }

  /** Gives time off back. */
  withdrawTimeOff(id: string): void {
    this.#timeOff = this.#timeOff.filter((timeOff) => timeOff.id !== id)
  }

  #schedules(): Schedule[] {
    return this.#nextSchedule === undefined ? [this.#schedule] : [this.#schedule, this.#nextSchedule]
  }

  #reachMs(): number {
    return Math.max(...this.#schedules().map(({ horizonDays }) => horizonDays)) * DAY_MS
  }

  #plan(): void {
    this.#planned = { startMs: this.#now - PAST_MS, endMs: this.#now + this.#reachMs() + MARGIN_MS }
    this.#plans = this.#schedules().map((schedule) => this.#planOf(schedule, this.#planned))
  }

  #planOf(schedule: Schedule, range: Interval): Plan {
    const ruled = windows(schedule.rules, schedule.timeZone, range)
    const dated = this.#openings.filter((opening) => overlaps(opening, range))
    return { schedule, windows: offeredWindows(ruled, dated) }
  }
}
