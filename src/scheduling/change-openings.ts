/** Dated openings beside the rules: adding one gives time, removing one takes it. */
import { statement } from '#db/database'
import type { NewEvent } from '#db/event'
import { insertIdempotencyKey, type KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar } from './change-calendar'
import type { Opening } from './core/schedule'

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
      if (calendar.openings.filter(({ endMs }) => endMs > nowMs).length >= MAX_OPENINGS) {
        return answer(refused('too-many-openings'))
      }
      if (calendar.offersAny(opening)) return answer(refused('opening-overlaps'))
      const statements = [
        statement(
          'INSERT INTO opening (id, doctor_id, start_ms, end_ms, created_at) VALUES (?, ?, ?, ?, ?)',
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
        subjectId: opening.id,
        statements,
        event: openingEvent('opening.added', keeper.doctorId, actor, opening, nowMs),
        answer() {
          if (key !== undefined) keeper.remember(actor, key, JSON.stringify(opening), nowMs)
          return opening
        },
        keep: () => calendar.setOpenings([...calendar.openings, opening]),
      })
    },
    happened: () => opening,
    refusedBy: (refusal) => {
      if (refusal === 'idempotency-key-used') return refused('idempotency-key-reused')
      throw new Error(`Adding an opening cannot be refused by ${refusal}`)
    },
  })

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
      const opening = calendar.openings.find(({ id }) => id === openingId)
      if (opening === undefined) return answer(refused('not-found'))
      if (calendar.activeOverlapping(opening).length > 0) return answer(refused('opening-booked'))
      const without = () => calendar.openings.filter(({ id }) => id !== openingId)
      return change({
        subjectId: openingId,
        statements: [statement('DELETE FROM opening WHERE id = ?', openingId)],
        event: openingEvent('opening.removed', keeper.doctorId, actor, opening, nowMs),
        take: () => calendar.setOpenings(without()),
        giveBack: () => calendar.setOpenings([...without(), opening]),
        answer: () => null,
        keep: () => undefined,
      })
    },
    happened: () => null,
  })

const openingEvent = (
  type: 'opening.added' | 'opening.removed',
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
