/**
 * Time off takes its range first, waits for what is in flight there, and then writes itself with all that it
 * ends, in one batch. Withdrawing it gives the range back.
 */
import { type Statement, statement } from '#db/database'
import type { NotedEvent } from '#db/event'
import type { KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import { updateStatuses } from './appointment-rows'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type Change, type CommandContext, change, changeCalendar, waitFor } from './change-calendar'
import { type Appointment, decide } from './core/appointment'
import type { Calendar } from './core/calendar'
import type { Hold } from './core/hold'
import { overlaps } from './core/interval'
import { freedBy } from './core/offers'
import type { TimeOff } from './core/schedule'
import { endAnyHolds, holdEvent } from './hold-rows'
import {
  answerTimeOff,
  type DecidedTimeOff,
  fitsAnswer,
  insertTimeOff,
  selectTimeOffAnswer,
  type TakenTimeOff,
  takenFrom,
} from './time-off-rows'

/** How many times off that have not ended a doctor may have. */
export const MAX_TIME_OFF = 200

/** What is told where one answer cannot carry all the appointments; how many it can depends on their words. */
const TOO_MANY_AFFECTED = 'There are too many appointments in it for one answer: take it in parts'

export type OnConflict = 'keep' | 'cancel'

export interface TakeTimeOffCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly timeOff: TimeOff
  readonly onConflict: OnConflict
}

export async function takeTimeOff(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: TakeTimeOffCommand,
): Promise<Outcome<TakenTimeOff>> {
  const { actor, key, timeOff } = command
  let decided: DecidedTimeOff | undefined
  const outcome = await changeCalendar<TakenTimeOff>(keeper, context, {
    decide(calendar, nowMs) {
      if (timeOff.endMs <= nowMs) return answer(refused('time-off-in-past'))
      const current = calendar.hours.timeOff.filter(({ id, endMs }) => endMs > nowMs && id !== timeOff.id)
      if (current.length >= MAX_TIME_OFF) return answer(refused('too-much-time-off'))
      // From here on nothing new lands in the range; what is on its way there decides itself first.
      calendar.hours.takeTimeOff(timeOff)
      // What is over already, nobody takes off any more.
      const ahead = { startMs: Math.max(timeOff.startMs, nowMs), endMs: timeOff.endMs }
      const inside = calendar.activeOverlapping(ahead)
      const holds = calendar.holdsOverlapping(ahead).filter((hold) => overlaps(hold, ahead))
      const wait = waitFor(
        keeper,
        [...inside, ...holds].map(({ id }) => id),
      )
      if (wait !== undefined) return wait
      const { affected, cancelled } = conflictOf(inside, command, nowMs)
      if (!fitsAnswer(affected)) return answer(refused('range-too-long', { detail: TOO_MANY_AFFECTED }))
      decided = { doctorId: keeper.doctorId, timeOff: { ...timeOff, createdAt: nowMs }, affected }
      return change(takingTimeOff(keeper, calendar, command, { decided, cancelled, holds }))
    },
    async happened() {
      if (decided === undefined) throw new Error('What happened was decided before')
      const [read] = await context.database.run([selectTimeOffAnswer(actor, key, decided)])
      return takenFrom(read?.results[0])
    },
    refusedBy(refusal) {
      if (refusal === 'idempotency-key-used') return refused('idempotency-key-reused')
      throw new Error(`Time off cannot be refused by ${refusal}`)
    },
  })
  // Its range was taken before D1 was asked, and D1 may never have been.
  const calendar = keeper.inMemory
  if (!outcome.ok && calendar !== undefined) {
    calendar.hours.withdrawTimeOff(timeOff.id)
    keeper.changed(calendar)
  }
  return outcome
}

interface Conflict {
  /** All that the time off overlaps, as they are after it. */
  readonly affected: readonly Appointment[]
  readonly cancelled: readonly Appointment[]
}

/** What becomes of the appointments in the range: they stay, or those that can be are cancelled. */
function conflictOf(
  inside: readonly Appointment[],
  { onConflict, timeOff }: TakeTimeOffCommand,
  nowMs: number,
): Conflict {
  if (onConflict === 'keep') return { affected: inside, cancelled: [] }
  const cancelled = new Map<string, Appointment>()
  for (const appointment of inside) {
    const decision = decide(appointment, { action: 'cancel', reason: timeOff.reason }, 'doctor', nowMs)
    if (decision.kind === 'change') cancelled.set(appointment.id, decision.appointment)
  }
  return {
    affected: inside.map((appointment) => cancelled.get(appointment.id) ?? appointment),
    cancelled: [...cancelled.values()],
  }
}

interface Taking {
  readonly decided: DecidedTimeOff
  readonly cancelled: readonly Appointment[]
  readonly holds: readonly Hold[]
}

function takingTimeOff(
  keeper: CalendarKeeper,
  calendar: Calendar,
  { actor, key, onConflict }: TakeTimeOffCommand,
  { decided, cancelled, holds }: Taking,
): Change<TakenTimeOff> {
  const { doctorId, timeOff, affected } = decided
  const nowMs = timeOff.createdAt
  const before: Statement[] = [
    insertTimeOff(decided),
    ...endAnyHolds(holds, 'time-off', nowMs),
    ...(cancelled.length === 0 ? [] : [updateStatuses(cancelled)]),
  ]
  return {
    subjectIds: [timeOff.id, ...[...affected, ...holds].map(({ id }) => id)],
    // What of them lies outside the time off.
    frees: freedBy(cancelled, holds),
    endsHolds: { holds, outcome: 'time-off' },
    statements: [...before, answerTimeOff(actor, key, decided)],
    events: [
      {
        type: 'time-off.taken',
        actorId: actor.userId,
        subjectId: timeOff.id,
        atMs: nowMs,
        data: { doctorId, startMs: timeOff.startMs, endMs: timeOff.endMs, onConflict },
      },
      ...cancelled.map((appointment) => cancelledEvent(actor, appointment, timeOff, nowMs)),
      ...holds.map((hold) => holdEvent('hold.withdrawn', actor.userId, hold, nowMs)),
    ],
    giveBack: () => calendar.hours.withdrawTimeOff(timeOff.id),
    answer(rows) {
      const row = rows[before.length]?.[0]
      if (key !== undefined) keeper.remember(actor, key, String(row?.answer), nowMs)
      return takenFrom(row)
    },
    keep() {
      for (const appointment of cancelled) calendar.put(appointment)
      for (const { id } of holds) calendar.removeHold(id)
    },
  }
}

const cancelledEvent = (
  { userId }: Actor,
  { id, doctorId, patientId }: Appointment,
  timeOff: TimeOff,
  atMs: number,
): NotedEvent => ({
  type: 'appointment.cancelled',
  actorId: userId,
  subjectId: id,
  atMs,
  data: { doctorId, patientId, by: 'doctor', timeOffId: timeOff.id },
  note: timeOff.reason,
})

export interface WithdrawTimeOffCommand {
  readonly actor: Actor
  readonly timeOffId: string
}

/** Gives the range back; what was cancelled in it stays cancelled. */
export const withdrawTimeOff = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, timeOffId }: WithdrawTimeOffCommand,
): Promise<Outcome<null>> =>
  changeCalendar<null>(keeper, context, {
    decide(calendar, nowMs) {
      const wait = waitFor(keeper, [timeOffId])
      if (wait !== undefined) return wait
      // One that has ended is history, in memory or not.
      const timeOff = calendar.hours.timeOff.find(({ id, endMs }) => id === timeOffId && endMs > nowMs)
      if (timeOff === undefined) return answer(refused('not-found'))
      const { doctorId } = keeper
      return change({
        subjectIds: [timeOffId],
        frees: { intervals: [{ ...timeOff, patientId: null }], leaving: [timeOffId] },
        statements: [statement('DELETE FROM time_off WHERE id = ?', timeOffId)],
        events: [
          {
            type: 'time-off.withdrawn',
            actorId: actor.userId,
            subjectId: timeOffId,
            atMs: nowMs,
            data: { doctorId, startMs: timeOff.startMs, endMs: timeOff.endMs },
          },
        ],
        answer: () => null,
        keep: () => calendar.hours.withdrawTimeOff(timeOffId),
      })
    },
    happened: () => null,
  })
