/**
 * A doctor's calendar in memory: what `decideBooking` asks, and how it changes. The Durable Object owns one,
 * loaded from D1; nothing here waits for anything, so a decision and its taking are one turn.
 */
import { type Appointment, busyOf, isActive, isCounted } from './appointment'
import { offeredWindows, windows } from './availability'
import { firstOverlap, type Interval, indexFrom, overlaps } from './interval'
import type { Opening, Policy, Schedule, VisitType } from './schedule'
import type { Busy, Offer } from './slot'
import { DAY_MS, localDate } from './time'

/** What a load reads of a doctor. */
export interface CalendarFacts {
  readonly doctorId: string
  readonly epoch: number
  readonly version: number
  /** Verified by an administrator, and the user is active. */
  readonly bookable: boolean
  readonly schedule: Schedule
  readonly openings: readonly Opening[]
  readonly visitTypes: readonly VisitType[]
  /** Those that count towards a daily limit or are active, from a day and a half ago on; and overdue ones. */
  readonly appointments: readonly Appointment[]
}

/** Windows are kept from a day ago (a visit under way) to two days beyond the horizon (until replanned). */
const PAST_MS = DAY_MS
const MARGIN_MS = 2 * DAY_MS
/** How far from now the rules are asked why a start is not offered; beyond it, that alone is the reason. */
const MAX_EXPLAINED_MS = 400 * DAY_MS

interface Plan {
  readonly schedule: Schedule
  readonly windows: readonly Interval[]
}

interface Taken extends Busy {
  readonly appointment: Appointment
}

export class Calendar {
  readonly doctorId: string
  readonly epoch: number
  version: number
  #bookable: boolean
  #visitTypes: readonly VisitType[]
  #openings: readonly Opening[]
  #schedule: Schedule
  /** A schedule on its way to D1: meanwhile only what it and the old one both offer is offered. */
  #nextSchedule: Schedule | undefined
  #plans: readonly Plan[] = []
  #planned: Interval = { startMs: 0, endMs: 0 }
  readonly #appointments = new Map<string, Appointment>()
  /** Sorted by start. */
  readonly #taken: Taken[] = []
  /** Those that wait for approval: few, and asked for after every change. */
  readonly #pending = new Map<string, Appointment>()
  readonly #perDay: Record<string, number> = {}
  #now = 0

  constructor(facts: CalendarFacts) {
    this.doctorId = facts.doctorId
    this.epoch = facts.epoch
    this.version = facts.version
    this.#bookable = facts.bookable
    this.#schedule = facts.schedule
    this.#openings = facts.openings
    this.#visitTypes = facts.visitTypes
    for (const appointment of facts.appointments) this.put(appointment)
  }

  /** Time passes here and nowhere else, and never goes back. Returns the calendar's now. */
  advance(nowMs: number): number {
    this.#now = Math.max(this.#now, nowMs)
    if (this.#plans.length === 0 || this.#now + this.#reachMs() > this.#planned.endMs) this.#plan()
    return this.#now
  }

  /** Whether the doctor is listed and takes bookings. */
  get bookable(): boolean {
    return this.#bookable
  }

  setBookable(bookable: boolean): void {
    this.#bookable = bookable
  }

  get policy(): Policy {
    return this.#schedule
  }

  get schedule(): Schedule {
    return this.#schedule
  }

  get openings(): readonly Opening[] {
    return this.#openings
  }

  get visitTypes(): readonly VisitType[] {
    return this.#visitTypes
  }

  /** The visit type of this id, or the doctor's first where none is named. */
  visitType(id: string | undefined): VisitType | undefined {
    return id === undefined ? this.#visitTypes[0] : this.#visitTypes.find((type) => type.id === id)
  }

  appointment(id: string): Appointment | undefined {
    return this.#appointments.get(id)
  }

  /** Active appointments whose sold interval overlaps this one. */
  activeOverlapping(interval: Interval): Appointment[] {
    const first = firstOverlap(this.#taken, interval)
    if (first === undefined) return []
    const found: Appointment[] = []
    for (let index = indexFrom(this.#taken, first.startMs); index < this.#taken.length; index++) {
      const taken = this.#taken[index]
      if (taken === undefined || taken.startMs >= interval.endMs) break
      if (overlaps(taken.appointment, interval)) found.push(taken.appointment)
    }
    return found
  }

  /** Whether a live appointment blocks any of the interval. */
  isBusy(interval: Interval): boolean {
    return firstOverlap(this.#taken, interval) !== undefined
  }

  /** Whether the hours or an opening already offer any of the interval. */
  offersAny(interval: Interval): boolean {
    if (this.#openings.some((opening) => overlaps(opening, interval))) return true
    const around = { startMs: interval.startMs - DAY_MS, endMs: interval.endMs + DAY_MS }
    return this.#schedules().some(({ rules, timeZone }) =>
      windows(rules, timeZone, around).some((window) => overlaps(window, interval)),
    )
  }

  /** The earliest start of an appointment that still waits for approval. */
  nextPendingStartMs(): number | undefined {
    const starts = [...this.#pending.values()].map(({ startMs }) => startMs)
    return starts.length === 0 ? undefined : Math.min(...starts)
  }

  /** Appointments that waited for approval until their start. */
  lapsedPending(nowMs: number): Appointment[] {
    return [...this.#pending.values()]
      .filter(({ startMs }) => startMs <= nowMs)
      .sort((a, b) => a.startMs - b.startMs)
  }

  /** What listings show and alternatives come from. */
  offer(nowMs: number): Offer {
    this.advance(nowMs)
    return this.#offerOf(this.#plans[0] ?? { schedule: this.#schedule, windows: [] })
  }

  /** Every offer that a start must be part of; during a change of schedule these are two. */
  offersAt(startMs: number, nowMs: number): Offer[] {
    this.advance(nowMs)
    const outside = startMs < this.#planned.startMs || startMs >= this.#planned.endMs
    if (!outside || Math.abs(startMs - this.#now) > MAX_EXPLAINED_MS)
      return this.#plans.map((plan) => this.#offerOf(plan))
    const around = { startMs: startMs - DAY_MS, endMs: startMs + DAY_MS }
    return this.#schedules().map((schedule) => this.#offerOf(this.#planOf(schedule, around)))
  }

  /** Takes or updates an appointment; one that is neither active nor counted leaves. */
  put(appointment: Appointment): void {
    this.remove(appointment.id)
    if (!isCounted(appointment)) return
    this.#appointments.set(appointment.id, appointment)
    this.#count(appointment, 1)
    if (!isActive(appointment)) return
    const taken = { ...busyOf(appointment), appointment }
    this.#taken.splice(indexFrom(this.#taken, taken.startMs + 1), 0, taken)
    if (appointment.status === 'pending') this.#pending.set(appointment.id, appointment)
  }

  /** Gives an appointment's interval back. */
  remove(id: string): void {
    const appointment = this.#appointments.get(id)
    if (appointment === undefined) return
    this.#appointments.delete(id)
    this.#count(appointment, -1)
    this.#pending.delete(id)
    if (!isActive(appointment)) return
    let at = indexFrom(this.#taken, busyOf(appointment).startMs)
    while (at < this.#taken.length && this.#taken[at]?.appointment.id !== id) at += 1
    this.#taken.splice(at, 1)
  }

  /** While the new schedule is on its way to D1, only what both offer is offered; undefined ends that. */
  announceSchedule(next: Schedule | undefined): void {
    this.#nextSchedule = next
    this.#plan()
  }

  setSchedule(schedule: Schedule): void {
    this.#schedule = schedule
    this.#nextSchedule = undefined
    // Local dates depend on the zone.
    for (const day of Object.keys(this.#perDay)) delete this.#perDay[day]
    for (const appointment of this.#appointments.values()) this.#count(appointment, 1)
    this.#plan()
  }

  setOpenings(openings: readonly Opening[]): void {
    this.#openings = [...openings].sort((a, b) => a.startMs - b.startMs)
    this.#plan()
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

  #offerOf({ schedule, windows }: Plan): Offer {
    return {
      timeZone: schedule.timeZone,
      policy: schedule,
      windows,
      timeOff: [],
      busy: this.#taken,
      bookedPerDay: this.#perDay,
    }
  }

  #count({ startMs }: Appointment, by: 1 | -1): void {
    const day = localDate(startMs, this.#schedule.timeZone)
    this.#perDay[day] = (this.#perDay[day] ?? 0) + by
  }
}
