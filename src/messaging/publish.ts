/**
 * The event table is the outbox: a row not yet published is sent to the queue and marked. A crash between
 * the two sends it again, under the same id: at least once.
 */
import { and, asc, isNull, lt } from 'drizzle-orm'
import { openDatabase, statement } from '#db/database'
import { event } from '#db/schema'

/** What travels through the queue: enough to look the event up, and nothing of a person. */
export interface EventMessage {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly subjectId: string
  /** Whose calendar it changed, if it changed one. */
  readonly doctorId: string | null
}

/** Milliseconds after which an event that nobody has published is published by the cron. */
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
