/**
 * The one way in which a calendar changes. Every command is a `decide` over the calendar in memory; this
 * carries out what it decides:
 *
 *   ready → advance → decide → take (one turn, no await in it) → one D1 batch → keep, or give back
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
  for (let decisions = 0; decisions < MAX_DECISIONS && waits < MAX_WAITS; ) {
    const calendar = await keeper.ready(context.database)
    if (calendar === undefined) return refused('doctor-not-found')
    const read = (command.read === undefined ? undefined : await command.read(calendar)) as Read
    if (!keeper.isCurrent(calendar)) {
      decisions += 1
      continue
    }

    const decision = command.decide(calendar, calendar.advance(context.nowMs()), read)
    if (decision.kind === 'answer') return decision.outcome
    if (decision.kind === 'wait') {
      waits += 1
      await keeper.settled(decision.subjectIds)
      continue
    }
    decisions += 1
    decision.change.take?.()
    const carried = carryOut(keeper, context, calendar, command, decision.change)
    const outcome = await keeper.track(decision.change.subjectIds, carried)
    if (outcome !== 'decide-anew') return outcome
  }
  return refused('unavailable')
}

/** Asks D1 for what was decided and taken. */
async function carryOut<T, Read>(
  keeper: CalendarKeeper,
  { database, actor }: CommandContext,
  calendar: Calendar,
  command: Command<T, Read>,
  decided: Change<T>,
): Promise<Outcome<T> | 'decide-anew'> {
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
      if (command.refusedBy !== undefined) return command.refusedBy(commit.refusal)
      throw new Error(`Nothing in this command can be refused by ${commit.refusal}`)
    case 'stale':
      return 'decide-anew'
    case 'unknown': {
      const fresh = await keeper.ready(database)
      if (fresh === undefined || !(await isWritten(database, eventId))) return refused('unavailable')
      return done(await command.happened(fresh), { version: fresh.version })
    }
  }
}

async function isWritten(database: Database, eventId: string): Promise<boolean> {
  const [found] = await database.run([statement('SELECT 1 FROM event WHERE id = ?', eventId)])
  return found?.results.length === 1
}
