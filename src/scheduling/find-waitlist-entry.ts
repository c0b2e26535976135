/** Reading a patient's own entry of a waiting list: the right is checked in the batch that reads. */
import { and, eq } from 'drizzle-orm'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { waitlist } from '#db/schema'

/** The doctor whose list it is in, and whether it has ended already. */
export async function findWaitlistEntry(
  database: Database,
  actor: Actor,
  id: string,
): Promise<{ doctorId: string; endedAt: number | null } | 'session-ended' | 'not-found'> {
  const read = await readAs(database, actor, [
    database.db
      .select({ doctorId: waitlist.doctorId, endedAt: waitlist.endedAt })
      .from(waitlist)
      .where(and(eq(waitlist.id, id), eq(waitlist.patientId, actor.userId))),
  ])
  return read === undefined ? 'session-ended' : (read[0][0] ?? 'not-found')
}
