/**
 * A doctor's calendar in memory: what decisions ask, and how it changes. The Durable Object owns one, loaded
 * from D1; nothing here waits for anything, so a decision and its taking are one turn.
 */
import { type Appointment, isActive, isCounted } from './appointment'
import { DayCounts } from './day-counts'
import { Held } from './held'
import type { Hold } from './hold'
import { Hours, type Plan } from './hours'
import { contains, type Interval, overlaps, union } from './interval'
import { type Occupant, Occupied, occupantOf } from './occupied'
import type { Opening, Policy, Schedule, TimeOff, VisitType } from './schedule'
import type { Offer } from './slot'
import { MINUTE_MS } from './time'
import type { WaitlistEntry } from './waiting-list'

/** What a load reads of a doctor. */
export interface CalendarFacts {
  readonly doctorId: string
  readonly epoch: number
  readonly version: number
  /** Verified by an administrator, and the user is active. */
  readonly bookable: boolean
  readonly schedule: Schedule
  readonly openings: readonly Opening[]
  readonly timeOff: readonly TimeOff[]
  /** Those that are offered, and archived ones that a hold still has. */
  readonly visitTypes: readonly VisitType[]
  /** Those that count towards a daily limit or are active, from a day and a half ago on; and overdue ones. */
  readonly appointments: readonly Appointment[]
  /** Those that have not been ended, though their time may be over. */
  readonly holds: readonly Hold[]
  /** Those that have not ended, though their time may be over. */
  readonly waitlist: readonly WaitlistEntry[]
}

/** What time has ended. */
export interface Overdue {
  readonly pending: readonly Appointment[]
  readonly holds: readonly Hold[]
  readonly waiting: readonly WaitlistEntry[]
}

export class Calendar {
  readonly doctorId: string
  readonly epoch: number
  version: number
  readonly hours: Hours
  #bookable: boolean
  #visitTypes: readonly VisitType[]
  readonly #appointments = new Map<string, Appointment>()
  /** Those that wait for approval: few, and asked for after every change. */
  readonly #pending = new Map<string, Appointment>()
  readonly #occupied = new Occupied()
  /** By the keys of `#occupied`. */
  readonly #counts: DayCounts
  /** Holds, and who waits for their time. */
  readonly held: Held
  #now = 0

  constructor(facts: CalendarFacts) {
    this.doctorId = facts.doctorId
    this.epoch = facts.epoch
    this.version = facts.version
    this.#bookable = facts.bookable
    this.hours = new Hours(facts.schedule, facts.openings, facts.timeOff)
    this.#visitTypes = facts.visitTypes
    this.#counts = new DayCounts(facts.schedule.timeZone)
    this.held = new Held(this.#occupied, this.#counts, facts.waitlist, () => this.#longestBufferMs)
    for (const appointment of facts.appointments) this.put(appointment)
    for (const hold of facts.holds) this.putHold(hold)
  }

  /** Time passes here and nowhere else, and never goes back: holds lapse. Returns the calendar's now. */
  advance(nowMs: number): number {
    this.#now = Math.max(this.#now, nowMs)
    this.hours.advance(this.#now)
    this.held.advance(this.#now)
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
    return this.hours.schedule
  }

  /** The visit types that are offered, oldest first. */
  get visitTypes(): readonly VisitType[] {
    return this.#visitTypes.filter(({ archivedAt }) => archivedAt === null)
  }

  /** The visit type of this id, or the doctor's first where none is named. One that is archived is offered no more. */
  visitType(id: string | undefined): VisitType | undefined {
    return id === undefined ? this.visitTypes[0] : this.visitTypes.find((type) => type.id === id)
  }

  /** The visit type of a hold, even if it is offered no more. */
  heldVisitType({ visitTypeId }: Hold): VisitType | undefined {
    return this.#visitTypes.find(({ id }) => id === visitTypeId)
  }

  /** Adds the visit type, or replaces the one with its id. */
  setVisitType(visitType: VisitType): void {
    const others = this.#visitTypes.filter(({ id }) => id !== visitType.id)
    this.#visitTypes = [...others, visitType].sort(
      (a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1),
    )
    this.held.placeAll()
  }

  appointment(id: string): Appointment | undefined {
    return this.#appointments.get(id)
  }

  /** Active appointments whose sold interval, or the one they are moving to, overlaps this one; by start. */
  activeOverlapping(interval: Interval): Appointment[] {
    const ids = this.#soldOverlapping(interval).map(({ id }) => id)
    return [...new Set(ids)].flatMap((id) => this.#appointments.get(id) ?? [])
  }

  /** What this patient has in the interval, appointments and their moves, other than the appointment named. */
  ownOverlapping(patientId: string, interval: Interval, exceptId?: string): Occupant[] {
    return this.#soldOverlapping(interval).filter(
      (occupant) =>
        occupant.patientId === patientId && occupant.id !== exceptId && this.#appointments.has(occupant.id),
    )
  }

  /** Active appointments that begin at `fromMs` or later, by start. */
  #activeFrom(fromMs: number): Appointment[] {
    return [...this.#appointments.values()]
      .filter((appointment) => isActive(appointment) && appointment.startMs >= fromMs)
      .sort((a, b) => a.startMs - b.startMs)
  }

  /** Active appointments still to come that this schedule, with the openings, does not offer; by start. */
  outside(schedule: Schedule, nowMs: number): Appointment[] {
    const coming = this.#activeFrom(nowMs)
    const last = coming.at(-1)
    if (last === undefined) return []
    const offered = union(this.hours.offeredBy(schedule, { startMs: nowMs, endMs: last.endMs }))
    return coming.filter((appointment) => !offered.some((window) => contains(window, appointment)))
  }

  #soldOverlapping(interval: Interval): Occupant[] {
    return this.#occupied.overlapping(interval).filter(({ sold }) => overlaps(sold, interval))
  }

  /** Whether anything but these blocks any of the interval. */
  isBusy(interval: Interval, exceptIds: readonly string[] = []): boolean {
    return this.#occupied.blocks(interval, ({ id }) => !exceptIds.includes(id))
  }

  /** The hold of this id, while it lives. */
  hold(id: string): Hold | undefined {
    return this.held.live(id)
  }

  /** Live holds whose blocked interval overlaps this one, by start. */
  holdsOverlapping(interval: Interval): Hold[] {
    return this.#occupied.overlapping(interval).flatMap(({ id }) => this.held.live(id) ?? [])
  }

  /** Of the visit types that are offered. */
  get #longestBufferMs(): number {
    const buffers = this.visitTypes.flatMap((type) => [type.bufferBeforeMinutes, type.bufferAfterMinutes])
    return Math.max(0, ...buffers) * MINUTE_MS
  }

  /** Asks as though these had left their places: appointments, holds, time off. Afterwards they are there again. */
  without(ids: readonly string[], ask: () => void): void {
    const places = ids.flatMap((id) => this.#occupied.at(id) ?? [])
    const timeOff = this.hours.timeOff.filter(({ id }) => ids.includes(id))
    const counted = places.filter(({ id }) => this.#counts.has(id))
    for (const { id } of places) this.#occupied.remove(id)
    for (const { id } of counted) this.#counts.delete(id)
    for (const { id } of timeOff) this.hours.withdrawTimeOff(id)
    try {
      ask()
    } finally {
      for (const place of places) this.#occupied.put(place.id, place)
      for (const { id, sold } of counted) this.#counts.set(id, sold.startMs)
      for (const off of timeOff) this.hours.takeTimeOff(off)
    }
  }

  /** What time has ended and D1 has not heard of: holds, requests nobody answered before their start, waiting. */
  overdue(nowMs: number): Overdue {
    return {
      pending: [...this.#pending.values()]
        .filter(({ startMs }) => startMs <= nowMs)
        .sort((a, b) => a.startMs - b.startMs),
      holds: this.held.lapsed,
      waiting: this.held.waiting.expired(nowMs),
    }
  }

  /** When time alone will change something next: epoch ms, perhaps past; undefined where nothing waits for time. */
  nextDueMs(): number | undefined {
    const due = [...[...this.#pending.values()].map(({ startMs }) => startMs), ...this.held.dueMs]
    return due.length === 0 ? undefined : Math.min(...due)
  }

  /** What listings show and alternatives come from. */
  offer(nowMs: number): Offer {
    this.advance(nowMs)
    return this.#offerOf(this.hours.plan)
  }

  /** Every offer that a start must be part of; during a change of schedule these are two. */
  offersAt(startMs: number, nowMs: number): Offer[] {
    this.advance(nowMs)
    return this.hours.plansAt(startMs).map((plan) => this.#offerOf(plan))
  }

  /** Takes or updates an appointment, which is moving no more; one that is neither active nor counted leaves. */
  put(appointment: Appointment): void {
    this.remove(appointment.id)
    if (!isCounted(appointment)) return
    this.#appointments.set(appointment.id, appointment)
    this.#counts.set(appointment.id, appointment.startMs)
    if (!isActive(appointment)) return
    this.#occupied.put(appointment.id, occupantOf(appointment))
    if (appointment.status === 'pending') this.#pending.set(appointment.id, appointment)
  }

  /** Gives an appointment's interval back. */
  remove(id: string): void {
    this.endMove(id)
    if (!this.#appointments.delete(id)) return
    this.#pending.delete(id)
    this.#counts.delete(id)
    this.#occupied.remove(id)
  }

  /** Takes the place that an appointment is to move to, while it keeps its own. */
  beginMove(moved: Appointment): void {
    this.#occupied.put(moveKey(moved.id), occupantOf(moved))
    this.#counts.set(moveKey(moved.id), moved.startMs)
  }

  /** Gives that place back. */
  endMove(id: string): void {
    this.#occupied.remove(moveKey(id))
    this.#counts.delete(moveKey(id))
  }

  putHold(hold: Hold): void {
    this.held.put(hold)
  }

  /** The hold is to end for what takes its place, and counts no more; its interval stays taken meanwhile. */
  passHold(id: string): void {
    this.#counts.delete(id)
  }

  /** The hold has ended. */
  removeHold(id: string): void {
    this.held.remove(id)
  }

  setSchedule(schedule: Schedule): void {
    this.hours.setSchedule(schedule)
    this.#counts.setTimeZone(schedule.timeZone)
  }

  #offerOf({ schedule, windows }: Plan): Offer {
    return {
      timeZone: schedule.timeZone,
      policy: schedule,
      windows,
      timeOff: this.hours.timeOff,
      busy: this.#occupied.all,
      bookedPerDay: this.#counts.perDay,
    }
  }
}

const moveKey = (id: string): string => `${id} moving`
