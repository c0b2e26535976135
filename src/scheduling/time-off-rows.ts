/** What D1 is asked to write and to answer of time off. */
import { type Statement, statement } from '#db/database'
import type { KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import type { NamedAppointment } from './appointment-rows'
import type { Appointment } from './core/appointment'
import type { TimeOff } from './core/schedule'

/** What taking time off answers, the first time and every time it is asked again with the same key. */
export interface TakenTimeOff extends TimeOff {
  readonly createdAt: number
  /** The appointments in it that are not over, by start, as they are now. */
  readonly affected: readonly NamedAppointment[]
  /** The version of the calendar that has it: what a listing may ask for at least. */
  readonly calendarVersion: number
}

/** Time off as it is decided, before D1 has named anybody. */
export interface DecidedTimeOff {
  readonly doctorId: string
  readonly timeOff: TimeOff & Pick<TakenTimeOff, 'createdAt'>
  readonly affected: readonly Appointment[]
}

/** The longest row of D1, in bytes, with a margin for what an answer says beside its appointments. */
const MAX_ANSWER_BYTES = 1_900_000
/** What the names of its parties add to an appointment at most: two of 100 characters, and their members. */
const NAMES_BYTES = 700

/** Whether D1 can keep the answer that has all these. */
export const fitsAnswer = (affected: readonly Appointment[]): boolean =>
  new TextEncoder().encode(JSON.stringify(affected)).length + affected.length * NAMES_BYTES <=
  MAX_ANSWER_BYTES

export const insertTimeOff = ({ doctorId, timeOff }: DecidedTimeOff): Statement =>
  statement(
    'INSERT INTO time_off (id, doctor_id, start_ms, end_ms, reason, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    timeOff.id,
    doctorId,
    timeOff.startMs,
    timeOff.endMs,
    timeOff.reason,
    timeOff.createdAt,
  )

/** What is answered: the time off with what only D1 knows, the names of all it affects and the version. */
const ANSWER = `json_set(?1, '$.affected', json((
    SELECT json_group_array(
      json_set(value, '$.doctorName', d.full_name, '$.patientName', p.full_name) ORDER BY key)
    FROM json_each(?2) JOIN user AS d ON d.id = value ->> 'doctorId' JOIN user AS p ON p.id = value ->> 'patientId'
  )), '$.calendarVersion', (SELECT version FROM calendar WHERE doctor_id = ?3))`

const answerParams = ({ doctorId, timeOff, affected }: DecidedTimeOff): string[] => [
  JSON.stringify(timeOff),
  JSON.stringify(affected),
  doctorId,
]

/** Its one row has the `answer`, as JSON; with a key, it is kept under it. */
export const answerTimeOff = (
  actor: Actor,
  key: KeyedRequest | undefined,
  decided: DecidedTimeOff,
): Statement =>
  key === undefined
    ? statement(`SELECT ${ANSWER} AS answer`, ...answerParams(decided))
    : statement(
        `INSERT OR REPLACE INTO idempotency (answer, doctor_id, user_id, key, route, body_hash, created_at)
         SELECT ${ANSWER}, ?3, ?4, ?5, ?6, ?7, ?8 RETURNING answer`,
        ...answerParams(decided),
        actor.userId,
        key.key,
        key.route,
        key.bodyHash,
        decided.timeOff.createdAt,
      )

/** The same once it is written: the very answer that is kept, where there is a key. */
export const selectTimeOffAnswer = (
  actor: Actor,
  key: KeyedRequest | undefined,
  decided: DecidedTimeOff,
): Statement =>
  key === undefined
    ? answerTimeOff(actor, key, decided)
    : statement('SELECT answer FROM idempotency WHERE user_id = ? AND key = ?', actor.userId, key.key)

/** The answer in such a row. */
export const takenFrom = (row: Record<string, unknown> | undefined): TakenTimeOff =>
  JSON.parse(String(row?.answer)) as TakenTimeOff
