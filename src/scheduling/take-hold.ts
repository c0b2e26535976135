/** Holding a slot: it is the patient's for a while, and nobody else's, whatever becomes of the object. */
import { insertIdempotencyKey, type KeyedRequest } from '#db/idempotency'
import { refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import { done, type Outcome, refused } from './answer'
import { afterRefusal, refuse } from './book-appointment'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar, waitFor } from './change-calendar'
import { decideHold, type HoldRequest } from './core/booking'
import type { Hold } from './core/hold'
import { freedBy } from './core/offers'
import { endAnyHolds, holdEvent, insertHold } from './hold-rows'

export interface HoldCommand extends HoldRequest {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
}

export interface TakenHold {
  readonly hold: Hold
  /** False where the patient held this very slot already. */
  readonly isNew: boolean
}

export async function takeHold(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: HoldCommand,
): Promise<Outcome<TakenHold>> {
  const outcome = await holdSlot(keeper, context, command)
  if (!outcome.ok || outcome.replayed || outcome.value.isNew) return outcome
  return answerSame(keeper, context, command, outcome.value)
}

/** A success from memory alone uses the right and keeps the key like any other. */
async function answerSame(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: HoldCommand,
  same: TakenHold,
): Promise<Outcome<TakenHold>> {
  const { actor, key } = command
  const nowMs = context.nowMs()
  const kept = key === undefined ? [] : [insertIdempotencyKey(actor, key, same, nowMs, keeper.doctorId)]
  try {
    await context.database.run([useRight(actor, nowMs), ...kept])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    return refusal === 'session-ended' ? refused(refusal) : afterRefusal(context, command, refusal)
  }
  if (key !== undefined) keeper.remember(actor, key, JSON.stringify(same), nowMs)
  return done(same)
}

function holdSlot(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: HoldCommand,
): Promise<Outcome<TakenHold>> {
  let taken: TakenHold | undefined
  return changeCalendar<TakenHold>(keeper, context, {
    decide(calendar, nowMs) {
      const decision = decideHold(calendar, command, nowMs)
      if (decision.kind === 'refusal') {
        const { refusal } = decision
        const own = refusal.code === 'already-booked' ? [refusal.appointmentId] : []
        return waitFor(keeper, own) ?? answer(refuse(refusal))
      }
      const superseded = decision.kind === 'hold' ? decision.superseded : []
      const wait = waitFor(
        keeper,
        [decision.hold, ...superseded].map(({ id }) => id),
      )
      if (wait !== undefined) return wait
      if (decision.kind === 'same') return answer(done({ hold: decision.hold, isNew: false }))
      const { hold } = decision
      const answered: TakenHold = { hold, isNew: true }
      taken = answered
      const { actor, key } = command
      return change({
        subjectIds: [hold.id, ...superseded.map(({ id }) => id)],
        frees: freedBy([], superseded),
        endsHolds: { holds: superseded, outcome: 'superseded' },
        statements: [
          ...endAnyHolds(superseded, 'superseded', nowMs),
          insertHold(hold),
          ...(key === undefined ? [] : [insertIdempotencyKey(actor, key, answered, nowMs, keeper.doctorId)]),
        ],
        events: [
          holdEvent('hold.taken', actor.userId, hold, nowMs),
          ...superseded.map((earlier) => holdEvent('hold.superseded', actor.userId, earlier, nowMs)),
        ],
        take() {
          for (const { id } of superseded) calendar.passHold(id)
          calendar.putHold(hold)
        },
        giveBack() {
          calendar.removeHold(hold.id)
          for (const earlier of superseded) calendar.putHold(earlier)
        },
        answer() {
          if (key !== undefined) keeper.remember(actor, key, JSON.stringify(answered), nowMs)
          return answered
        },
        keep() {
          for (const { id } of superseded) calendar.removeHold(id)
        },
      })
    },
    happened() {
      if (taken === undefined) throw new Error('What happened was decided before')
      return taken
    },
    refusedBy: (refusal) => afterRefusal<TakenHold>(context, command, refusal),
  })
}

export interface ReleaseCommand {
  readonly actor: Actor
  readonly holdId: string
}

/** Giving a hold back before its time. One that has ended is nobody's to release, and nothing happens. */
export const releaseHold = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, holdId }: ReleaseCommand,
): Promise<Outcome<null>> =>
  changeCalendar<null>(keeper, context, {
    decide(calendar, nowMs) {
      const wait = waitFor(keeper, [holdId])
      if (wait !== undefined) return wait
      const hold = calendar.hold(holdId)
      if (hold === undefined || hold.patientId !== actor.userId) return answer(done(null))
      return change({
        subjectIds: [holdId],
        frees: freedBy([], [hold]),
        endsHolds: { holds: [hold], outcome: 'released' },
        statements: endAnyHolds([hold], 'released', nowMs),
        events: [holdEvent('hold.released', actor.userId, hold, nowMs)],
        answer: () => null,
        keep: () => calendar.removeHold(holdId),
      })
    },
    happened: () => null,
  })
