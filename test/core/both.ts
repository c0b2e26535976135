/** A calendar and a world of plain lists to which the same happens, and how they are compared. */
import { expect } from 'vitest'
import { type Appointment, decide, lapsedRequest } from '#scheduling/core/appointment'
import type { decideBooking, decideHold } from '#scheduling/core/booking'
import type { Calendar } from '#scheduling/core/calendar'
import type { Hold } from '#scheduling/core/hold'
import type { decideReschedule } from '#scheduling/core/reschedule'
import {
  active,
  type Expected,
  expectBooking,
  expectHold,
  expectMove,
  live,
  overdueIn,
  perDay,
  taken,
  type Wish,
  type World,
} from './booking-oracle'
import { calendarOf, MIDNIGHT } from './calendars'
import { type Drawn, type DrawnChange, type DrawnWish, OPENING, scheduleOf, TIME_OFF, termsOf } from './drawn'
import { book, half, hold, hour, move, video } from './wishes'

const nthOf = <T>(list: readonly T[], nth: number): T | undefined => list[nth % list.length]

/** The calendar and the world, to which the same happens. */
export class Both {
  readonly calendar: Calendar
  readonly world: World
  #ids = 0
  /** The schedule on its way, as it was drawn. */
  #next: Drawn | undefined

  constructor(policy: Drawn) {
    const visitTypes = [half, hour, video]
    this.calendar = calendarOf({ schedule: scheduleOf(policy), openings: [OPENING], visitTypes })
    this.world = {
      nowMs: MIDNIGHT,
      bookable: true,
      terms: [termsOf(policy)],
      timeOff: [],
      visitTypes,
      appointments: [],
      moves: [],
      holds: [],
    }
  }

  wish({ kind, patient, startMs, type, override, party, nth, withHold }: DrawnWish): void {
    const wish: Wish = { patientId: `usr_${patient}`, startMs, visitTypeId: type, override }
    const { world, calendar } = this
    const asked = { patientId: wish.patientId, override, ...(type !== undefined && { visitTypeId: type }) }
    if (kind === 'book') {
      const holdId = this.#holdFor(wish.patientId, withHold, nth)
      // Whoever books with a hold mostly asks for what it holds.
      const held = world.holds.find(({ id }) => id === holdId)
      const at = held !== undefined && nth % 4 > 0 ? held.startMs : startMs
      const expected = expectBooking(world, { ...wish, startMs: at }, holdId)
      const appointmentId = `apt_${this.#ids++}`
      const request = { ...asked, appointmentId, ...(holdId !== undefined && { holdId }) }
      const decision = book(calendar, at, request, world.nowMs)
      expectSame(decision, expected)
      if (decision.kind === 'booking') this.#book(decision.appointment, decision.holds)
    } else if (kind === 'hold') {
      const expected = expectHold(world, wish)
      const decision = hold(calendar, startMs, { ...asked, holdId: `hld_${this.#ids++}` }, world.nowMs)
      expectSame(decision, expected)
      if (decision.kind === 'hold') this.#hold(decision.hold, decision.superseded)
    } else {
      const known = nthOf(this.#settled(), nth)
      if (known === undefined) return
      const expected = expectMove(world, known, wish, party)
      const decision = move(calendar, known, startMs, { ...asked, party }, world.nowMs)
      expectSame(decision, expected)
      if (decision.kind !== 'move') return
      for (const { id } of decision.holds) this.#endHold(id)
      calendar.beginMove(decision.appointment)
      world.moves = [...world.moves, decision.appointment]
    }
  }

  change({ kind, nth, action, passedMs, policy }: DrawnChange): void {
    const { world, calendar } = this
    if (kind === 'settle' || kind === 'fail') {
      const moved = nthOf(world.moves, nth)
      if (moved === undefined) return
      world.moves = world.moves.filter((one) => one !== moved)
      if (kind === 'settle') this.#put(moved)
      else calendar.endMove(moved.id)
    } else if (kind === 'act') {
      const known = nthOf(this.#settled(), nth)
      const command = action === 'cancel' ? { action, reason: null } : { action }
      const decision = known && decide(known, command, 'admin', world.nowMs)
      if (decision?.kind === 'change') this.#put(decision.appointment)
    } else if (kind === 'release') {
      const held = nthOf(live(world), nth)
      if (held !== undefined) this.#endHold(held.id)
    } else if (kind === 'pass') {
      world.nowMs += passedMs
      calendar.advance(world.nowMs)
    } else if (kind === 'lapse') this.#lapse()
    else if (kind === 'off') this.#timeOff()
    else if (kind === 'hours') this.#hours(policy, nth)
    else if (kind === 'visit-type') this.#changeType(nth)
    else {
      world.bookable = nth > 3
      calendar.setBookable(world.bookable)
    }
  }

  /** Memory and lists agree, and nothing is in two places, or two in one. */
  agree(): void {
    const { world, calendar } = this
    calendar.advance(world.nowMs)
    const offer = calendar.offer(world.nowMs)
    const busy = offer.busy.map(({ startMs, endMs, lapsesAtMs }) => ({
      startMs,
      endMs,
      ...(lapsesAtMs !== undefined && { lapsesAtMs }),
    }))
    expect(busy.sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)).toEqual(taken(world))
    const counted = Object.entries(offer.bookedPerDay).filter(([, count]) => count !== 0)
    expect(Object.fromEntries(counted)).toEqual(perDay(world))
    const { pending, holds } = calendar.overdue(world.nowMs)
    const overdue = overdueIn(world)
    expect([...pending, ...holds].map(({ id }) => id).sort()).toEqual(overdue.ids.sort())
    expect(calendar.nextDueMs()).toBe(overdue.nextMs)
    const all = [...active(world), ...world.moves, ...live(world)]
    for (const [index, one] of all.entries()) {
      for (const two of all.slice(0, index)) {
        const apart = one.blockedEndMs <= two.blockedStartMs || two.blockedEndMs <= one.blockedStartMs
        expect(apart || one.id === two.id, `${one.id} and ${two.id}`).toBe(true)
      }
    }
  }

  #holdFor(patientId: string, withHold: DrawnWish['withHold'], nth: number): string | undefined {
    if (withHold === 'none') return undefined
    if (withHold === 'lost') return `hld_${nth}`
    const { holds } = this.world
    return nthOf(withHold === 'own' ? holds.filter((one) => one.patientId === patientId) : holds, nth)?.id
  }

  /** Appointments that no move is under way for. */
  #settled(): Appointment[] {
    return this.world.appointments.filter(({ id }) => !this.world.moves.some((moved) => moved.id === id))
  }

  #book(appointment: Appointment, holds: readonly Hold[]): void {
    for (const { id } of holds) this.#endHold(id)
    this.#put(appointment)
  }

  #hold(held: Hold, superseded: readonly Hold[]): void {
    for (const { id } of superseded) this.#endHold(id)
    this.calendar.putHold(held)
    this.world.holds = [...this.world.holds, held]
  }

  #put(appointment: Appointment): void {
    this.calendar.put(appointment)
    const kept = this.world.appointments.filter(({ id }) => id !== appointment.id)
    this.world.appointments = [...kept, appointment]
  }

  #endHold(id: string): void {
    this.calendar.removeHold(id)
    this.world.holds = this.world.holds.filter((one) => one.id !== id)
  }

  #lapse(): void {
    const { pending, holds } = this.calendar.overdue(this.world.nowMs)
    const moving = new Set(this.world.moves.map(({ id }) => id))
    for (const request of pending) {
      if (!moving.has(request.id)) this.#put(lapsedRequest(request, this.world.nowMs))
    }
    for (const { id } of holds) this.#endHold(id)
  }

  #timeOff(): void {
    const taking = this.world.timeOff.length === 0
    this.world.timeOff = taking ? [TIME_OFF] : []
    if (taking) this.calendar.hours.takeTimeOff(TIME_OFF)
    else this.calendar.hours.withdrawTimeOff(TIME_OFF.id)
  }

  /** A new schedule is announced, or the one on its way is in force, or is not to be. */
  #hours(policy: Drawn, nth: number): void {
    const [current] = this.world.terms
    if (current === undefined) return
    if (this.#next === undefined) {
      this.#next = policy
      this.world.terms = [current, termsOf(policy)]
      this.calendar.hours.announceSchedule(scheduleOf(policy))
      return
    }
    const agreed = nth % 3 > 0
    this.world.terms = [agreed ? termsOf(this.#next) : current]
    if (agreed) this.calendar.setSchedule(scheduleOf(this.#next))
    else this.calendar.hours.announceSchedule(undefined)
    this.#next = undefined
  }

  /** A visit type is offered no more, or again; and it may be longer or shorter than it was. */
  #changeType(nth: number): void {
    const known = nthOf(this.world.visitTypes, nth)
    if (known === undefined) return
    const changed = {
      ...known,
      durationMinutes: known.durationMinutes === 60 ? 20 : 60,
      archivedAt: known.archivedAt === null && nth > 10 ? 1 : null,
    }
    this.world.visitTypes = this.world.visitTypes.map((type) => (type === known ? changed : type))
    this.calendar.setVisitType(changed)
  }
}

type Decision = ReturnType<typeof decideBooking | typeof decideHold | typeof decideReschedule>

/** The decision is what the oracle expects: refusal by refusal, place by place. */
function expectSame(decision: Decision, expected: Expected): void {
  if (expected.kind === 'refusal' || decision.kind === 'refusal') {
    const refusal = decision.kind === 'refusal' ? decision.refusal : decision
    const simple =
      'alternatives' in refusal
        ? { ...refusal, alternatives: refusal.alternatives.map(({ startMs }) => startMs) }
        : 'reasons' in refusal
          ? { ...refusal, reasons: [...refusal.reasons].sort() }
          : refusal
    expect(simple).toMatchObject(expected.kind === 'refusal' ? expected.refusal : { kind: expected.kind })
    return
  }
  if (decision.kind === 'same' || decision.kind === 'unchanged') expect(decision.kind).toBe(expected.kind)
  else if (decision.kind === 'hold') {
    expect(decision.hold).toMatchObject(expected.place)
    expect(decision.superseded.map(({ id }) => id).sort()).toEqual(expected.holdIds)
  } else {
    expect(decision.appointment).toMatchObject(expected.place)
    expect(decision.holds.map(({ id }) => id).sort()).toEqual(expected.holdIds)
  }
}
