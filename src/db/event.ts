import type { Statement } from './database'
import { newId } from './id'

/** Every type of event that is written; the contract lists what each means. */
export type EventType =
  | 'user.registered'
  | 'user.updated'
  | 'user.signed-in'
  | 'session.ended'
  | 'doctor.updated'
  | 'doctor.verified'
  | 'specialty.created'
  | 'schedule.changed'
  | 'opening.added'
  | 'opening.removed'
  | 'appointment.requested'
  | 'appointment.booked'
  | 'appointment.rejected'
  | 'appointment.cancelled'

/** A change to be remembered. `data` is thin: ids and codes, never health data. */
export interface NewEvent {
  readonly type: EventType
  /** Who did it; null where time alone did. */
  readonly actorId: string | null
  readonly subjectId: string
  readonly atMs: number
  readonly data?: Readonly<Record<string, string | number | boolean | null>>
}

/**
 * The statement that writes an event; it belongs in the batch of the change itself. Whoever must find out
 * later whether that batch happened gives the id, and looks for it.
 */
export const insertEvent = (event: NewEvent, id: string = newId('evt')): Statement => ({
  sql: 'INSERT INTO event (id, type, actor_id, subject_id, at, data) VALUES (?, ?, ?, ?, ?, ?)',
  params: [id, event.type, event.actorId, event.subjectId, event.atMs, JSON.stringify(event.data ?? {})],
})
