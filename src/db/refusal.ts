import { DatabaseFailure } from './database'

/** What D1 refuses by one of our triggers or constraints: a no. Every other failure is an unknown outcome. */
const REFUSALS = {
  'slot-taken': 'slot-taken:',
  'patient-busy': 'patient-busy:',
  'too-many-holds': 'too-many-holds:',
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

/** The depth of causes that is looked through; Drizzle wraps D1's error once. */
const MAX_CAUSES = 5

/**
 * The name of the trigger or constraint that refused a batch, or undefined when the failure bears no such
 * name. D1 gives no code: the name is in the message, below any number of wrapping errors.
 */
export function refusalOf(error: unknown): Refusal | undefined {
  let cause = error
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    const { message } = cause
    for (const [refusal, mark] of Object.entries(REFUSALS)) {
      if (message.includes(mark)) return refusal as Refusal
    }
    cause = cause.cause
  }
  return undefined
}

/** Whether D1 failed (out of reach, overloaded, reset): the caller may try again. */
export function isDatabaseFailure(error: unknown): boolean {
  let cause = error
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if (cause instanceof DatabaseFailure) return true
    cause = cause.cause
  }
  return false
}
