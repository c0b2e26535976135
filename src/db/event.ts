import { type Statement, statement } from './database'
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
  | 'visit-type.added'
  | 'visit-type.changed'
  | 'visit-type.archived'
  | 'opening.added'
  | 'opening.changed'
  | 'opening.removed'
  | 'appointment.requested'
  | 'appointment.booked'
  | 'appointment.approved'
  | 'appointment.rejected'
  | 'appointment.rescheduled'
  | 'appointment.cancelled'
  | 'appointment.started'
  | 'appointment.completed'
  | 'appointment.no-show'
  | 'appointment.updated'
  | 'time-off.taken'
  | 'time-off.withdrawn'
  | 'hold.taken'
  | 'hold.released'
  | 'hold.lapsed'
  | 'hold.superseded'
  | 'hold.withdrawn'
  | 'waitlist.joined'
  | 'waitlist.left'
  | 'waitlist.offered'
  | 'waitlist.expired'

/** A change to be remembered. `data` is thin: ids and codes, never health data. */
export interface NewEvent {
  readonly type: EventType
  /** Who did it; null where time alone did. */
  readonly actorId: string | null
  readonly subjectId: string
  readonly atMs: number
  readonly data?: Readonly<Record<string, string | number | boolean | null>>
}

/** An event with what somebody said about it, which is kept beside it, where it can be erased. */
export interface NotedEvent extends NewEvent {
  readonly note?: string | null
}

export type NotedEvents = readonly [NotedEvent, ...NotedEvent[]]

/**
 * The statement that writes an event; it belongs in the batch of the change itself. Whoever must find out
 * later whether that batch happened gives the id, and looks for it.
 */
export const insertEvent = (event: NewEvent, id: string = newId('evt')): Statement => ({
  sql: 'INSERT INTO event (id, type, actor_id, subject_id, at, data) VALUES (?, ?, ?, ?, ?, ?)',
  params: [id, event.type, event.actorId, event.subjectId, event.atMs, JSON.stringify(event.data ?? {})],
})

/** The statements that write any number of events, in their order, with their notes; the first has this id. */
export function insertEvents(events: NotedEvents, firstId: string): Statement[] {
  const [first, ...others] = events
  const identified = [{ ...first, id: firstId }, ...others.map((event) => ({ ...event, id: newId('evt') }))]
  const notes = identified.flatMap(({ id, note }) => (note ? [[id, note]] : []))
  return [
    others.length === 0
      ? insertEvent(first, firstId)
      : statement(
          `INSERT INTO event (id, type, actor_id, subject_id, at, data)
           SELECT value ->> 'id', value ->> 'type', value ->> 'actorId', value ->> 'subjectId', value ->> 'atMs',
             coalesce(value -> 'data', '{}') FROM json_each(?) ORDER BY key`,
          JSON.stringify(identified),
        ),
    ...(notes.length === 0
      ? []
      : [
          statement(
            'INSERT INTO event_note (event_id, note) SELECT value ->> 0, value ->> 1 FROM json_each(?)',
            JSON.stringify(notes),
          ),
        ]),
  ]
}
