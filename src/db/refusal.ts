/** What a failed batch means: a no by one of our own names, a bug, or an outage. */
import { DatabaseFailure } from './database'

/** What D1 refuses by one of our triggers or constraints: a no. To a doctor's object all else is an unknown outcome. */
const REFUSALS = {
  'slot-taken': 'slot-taken:',
  'patient-busy': 'patient-busy:',
  'too-many-holds': 'too-many-holds:',
  'too-many-waiting': 'too-many-waiting:',
  'waitlist-full': 'waitlist-full:',
  'stale-version': 'stale-version:',
  'stale-calendar': 'CHECK constraint failed: stale-calendar',
  'session-ended': 'session-ended:',
  'idempotency-key-used': 'idempotency-key-used:',
  'refresh-token-reused': 'refresh-token-reused:',
  'event-append-only': 'event-append-only:',
  'email-taken': 'UNIQUE constraint failed: user.email',
  'mobile-taken': 'UNIQUE constraint failed: user.mobile',
  'setting-exists': 'UNIQUE constraint failed: setting.key',
  'specialty-exists': 'UNIQUE constraint failed: specialty.sort_name',
  'patient-not-found': 'patient-not-found:',
} as const

export type Refusal = keyof typeof REFUSALS

/** The depth of causes that is looked through: `DatabaseFailure` wraps D1's error, and others may wrap that. */
const MAX_CAUSES = 5

/** The error and what caused it, outermost first. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) {
    causes.push(cause)
  }
  return causes
}

/**
 * The name of the trigger or constraint that refused a batch, or undefined when the failure bears no such
 * name. D1 gives no code: the name is in the message, below any number of wrapping errors.
 */
export function refusalOf(error: unknown): Refusal | undefined {
  for (const { message } of causesOf(error)) {
    for (const [refusal, mark] of Object.entries(REFUSALS)) {
      if (message.includes(mark)) return refusal as Refusal
    }
  }
  return undefined
}

/** The failure of a batch that the error is or wraps, if there is one. */
export const failureOf = (error: unknown): DatabaseFailure | undefined =>
  causesOf(error).find((cause) => cause instanceof DatabaseFailure)

/** SQLite's own verdict on a statement: it arrived, it is wrong, and it would be wrong again. */
const VERDICT = /\bSQLITE_(CONSTRAINT|ERROR|MISMATCH|RANGE|TOOBIG)/

/** Whether D1 failed (out of reach, overloaded, reset): the caller may try again. A verdict of SQLite is a bug. */
export function isDatabaseFailure(error: unknown): boolean {
  const failure = failureOf(error)
  return failure !== undefined && !VERDICT.test(failure.message)
}
