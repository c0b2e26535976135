/**
 * Whatever gives back some of a doctor's time gives it to those who wait for it: the change that frees it, the
 * holds that it becomes and their events are one batch. Memory takes the holds before D1 is asked and frees what
 * leaves after, so that nobody sees the time between.
 *
 * Whether a patient is busy with another doctor only D1 knows, so it is asked before the turn that decides; only
 * where somebody who waits could have the time.
 */
import type { Database } from '#db/database'
import { newId } from '#db/id'
import type { CalendarKeeper } from './calendar-keeper'
import type { Change } from './change-calendar'
import type { Calendar } from './core/calendar'
import type { Hold } from './core/hold'
import { contains, type Interval } from './core/interval'
import { decideOffers, type FreedInterval, holdOf, type Offering } from './core/offers'
import type { WaitlistEntry } from './core/waiting-list'
import { insertHolds } from './hold-rows'
import { type BusyElsewhere, readBusyElsewhere } from './read-busy-elsewhere'
import { endEntries, noteOffers, waitlistEvent } from './waitlist-rows'

/** How often one command asks D1 who is busy; after that only those it knows of are offered anything. */
const MAX_READINGS = 3
/** How often D1 may refuse a command for its offers; after that it frees the time without any. */
const MAX_REFUSALS = 2

/** A change that memory has taken, with what becomes of the waiting list. */
export interface Taken<T> extends Change<T> {
  readonly offers: readonly Hold[]
}

export type Taking<T> =
  | { readonly kind: 'taken'; readonly change: Taken<T> }
  /** Changes of these are on their way, and may change who is next. */
  | { readonly kind: 'wait'; readonly subjectIds: readonly string[] }
  /** What must be read before it can be decided; nothing has been taken. */
  | { readonly kind: 'read'; read(): Promise<void> }

/** What becomes of an entry: what it is afterwards, or undefined where its waiting ends. */
interface Settled {
  readonly before: WaitlistEntry
  readonly after: WaitlistEntry | undefined
}

/** The offers of one command, however often it is decided. */
export class FreedTime {
  #known: BusyElsewhere | undefined
  #readings = 0
  #refusals = 0

  constructor(
    private readonly keeper: CalendarKeeper,
    private readonly database: Database,
  ) {}

  /** D1 has refused an offer: a patient has become busy since it was asked. */
  refused(): void {
    this.#known = undefined
    this.#refusals += 1
  }

  /** Takes the change into memory, in the turn that decided it, together with the offers that it makes. */
  take<T>(calendar: Calendar, decided: Change<T>, nowMs: number): Taking<T> {
    const settled = settledBy(calendar, decided, nowMs)
    const freed = freedBy(calendar, decided, nowMs)
    const waiting = calendar.held.waitingFor(freed, nowMs)
    const concerned = [...settled.map(({ before }) => before), ...waiting]
    const subjectIds = this.keeper.underWay(concerned.map(({ id }) => id))
    if (subjectIds.length > 0) return { kind: 'wait', subjectIds }

    decided.take?.()
    for (const { after } of settled) if (after !== undefined) calendar.held.putWaiting(after)
    const giveBack = () => {
      for (const { before } of settled) calendar.held.putWaiting(before)
      decided.giveBack?.()
    }
    const offerings = this.#offer(calendar, decided, freed, nowMs)
    const unknown = offerings.filter(({ entry }) => !this.#knows(entry.patientId, freed))
    if (unknown.length > 0) {
      giveBack()
      return { kind: 'read', read: () => this.#read(calendar.doctorId, waiting, freed, nowMs) }
    }
    const change = { ...decided, giveBack }
    return { kind: 'taken', change: withOffers(calendar, change, settled, offerings, nowMs) }
  }

  #offer<T>(calendar: Calendar, { frees }: Change<T>, freed: readonly FreedInterval[], nowMs: number) {
    if (frees === undefined || freed.length === 0 || this.#refusals >= MAX_REFUSALS) return []
    const busyElsewhere = (patientId: string) => {
      if (this.#knows(patientId, freed)) return this.#known?.intervalsOf(patientId) ?? []
      return this.#readings < MAX_READINGS ? [] : undefined
    }
    return decideOffers(calendar, { freed, leaving: frees.leaving, busyElsewhere }, nowMs)
  }

  #knows(patientId: string, freed: readonly FreedInterval[]): boolean {
    const known = this.#known
    return known?.patientIds.has(patientId) === true && freed.every((one) => contains(known.range, one))
  }

  async #read(
    doctorId: string,
    waiting: readonly WaitlistEntry[],
    freed: readonly Interval[],
    nowMs: number,
  ) {
    this.#readings += 1
    const patientIds = waiting.map(({ patientId }) => patientId)
    this.#known = await readBusyElsewhere(this.database, doctorId, patientIds, freed, nowMs)
  }
}

/** The entries whose offers end with the change. */
function settledBy<T>(calendar: Calendar, { endsHolds }: Change<T>, nowMs: number): Settled[] {
  if (endsHolds === undefined) return []
  const { holds, outcome } = endsHolds
  const offered = calendar.held.waiting.offered(holds.map(({ id }) => id))
  // One whose time is over ends by that alone.
  return offered
    .filter(({ toMs }) => toMs > nowMs)
    .map((before) => {
      const withoutOffer = { ...before, offerId: null, freedAt: null }
      if (outcome === 'booked') return { before, after: undefined }
      // The doctor took it back: the patient keeps their place.
      return { before, after: outcome === 'time-off' ? withoutOffer : { ...withoutOffer, passedAt: nowMs } }
    })
}

/** What becomes free of the time ahead; what was an offer has been free since its chain of offers began. */
function freedBy<T>(calendar: Calendar, { frees }: Change<T>, nowMs: number): FreedInterval[] {
  if (frees === undefined || calendar.held.waiting.size === 0) return []
  return frees.intervals
    .filter(({ endMs }) => endMs > nowMs)
    .map((given) => {
      const [offered] = given.holdId === undefined ? [] : calendar.held.waiting.offered([given.holdId])
      return { ...given, sinceMs: offered?.freedAt ?? nowMs }
    })
}

/** The change with the holds that it offers, which memory takes now, and with what it writes of the waiting list. */
function withOffers<T>(
  calendar: Calendar,
  decided: Change<T>,
  settled: readonly Settled[],
  offerings: readonly Offering[],
  nowMs: number,
): Taken<T> {
  const offered = offerings.map((offering) => {
    const hold = holdOf(calendar.doctorId, offering, newId('hld'), nowMs)
    const { entry, freedAt } = offering
    return { before: entry, hold, after: { ...entry, offerId: hold.id, freedAt } }
  })
  const holds = offered.map(({ hold }) => hold)
  for (const { hold, after } of offered) {
    calendar.putHold(hold)
    calendar.held.putWaiting(after)
  }
  const booked = settled.filter(({ after }) => after === undefined).map(({ before }) => before)
  const passed = settled.flatMap(({ after }) => after ?? [])
  const [first, ...others] = decided.events
  return {
    ...decided,
    offers: holds,
    subjectIds: [
      ...decided.subjectIds,
      ...[...settled, ...offered].map(({ before }) => before.id),
      ...holds.map(({ id }) => id),
    ],
    // Last: the rows of the change's own statements stay where it expects them.
    statements: [
      ...decided.statements,
      ...(booked.length === 0 ? [] : [endEntries(booked, 'booked', nowMs)]),
      ...(holds.length === 0 ? [] : [insertHolds(holds)]),
      ...noteOffers([...passed, ...offered.map(({ after }) => after)]),
    ],
    events: [
      first,
      ...others,
      ...offered.map(({ after, hold }) =>
        waitlistEvent('waitlist.offered', null, after, nowMs, { holdId: hold.id }),
      ),
    ],
    giveBack() {
      for (const { before, hold } of offered) {
        calendar.removeHold(hold.id)
        calendar.held.putWaiting(before)
      }
      decided.giveBack?.()
    },
    keep(answer) {
      decided.keep(answer)
      for (const { id } of booked) calendar.held.removeWaiting(id)
    },
  }
}
