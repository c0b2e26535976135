/** Rate-limit buckets, in the object's own SQLite so that they survive eviction: one number a patient. */
import type { RateState } from './answer'
import { attempt, type RateLimit } from './core/rate-limit'
import { MINUTE_MS } from './core/time'

/** Book, hold and reschedule, per patient and doctor. */
export const BOOKING_LIMIT: RateLimit = { attempts: 10, windowMs: MINUTE_MS }

export class Attempts {
  #ready = false

  constructor(private readonly sql: SqlStorage) {}

  /** Counts an attempt of this patient at `nowMs`; a refused one costs nothing more. */
  count(patientId: string, nowMs: number): { allowed: boolean; rate: RateState } {
    this.#prepare(nowMs)
    const [bucket] = this.sql
      .exec<{ full_at: number }>('SELECT full_at FROM bucket WHERE patient_id = ?', patientId)
      .toArray()
    const decision = attempt(BOOKING_LIMIT, bucket?.full_at, nowMs)
    if (decision.allowed) {
      this.sql.exec(
        'INSERT INTO bucket (patient_id, full_at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET full_at = ?2',
        patientId,
        Math.ceil(decision.fullAtMs),
      )
    }
    const retryAfterSeconds = Math.ceil(decision.retryAfterMs / 1000)
    return { allowed: decision.allowed, rate: { remaining: decision.remaining, retryAfterSeconds } }
  }

  /** With the first attempt, not with the object: that of an unknown doctor writes nothing. */
  #prepare(nowMs: number): void {
    if (this.#ready) return
    this.sql.exec(
      'CREATE TABLE IF NOT EXISTS bucket (patient_id TEXT PRIMARY KEY, full_at INTEGER NOT NULL) STRICT',
    )
    // Full buckets say nothing.
    this.sql.exec('DELETE FROM bucket WHERE full_at <= ?', nowMs)
    this.#ready = true
  }
}
