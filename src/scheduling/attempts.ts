/**
 * Rate-limit buckets, one number a patient: in memory, and in the object's own SQLite to survive eviction. The
 * attempts of one moment are written together: a write of each would cost more than deciding it, and hold its
 * answer until the disk has it.
 */
import type { RateState } from './answer'
import { attempt, type RateLimit } from './core/rate-limit'
import { MINUTE_MS } from './core/time'

/** Book, hold and reschedule, per patient and doctor. */
export const BOOKING_LIMIT: RateLimit = { attempts: 10, windowMs: MINUTE_MS }

/** Milliseconds until attempts are written: what a crash may forget. An object sleeps only after seconds. */
const WRITTEN_WITHIN_MS = 10

/** Buckets in memory before those that are full again are dropped; they all are within a minute. */
const MAX_BUCKETS = 1000

export class Attempts {
  #fullAt: Map<string, number> | undefined
  #dropAbove = MAX_BUCKETS
  /** Patients whose bucket is not written yet. */
  readonly #unwritten = new Set<string>()

  constructor(private readonly sql: SqlStorage) {}

  /** Counts an attempt of this patient at `nowMs`; a refused one costs nothing more. */
  count(patientId: string, nowMs: number): { allowed: boolean; rate: RateState } {
    const fullAt = this.#buckets(nowMs)
    const decision = attempt(BOOKING_LIMIT, fullAt.get(patientId), nowMs)
    if (decision.allowed) {
      fullAt.set(patientId, Math.ceil(decision.fullAtMs))
      this.#writeSoon(patientId, fullAt)
    }
    const retryAfterSeconds = Math.ceil(decision.retryAfterMs / 1000)
    return { allowed: decision.allowed, rate: { remaining: decision.remaining, retryAfterSeconds } }
  }

  #writeSoon(patientId: string, fullAt: ReadonlyMap<string, number>): void {
    if (this.#unwritten.size === 0) setTimeout(() => this.#write(fullAt), WRITTEN_WITHIN_MS)
    this.#unwritten.add(patientId)
  }

  #write(fullAt: ReadonlyMap<string, number>): void {
    // One that was dropped meanwhile is full again, and says nothing.
    const buckets = [...this.#unwritten].map((patientId) => [patientId, fullAt.get(patientId) ?? 0])
    this.#unwritten.clear()
    this.sql.exec(
      `INSERT INTO bucket (patient_id, full_at) SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
       ON CONFLICT DO UPDATE SET full_at = excluded.full_at`,
      JSON.stringify(buckets),
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
