/**
 * Time off takes its range first, waits for what is in flight there, and then writes itself with all that it
 * ends, in one batch. Withdrawing it gives the range back.
 */
import { type Statement, statement } from '#db/database'
import type { NotedEvent } from '#db/event'
import { insertIdempotencyKey, type KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import { type NamedAppointment, namedFrom, selectNamed, updateStatuses } from './appointment-rows'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type Change, type CommandContext, change, changeCalendar, waitFor } from './change-calendar'
import { type Appointment, decide } from './core/appointment'
import type { Calendar } from './core/calendar'
import type { Hold } from './core/hold'
import type { TimeOff } from './core/schedule'
import { endAnyHolds, holdEvent } from './hold-rows'

/** How many times off that have not ended a doctor may have. */
export const MAX_TIME_OFF = 200

export type OnConflict = 'keep' | 'cancel'

export interface TakeTimeOffCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly timeOff: TimeOff
  readonly onConflict: OnConflict
}

export interface TakenTimeOff extends TimeOff {
  /** The appointments in it, as they are now. */
  readonly affected: readonly NamedAppointment[]
}

export async function takeTimeOff(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: TakeTimeOffCommand,
): Promise<Outcome<TakenTimeOff>> {
  let changed: readonly Appointment[] = []
  const outcome = await changeCalendar<TakenTimeOff>(keeper, context, {
    decide(calendar, nowMs) {
      const { timeOff } = command
      if (timeOff.endMs <= nowMs) return answer(refused('time-off-in-past'))
      const current = calendar.hours.timeOff.filter(({ id, endMs }) => endMs > nowMs && id !== timeOff.id)
      if (current.length >= MAX_TIME_OFF) return answer(refused('too-much-time-off'))
      // From here on nothing new lands in the range; what is on its way there decides itself first.
      calendar.hours.takeTimeOff(timeOff)
      const inside = calendar.activeOverlapping(timeOff)
      const holds = calendar.holdsOverlapping(timeOff)
      const wait = waitFor(
        keeper,
        [...inside, ...holds].map(({ id }) => id),
      )
      if (wait !== undefined) return wait
      const conflict = conflictOf(inside, command, nowMs)
      changed = conflict.affected
      return change(takingTimeOff(keeper, calendar, command, { ...conflict, holds }, nowMs))
    },
    async happened() {
      const [named] = await context.database.run([selectNamed(changed)])
      return { ...command.timeOff, affected: namedFrom(named?.results) }
    },
    refusedBy(refusal) {
      if (refusal === 'idempotency-key-used') return refused('idempotency-key-reused')
      throw new Error(`Time off cannot be refused by ${refusal}`)
    },
  })
  // Its range was taken before D1 was asked, and D1 may never have been.
  if (!outcome.ok) keeper.inMemory?.hours.withdrawTimeOff(command.timeOff.id)
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

function takingTimeOff(
  keeper: CalendarKeeper,
  calendar: Calendar,
  { actor, key, timeOff, onConflict }: TakeTimeOffCommand,
  { affected, cancelled, holds }: Conflict & { readonly holds: readonly Hold[] },
  nowMs: number,
): Change<TakenTimeOff> {
  const { doctorId } = keeper
  const before: Statement[] = [
    insertTimeOff(doctorId, timeOff, nowMs),
    ...endAnyHolds(holds, 'time-off', nowMs),
    ...(cancelled.length === 0 ? [] : [updateStatuses(cancelled)]),
  ]
  return {
    subjectIds: [timeOff.id, ...[...affected, ...holds].map(({ id }) => id)],
    statements: [
      ...before,
      selectNamed(affected),
      ...(key === undefined ? [] : [keepAnswer(actor, key, timeOff, affected, doctorId, nowMs)]),
    ],
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
      const taken = { ...timeOff, affected: namedFrom(rows[before.length]) }
      if (key !== undefined) keeper.remember(actor, key, JSON.stringify(taken), nowMs)
      return taken
    },
    keep() {
      for (const appointment of cancelled) calendar.put(appointment)
      for (const { id } of holds) calendar.removeHold(id)
    },
  }
}

const insertTimeOff = (doctorId: string, timeOff: TimeOff, nowMs: number): Statement =>
  statement(
    'INSERT INTO time_off (id, doctor_id, start_ms, end_ms, reason, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    timeOff.id,
    doctorId,
    timeOff.startMs,
    timeOff.endMs,
    timeOff.reason,
    nowMs,
  )

/** The first answer, names and all, which only D1 knows while the batch is on its way. */
function keepAnswer(
  actor: Actor,
  key: KeyedRequest,
  timeOff: TimeOff,
  affected: readonly Appointment[],
  doctorId: string,
  nowMs: number,
): Statement {
  const named = selectNamed(affected)
  const kept = insertIdempotencyKey(actor, key, timeOff, nowMs, doctorId)
  const [userId, name, route, bodyHash, answered, ...others] = kept.params
  return statement(
    `INSERT OR REPLACE INTO idempotency (user_id, key, route, body_hash, answer, doctor_id, created_at)
     SELECT ?2, ?3, ?4, ?5, json_set(?6, '$.affected', (SELECT json_group_array(json(answer)) FROM (${named.sql.replace('?', '?1')}))), ?7, ?8`,
    ...named.params,
    userId,
    name,
    route,
    bodyHash,
    answered,
    ...others,
  )
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
      const timeOff = calendar.hours.timeOff.find(({ id }) => id === timeOffId)
      if (timeOff === undefined) return answer(refused('not-found'))
      const { doctorId } = keeper
      return change({
        subjectIds: [timeOffId],
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
