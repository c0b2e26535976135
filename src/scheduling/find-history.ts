/** Reading what happened to an appointment: the right, and whose it is, are checked in the batch that reads. */
import { and, asc, count, eq, gt } from 'drizzle-orm'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { appointment, event, eventNote } from '#db/schema'
import { ownOf } from './find-appointments'

/** An event with what was said about it. */
export type NotedRow = Omit<typeof event.$inferSelect, 'publishedAt'> & { readonly note: string | null }

export interface HistoryPage {
  /** The sequence of the last event of the page before. */
  readonly after: number | undefined
  /** Rows to read: one more than the page has. */
  readonly rows: number
  readonly counted: boolean
}

/** The events of an appointment that the actor may see, oldest first. */
export async function findHistory(
  database: Database,
  actor: Actor,
  appointmentId: string,
  { after, rows, counted }: HistoryPage,
): Promise<{ rows: NotedRow[]; total: number | undefined } | 'session-ended' | 'not-found'> {
  const { db } = database
  const seen = db
    .select({ id: appointment.id })
    .from(appointment)
    .where(and(eq(appointment.id, appointmentId), ownOf(actor)))
  const ofIt = eq(event.subjectId, appointmentId)
  const page = db
    .select({
      id: event.id,
      sequence: event.sequence,
      type: event.type,
      actorId: event.actorId,
      subjectId: event.subjectId,
      at: event.at,
      data: event.data,
      note: eventNote.note,
    })
    .from(event)
    .leftJoin(eventNote, eq(eventNote.eventId, event.id))
    .where(and(ofIt, after === undefined ? undefined : gt(event.sequence, after)))
    .orderBy(asc(event.sequence))
    .limit(rows)
  const total = db.select({ total: count() }).from(event).where(ofIt)
  const read = counted
    ? await readAs(database, actor, [seen, page, total])
    : await readAs(database, actor, [seen, page])
  if (read === undefined) return 'session-ended'
  const [[found], events, totals] = read
  return found === undefined ? 'not-found' : { rows: events, total: totals?.[0]?.total }
}
