/**
 * The one way in which a calendar changes. Every command is a `decide` over the calendar in memory; this
 * carries out what it decides:
 *
 *   ready → advance → decide → take (one turn, no await in it) → one D1 batch → keep, or give back
 *
 * A batch that shows that memory was wrong is decided anew; one whose outcome is unknown is looked for in
 * what the next load shows.
 */
import type { Database, Statement } from '#db/database'
import type { Refusal } from '#db/refusal'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import type { Calendar } from './core/calendar'

/** How often a command is decided anew when D1 shows that memory was wrong. */
const MAX_DECISIONS = 4

/** What every command has: its own view of D1, the clock, and who acts (null: time alone). */
export interface CommandContext {
  readonly database: Database
  readonly actor: Actor | null
  nowMs(): number
}

type Rows = readonly (readonly Record<string, unknown>[])[]

/** A change that was decided: what D1 is asked to write, and what memory does before and after. */
export interface Change<T> {
  /** What is changed: a command that finds it under way can wait for it. */
  readonly subjectId: string
  readonly statements: readonly Statement[]
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
  /** Somebody's earlier command on this subject must be settled before this can be decided. */
  | { readonly kind: 'wait'; readonly subjectId: string }

export interface Command<T, Read = undefined> {
  /** What must be read before the turn that decides. */
  read?(calendar: Calendar): Promise<Read>
  decide(calendar: Calendar, nowMs: number, read: Read): Decision<T>
  /** After an unknown outcome: what a fresh load shows of it, or undefined if it never happened. */
  happened(calendar: Calendar): Promise<T | undefined>
  /** What a refusal of D1 means, where it is not that the session has ended. */
  refusedBy?(refusal: Refusal): Outcome<T> | Promise<Outcome<T>>
}

export const change = <T>(what: Change<T>): Decision<T> => ({ kind: 'change', change: what })
export const answer = <T>(outcome: Outcome<T>): Decision<T> => ({ kind: 'answer', outcome })

/** Runs a command to its outcome. Throws `Unavailable` where the calendar cannot be loaded. */
export async function changeCalendar<T, Read = undefined>(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: Command<T, Read>,
): Promise<Outcome<T>> {
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const calendar = await keeper.ready(context.database)
    if (calendar === undefined) return refused('doctor-not-found')
    const read = (command.read === undefined ? undefined : await command.read(calendar)) as Read
    if (!keeper.isCurrent(calendar)) continue

    const decision = command.decide(calendar, calendar.advance(context.nowMs()), read)
    if (decision.kind === 'answer') return decision.outcome
    if (decision.kind === 'wait') {
      await keeper.settled(decision.subjectId)
      continue
    }
    decision.change.take?.()
    const carried = carryOut(keeper, context, calendar, command, decision.change)
    const outcome = await keeper.track(decision.change.subjectId, carried)
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
  const commit = await keeper.commit(database, calendar, actor, decided.statements)
  switch (commit.kind) {
    case 'done': {
      const value = decided.answer(commit.rows)
      if (keeper.isCurrent(calendar)) {
        decided.keep(value)
        keeper.changed(calendar)
      }
      return done(value)
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
      const value = fresh === undefined ? undefined : await command.happened(fresh)
      return value === undefined ? refused('unavailable') : done(value)
    }
  }
}
