/**
 * The event table is the outbox: the cron sends each row that is not yet published to the queue, and marks it. A
 * crash between the two sends it again, under the same id: at least once.
 */
import { and, asc, isNull, lt } from 'drizzle-orm'
import * as z from 'zod'
import { openDatabase, statement } from '#db/database'
import { event } from '#db/schema'

/** What travels through the queue: enough to look the event up, and nothing of a person. */
export const EventMessage = z.object({
  id: z.string(),
  sequence: z.int(),
  type: z.string(),
  subjectId: z.string(),
  /** Whose calendar it changed, if it changed one. */
  doctorId: z.string().nullable(),
})
export type EventMessage = z.infer<typeof EventMessage>

/** Milliseconds after which an event is published: by then whoever wrote it has shown its effect, or has failed to. */
const OVERDUE_MS = 60_000
/** Messages in one batch: the most that the queue takes at once. */
const BATCH_SIZE = 100
/** Batches in one run of the cron; what is left waits a minute. */
const MAX_BATCHES = 20

/** Publishes what is overdue, oldest first. Returns how many events were sent. */
export async function publishOverdue(env: Pick<Env, 'DB' | 'EVENTS'>, nowMs: number): Promise<number> {
  let sent = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const published = await publishBatch(env, nowMs)
    sent += published
    if (published < BATCH_SIZE) break
  }
  return sent
}

async function publishBatch(env: Pick<Env, 'DB' | 'EVENTS'>, nowMs: number): Promise<number> {
  const database = openDatabase(env.DB, 'first-primary')
  const [rows] = await database.db.batch([
    database.db
      .select()
      .from(event)
      .where(and(isNull(event.publishedAt), lt(event.at, nowMs - OVERDUE_MS)))
      .orderBy(asc(event.sequence))
      .limit(BATCH_SIZE),
  ])
  if (rows.length === 0) return 0
  await env.EVENTS.sendBatch(rows.map((row) => ({ body: messageOf(row) })))
  await database.run([
    statement(
      'UPDATE event SET published_at = ? WHERE sequence IN (SELECT value FROM json_each(?))',
      nowMs,
      JSON.stringify(rows.map(({ sequence }) => sequence)),
    ),
  ])
  return rows.length
}

function messageOf({ id, sequence, type, subjectId, data }: typeof event.$inferSelect): EventMessage {
  const { doctorId } = JSON.parse(data) as { doctorId?: unknown }
  return { id, sequence, type, subjectId, doctorId: typeof doctorId === 'string' ? doctorId : null }
}
