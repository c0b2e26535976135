/** What D1 is asked to write of holds. */
import { type Statement, statement } from '#db/database'
import type { EventType, NewEvent } from '#db/event'
import type { Hold, HoldOutcome } from './core/hold'

export const insertHold = (hold: Hold): Statement =>
  statement(
    `INSERT INTO hold (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, origin, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    hold.id,
    hold.doctorId,
    hold.patientId,
    hold.visitTypeId,
    hold.startMs,
    hold.endMs,
    hold.blockedStartMs,
    hold.blockedEndMs,
    hold.origin,
    hold.createdAt,
    hold.expiresAt,
  )

/** The same of any number, in their order. */
export const insertHolds = (holds: readonly Hold[]): Statement =>
  statement(
    `INSERT INTO hold (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, origin, created_at, expires_at)
     SELECT value ->> 'id', value ->> 'doctorId', value ->> 'patientId', value ->> 'visitTypeId',
       value ->> 'startMs', value ->> 'endMs', value ->> 'blockedStartMs', value ->> 'blockedEndMs',
       value ->> 'origin', value ->> 'createdAt', value ->> 'expiresAt' FROM json_each(?) ORDER BY key`,
    JSON.stringify(holds),
  )

/** Ends the holds; one that has ended already raises `stale-version`. */
export const endHolds = (
  holds: readonly Pick<Hold, 'id'>[],
  outcome: HoldOutcome,
  nowMs: number,
): Statement =>
  statement(
    'UPDATE hold SET ended_at = ?, outcome = ? WHERE id IN (SELECT value FROM json_each(?))',
    nowMs,
    outcome,
    JSON.stringify(holds.map(({ id }) => id)),
  )

/** The same for holds that may be none, beside statements that are always there. */
export const endAnyHolds = (
  holds: readonly Pick<Hold, 'id'>[],
  outcome: HoldOutcome,
  nowMs: number,
): Statement[] => (holds.length === 0 ? [] : [endHolds(holds, outcome, nowMs)])

export const holdEvent = (
  type: Extract<EventType, `hold.${string}`>,
  actorId: string | null,
  { id, doctorId, patientId, origin }: Hold,
  atMs: number,
): NewEvent => ({ type, actorId, subjectId: id, atMs, data: { doctorId, patientId, origin } })
