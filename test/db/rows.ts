/** Rows written past the object, straight to D1, and what D1 says to them. */
import { env } from 'cloudflare:workers'
import { openDatabase, type Statement, statement } from '#db/database'
import { newId } from '#db/id'
import { refusalOf } from '#db/refusal'
import { insertHold } from '#scheduling/hold-rows'
import type { SeededUser } from '../support/accounts'

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** Runs the statements as one batch: 'done', the name of the refusal, or D1's own words. */
export async function write(...statements: Statement[]): Promise<string> {
  try {
    await openDatabase(env.DB, 'first-primary').run(statements)
    return 'done'
  } catch (error) {
    return refusalOf(error) ?? String(error)
  }
}

export const sql = (text: string, ...params: unknown[]): Promise<string> => write(statement(text, ...params))

/** All rows of a query. */
export async function rows(text: string, ...params: unknown[]): Promise<Record<string, unknown>[]> {
  const { results } = await env.DB.prepare(text)
    .bind(...params)
    .all<Record<string, unknown>>()
  return results
}

/** An appointment in minutes from `originMs`: sold from `start` to `end`, with buffers around it. */
export interface Visit {
  readonly id?: string
  readonly doctor: SeededUser
  /** A patient, or the id of anybody. */
  readonly patient: { readonly userId: string }
  readonly originMs: number
  readonly start: number
  readonly end: number
  readonly before?: number
  readonly after?: number
  readonly status?: string
  /** When it is written, in epoch ms; 0 unless said otherwise. */
  readonly atMs?: number
}

const COLUMNS = `id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms, blocked_end_ms,
  status, mode, cancellable_until_ms, version, created_at, updated_at`

export function insertVisit(visit: Visit): Statement {
  const { doctor, patient, originMs, start, end, before = 0, after = 0, status = 'confirmed' } = visit
  const at = (minute: number): number => originMs + minute * MINUTE_MS
  return statement(
    `INSERT INTO appointment (${COLUMNS})
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'in-person', ?5, 1, ?10, ?10)`,
    visit.id ?? newId('apt'),
    doctor.userId,
    patient.userId,
    doctor.visitTypeId,
    at(start),
    at(end),
    at(start - before),
    at(end + after),
    status,
    visit.atMs ?? 0,
  )
}

/** An update of an appointment that counts its version on, as every update must. */
export const updateVisit = (id: string, assignments: string, ...params: unknown[]): Statement =>
  statement(`UPDATE appointment SET version = version + 1, ${assignments} WHERE id = ?`, ...params, id)

/** A hold in minutes from `originMs`, which a patient asked for unless said otherwise. */
export interface Held extends Omit<Visit, 'status'> {
  readonly origin?: 'patient' | 'waitlist' | 'time-off'
  /** Minutes that it lives: five unless said otherwise. */
  readonly minutes?: number
}

export function insertHeld(held: Held): Statement {
  const { doctor, patient, originMs, start, end, before = 0, after = 0, atMs = 0, minutes = 5 } = held
  const at = (minute: number): number => originMs + minute * MINUTE_MS
  return insertHold({
    id: held.id ?? newId('hld'),
    doctorId: doctor.userId,
    patientId: patient.userId,
    visitTypeId: doctor.visitTypeId,
    startMs: at(start),
    endMs: at(end),
    blockedStartMs: at(start - before),
    blockedEndMs: at(end + after),
    origin: held.origin ?? 'patient',
    createdAt: atMs,
    expiresAt: atMs + minutes * MINUTE_MS,
  })
}
