/**
 * The one way in which a calendar changes. Every command is a `decide` over the calendar in memory; this
 * carries out what it decides:
 *
 *   ready → advance → decide → take (one turn, no await in it) → one D1 batch → keep, or give back
 *
 * What a change frees passes to those who wait for it within the same batch: `offer-freed.ts`.
 *
 * A batch that shows that memory was wrong is decided anew. One whose outcome is unknown is fenced off by the
 * next load, and then its first event tells: it is in D1 if, and only if, the batch happened.
 */
import { type Database, type Statement, statement } from '#db/database'
import { insertEvents, type NotedEvents } from '#db/event'
import { newId } from '#db/id'
import type { Refusal } from '#db/refusal'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import type { Calendar } from './core/calendar'
import type { Hold, HoldOutcome } from './core/hold'
import type { Freed } from './core/offers'
import { inTime } from './gather-commits'
import { FreedTime, type Taken } from './offer-freed'

/** How often a command is decided anew when D1 shows that memory was wrong. */
const MAX_DECISIONS = 4
/** How often it waits for others, each time for all of them that are in its way. */
const MAX_WAITS = 100

/** What every command has: its own view of D1, the clock, and who acts (null: time alone). */
export interface CommandContext {
  readonly database: Database
  readonly actor: Actor | null
  nowMs(): number
}

type Rows = readonly (readonly Record<string, unknown>[])[]

/** A change that was decided: what D1 is asked to write, and what memory does before and after. */
export interface Change<T> {
  /** What is changed: a command that finds any of it under way can wait for it. */
  readonly subjectIds: readonly string[]
  readonly statements: readonly Statement[]
  /** What is remembered of it, written in its own batch. */
  readonly events: NotedEvents
  /** What it gives back of the doctor's time: those who wait for it get it first. */
  readonly frees?: Freed
  /** Holds that end with it, and how: where one was an offer, the waiting list hears of it. */
  readonly endsHolds?: { readonly holds: readonly Hold[]; readonly outcome: HoldOutcome }
  /** Before D1 is asked, in the turn that decided: for what takes. */
  take?(): void
  /** After D1 said no: undoes `take`. */
  giveBack?(): void
  /** What is answered after D1 said yes; `rows` are those of the statements. */
  answer(rows: Rows): T
  /** After D1 said yes, unless the calendar has been loaded anew meanwhile and knows it already. */
  keep(answer: T): void
}

export type Decision<T> =
  | { readonly kind: 'answer'; readonly outcome: Outcome<T> }
  | { readonly kind: 'change'; readonly change: Change<T> }
  /** Earlier commands on these subjects must be settled before this can be decided. */
  | { readonly kind: 'wait'; readonly subjectIds: readonly string[] }

export interface Command<T, Read = undefined> {
  /** What must be read before the turn that decides. */
  read?(calendar: Calendar): Promise<Read>
  decide(calendar: Calendar, nowMs: number, read: Read): Decision<T>
  /** What is answered where the outcome was unknown and a fresh load has shown that it happened. */
  happened(calendar: Calendar): T | Promise<T>
  /** What a refusal of D1 means, where it is not that the session has ended. */
  refusedBy?(refusal: Refusal): Outcome<T> | Promise<Outcome<T>>
}

export const change = <T>(what: Change<T>): Decision<T> => ({ kind: 'change', change: what })
export const answer = <T>(outcome: Outcome<T>): Decision<T> => ({ kind: 'answer', outcome })
/** Waits for those of the subjects that are under way, or undefined where none is. */
export function waitFor(keeper: CalendarKeeper, subjectIds: readonly string[]): Decision<never> | undefined {
  const underWay = keeper.underWay(subjectIds)
  return underWay.length === 0 ? undefined : { kind: 'wait', subjectIds: underWay }
}

/** Runs a command to its outcome. Throws `Unavailable` where the calendar cannot be loaded. */
export async function changeCalendar<T, Read = undefined>(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: Command<T, Read>,
): Promise<Outcome<T>> {
  let waits = 0
  const freed = new FreedTime(keeper, context.database)
  for (let decisions = 0; decisions < MAX_DECISIONS && waits < MAX_WAITS; ) {
    const calendar = await keeper.ready(context.database)
    if (calendar === undefined) return refused('doctor-not-found')
    const read = (command.read === undefined ? undefined : await inTime(command.read(calendar))) as Read
    if (!keeper.isCurrent(calendar)) {
      decisions += 1
      continue
    }

    const nowMs = calendar.advance(context.nowMs())
    const decision = command.decide(calendar, nowMs, read)
    if (decision.kind === 'answer') return decision.outcome
    const next = decision.kind === 'wait' ? decision : freed.take(calendar, decision.change, nowMs)
    if (next.kind === 'wait') {
      waits += 1
      await keeper.settled(next.subjectIds)
    } else if (next.kind === 'read') {
      await next.read()
    } else {
      decisions += 1
      const carried = carryOut(keeper, context, calendar, command, next.change)
      const outcome = await keeper.track(next.change.subjectIds, carried)
      if (outcome === 'offer-refused') freed.refused()
      else if (outcome !== 'decide-anew') return outcome
    }
  }
  return refused(waits < MAX_WAITS ? 'unavailable' : 'overloaded')
}

/** Asks D1 for what was decided and taken. */
async function carryOut<T, Read>(
  keeper: CalendarKeeper,
  { database, actor }: CommandContext,
  calendar: Calendar,
  command: Command<T, Read>,
  decided: Taken<T>,
): Promise<Outcome<T> | 'decide-anew' | 'offer-refused'> {
  const eventId = newId('evt')
  const statements = [...decided.statements, ...insertEvents(decided.events, eventId)]
  const commit = await keeper.commit(database, calendar, actor, statements)
  switch (commit.kind) {
    case 'done': {
      const value = decided.answer(commit.rows)
      if (keeper.isCurrent(calendar)) {
        decided.keep(value)
        keeper.changed(calendar)
      }
      return done(value, { version: commit.version })
    }
    case 'refused':
      decided.giveBack?.()
      keeper.changed(calendar)
      if (commit.refusal === 'session-ended') return refused('session-ended')
      // It may be the command's own patient as well: decided without offers, D1 tells.
      if (commit.refusal === 'patient-busy' && decided.offers.length > 0) return 'offer-refused'
      if (command.refusedBy !== undefined) return inTime(Promise.resolve(command.refusedBy(commit.refusal)))
      throw new Error(`Nothing in this command can be refused by ${commit.refusal}`)
    case 'stale':
      return 'decide-anew'
    case 'unknown': {
      const fresh = await keeper.ready(database)
      const written = fresh !== undefined && (await inTime(isWritten(database, eventId)))
      if (!written) return refused('unavailable')
      return done(await inTime(Promise.resolve(command.happened(fresh))), { version: fresh.version })
    }
  }
}

async function isWritten(database: Database, eventId: string): Promise<boolean> {
  const [found] = await database.run([statement('SELECT 1 FROM event WHERE id = ?', eventId)])
  return found?.results.length === 1
}
