/** Rate-limit buckets, one number a patient: in memory, and in the object's own SQLite to survive eviction. */
import type { RateState } from './answer'
import { attempt, type RateLimit } from './core/rate-limit'
import { MINUTE_MS } from './core/time'

/** Book, hold and reschedule, per patient and doctor. */
export const BOOKING_LIMIT: RateLimit = { attempts: 10, windowMs: MINUTE_MS }

/** Buckets in memory before those that are full again are dropped; they all are within a minute. */
const MAX_BUCKETS = 1000

export class Attempts {
  #fullAt: Map<string, number> | undefined
  #dropAbove = MAX_BUCKETS

  constructor(private readonly sql: SqlStorage) {}

  /** Counts an attempt of this patient at `nowMs`; a refused one costs nothing more. */
  count(patientId: string, nowMs: number): { allowed: boolean; rate: RateState } {
    const fullAt = this.#buckets(nowMs)
    const decision = attempt(BOOKING_LIMIT, fullAt.get(patientId), nowMs)
    if (decision.allowed) {
      const fullAtMs = Math.ceil(decision.fullAtMs)
      fullAt.set(patientId, fullAtMs)
      this.#write(patientId, fullAtMs)
    }
    const retryAfterSeconds = Math.ceil(decision.retryAfterMs / 1000)
    return { allowed: decision.allowed, rate: { remaining: decision.remaining, retryAfterSeconds } }
  }

  #write(patientId: string, fullAtMs: number): void {
    this.sql.exec(
      'INSERT INTO bucket (patient_id, full_at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET full_at = ?2',
      patientId,
      fullAtMs,
    )
  }

  /** Read with the first attempt, not with the object: that of an unknown doctor writes nothing. */
  #buckets(nowMs: number): Map<string, number> {
    if (this.#fullAt === undefined) {
      this.sql.exec(
        'CREATE TABLE IF NOT EXISTS bucket (patient_id TEXT PRIMARY KEY, full_at INTEGER NOT NULL) STRICT',
      )
      // Full buckets say nothing.
      this.sql.exec('DELETE FROM bucket WHERE full_at <= ?', nowMs)
      const rows = this.sql.exec<{ patient_id: string; full_at: number }>('SELECT * FROM bucket')
      this.#fullAt = new Map([...rows].map((row) => [row.patient_id, row.full_at]))
    }
    if (this.#fullAt.size > this.#dropAbove) this.#drop(this.#fullAt, nowMs)
    return this.#fullAt
  }

  #drop(fullAt: Map<string, number>, nowMs: number): void {
    for (const [patientId, fullAtMs] of fullAt) if (fullAtMs <= nowMs) fullAt.delete(patientId)
    // Twice what is left, so that going through them costs each attempt little, however many there are.
    this.#dropAbove = Math.max(MAX_BUCKETS, 2 * fullAt.size)
  }
}
