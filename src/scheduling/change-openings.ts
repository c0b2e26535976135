/** Dated openings beside the rules: adding one gives time, removing one takes it, and moving one does both. */
import { statement } from '#db/database'
import type { NewEvent } from '#db/event'
import { insertIdempotencyKey, type KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar } from './change-calendar'
import type { Calendar } from './core/calendar'
import { type Interval, overlaps } from './core/interval'
import type { Opening } from './core/schedule'
import { MAX_OPENING_MS } from './load-calendar'

/** How many openings that have not ended a doctor may have. */
export const MAX_OPENINGS = 500

export interface AddOpeningCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly opening: Opening
}

export const addOpening = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, key, opening }: AddOpeningCommand,
): Promise<Outcome<Opening>> =>
  changeCalendar<Opening>(keeper, context, {
    decide(calendar, nowMs) {
      if (opening.startMs <= nowMs) return answer(refused('opening-in-past'))
      if (calendar.hours.openings.filter(({ endMs }) => endMs > nowMs).length >= MAX_OPENINGS) {
        return answer(refused('too-many-openings'))
      }
      if (calendar.hours.offersAny(opening)) return answer(refused('opening-overlaps'))
      const statements = [
        statement(
          'INSERT INTO opening (id, doctor_id, start_ms, end_ms, version, created_at) VALUES (?, ?, ?, ?, 1, ?)',
          opening.id,
          keeper.doctorId,
          opening.startMs,
          opening.endMs,
          nowMs,
        ),
      ]
      if (key !== undefined)
        statements.push(insertIdempotencyKey(actor, key, opening, nowMs, keeper.doctorId))
      return change({
        subjectIds: [opening.id],
        statements,
        events: [openingEvent('opening.added', keeper.doctorId, actor, opening, nowMs)],
        answer() {
          if (key !== undefined) keeper.remember(actor, key, JSON.stringify(opening), nowMs)
          return opening
        },
        keep: () => calendar.hours.setOpenings([...calendar.hours.openings, opening]),
      })
    },
    happened: () => opening,
    refusedBy: (refusal) => {
      if (refusal === 'idempotency-key-used') return refused('idempotency-key-reused')
      throw new Error(`Adding an opening cannot be refused by ${refusal}`)
    },
  })

export interface EditOpeningCommand {
  readonly actor: Actor
  readonly openingId: string
  /** Ends that stay are undefined. */
  readonly startMs: number | undefined
  readonly endMs: number | undefined
  /** The versions that the caller's If-Match names; undefined where any will do. */
  readonly versions: readonly number[] | undefined
}

/** While the change is on its way neither the old nor the new time is offered by it. */
export const editOpening = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, openingId, startMs, endMs, versions }: EditOpeningCommand,
): Promise<Outcome<Opening>> => {
  let edited: Opening | undefined
  return changeCalendar<Opening>(keeper, context, {
    decide(calendar, nowMs) {
      const opening = openingOf(calendar, openingId, nowMs)
      if (opening === undefined) return answer(refused('not-found'))
      if (versions !== undefined && !versions.includes(opening.version))
        return answer(refused('precondition-failed'))
      if (isTaken(calendar, opening)) return answer(refused('opening-booked'))
      const next: Opening = {
        ...opening,
        startMs: startMs ?? opening.startMs,
        endMs: endMs ?? opening.endMs,
        version: opening.version + 1,
      }
      if (next.startMs <= nowMs) return answer(refused('opening-in-past'))
      if (next.endMs <= next.startMs || next.endMs - next.startMs > MAX_OPENING_MS)
        return answer(refused('opening-length'))
      if (calendar.hours.offersAny(next, openingId)) return answer(refused('opening-overlaps'))
      edited = next
      const others = () => calendar.hours.openings.filter(({ id }) => id !== openingId)
      return change({
        subjectIds: [openingId],
        statements: [
          statement(
            'UPDATE opening SET start_ms = ?, end_ms = ?, version = ? WHERE id = ?',
            next.startMs,
            next.endMs,
            next.version,
            openingId,
          ),
        ],
        events: [openingEvent('opening.changed', keeper.doctorId, actor, next, nowMs)],
        take: () => calendar.hours.setOpenings(others()),
        giveBack: () => calendar.hours.setOpenings([...others(), opening]),
        answer: () => next,
        keep: () => calendar.hours.setOpenings([...others(), next]),
      })
    },
    happened() {
      if (edited === undefined) throw new Error('What happened was decided before')
      return edited
    },
  })
}

export interface RemoveOpeningCommand {
  readonly actor: Actor
  readonly openingId: string
}

export const removeOpening = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, openingId }: RemoveOpeningCommand,
): Promise<Outcome<null>> =>
  changeCalendar<null>(keeper, context, {
    decide(calendar, nowMs) {
      const opening = openingOf(calendar, openingId, nowMs)
      if (opening === undefined) return answer(refused('not-found'))
      if (isTaken(calendar, opening)) return answer(refused('opening-booked'))
      const others = () => calendar.hours.openings.filter(({ id }) => id !== openingId)
      return change({
        subjectIds: [openingId],
        statements: [statement('DELETE FROM opening WHERE id = ?', openingId)],
        events: [openingEvent('opening.removed', keeper.doctorId, actor, opening, nowMs)],
        take: () => calendar.hours.setOpenings(others()),
        giveBack: () => calendar.hours.setOpenings([...others(), opening]),
        answer: () => null,
        keep: () => undefined,
      })
    },
    happened: () => null,
  })

/** The opening of this id. One that has ended is history, in memory or not. */
const openingOf = (calendar: Calendar, openingId: string, nowMs: number): Opening | undefined =>
  calendar.hours.openings.find(({ id, endMs }) => id === openingId && endMs > nowMs)

/** Whether somebody has booked in the interval, or holds a slot of it. */
const isTaken = (calendar: Calendar, interval: Interval): boolean =>
  calendar.activeOverlapping(interval).length > 0 ||
  calendar.holdsOverlapping(interval).some((hold) => overlaps(hold, interval))

const openingEvent = (
  type: 'opening.added' | 'opening.changed' | 'opening.removed',
  doctorId: string,
  actor: Actor,
  opening: Opening,
  atMs: number,
): NewEvent => ({
  type,
  actorId: actor.userId,
  subjectId: opening.id,
  atMs,
  data: { doctorId, startMs: opening.startMs, endMs: opening.endMs },
})
