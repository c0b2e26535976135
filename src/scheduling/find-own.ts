/** Reading a patient's own hold or entry of a waiting list: the right is checked in the batch that reads. */
import { and, eq } from 'drizzle-orm'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import type { hold, waitlist } from '#db/schema'

/** The doctor whose time it is of, and whether it has ended already. */
export async function findOwn(
  database: Database,
  actor: Actor,
  table: typeof hold | typeof waitlist,
  id: string,
): Promise<{ doctorId: string; endedAt: number | null } | 'session-ended' | 'not-found'> {
  const read = await readAs(database, actor, [
    database.db
      .select({ doctorId: table.doctorId, endedAt: table.endedAt })
      .from(table)
      .where(and(eq(table.id, id), eq(table.patientId, actor.userId))),
  ])
  return read === undefined ? 'session-ended' : (read[0][0] ?? 'not-found')
}
