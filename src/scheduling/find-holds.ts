/** Reading a patient's own holds: the right is checked in the batch that reads. */
import { and, asc, count, eq, gt, gte, isNull, or } from 'drizzle-orm'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { hold } from '#db/schema'
import type { Hold } from './core/hold'

/** The doctor who keeps a hold of the actor's, and whether it has ended already. */
export async function findHold(
  database: Database,
  actor: Actor,
  id: string,
): Promise<{ doctorId: string; endedAt: number | null } | 'session-ended' | 'not-found'> {
  const read = await readAs(database, actor, [
    database.db
      .select({ doctorId: hold.doctorId, endedAt: hold.endedAt })
      .from(hold)
      .where(and(eq(hold.id, id), eq(hold.patientId, actor.userId))),
  ])
  return read === undefined ? 'session-ended' : (read[0][0] ?? 'not-found')
}

export interface HoldPage {
  readonly nowMs: number
  /** The end and id of the last hold of the page before. */
  readonly after: readonly [expiresAt: number, id: string] | undefined
  /** Rows to read: one more than the page has. */
  readonly rows: number
}

/** The actor's holds that live, those that end first first; undefined where the session has ended. */
export async function findHolds(
  database: Database,
  actor: Actor,
  { nowMs, after, rows }: HoldPage,
): Promise<{ rows: Hold[]; total: number } | undefined> {
  const own = and(eq(hold.patientId, actor.userId), isNull(hold.endedAt))
  const live = and(own, gt(hold.expiresAt, nowMs))
  const beyond =
    after && and(gte(hold.expiresAt, after[0]), or(gt(hold.expiresAt, after[0]), gt(hold.id, after[1])))
  const read = await readAs(database, actor, [
    database.db
      .select()
      .from(hold)
      .where(and(live, beyond))
      .orderBy(asc(hold.expiresAt), asc(hold.id))
      .limit(rows),
    // A handful, so that counting them costs little whether it is asked for or not.
    database.db.select({ total: count() }).from(hold).where(live),
  ])
  return read && { rows: read[0], total: read[1][0]?.total ?? 0 }
}
