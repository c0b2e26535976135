/** Reading a patient's own hold: the right is checked in the batch that reads. */
import { and, eq } from 'drizzle-orm'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { hold } from '#db/schema'

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
