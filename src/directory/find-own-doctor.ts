/** A doctor's own profile, listed or not. */
import { and, eq } from 'drizzle-orm'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { doctor } from '#db/schema'
import { type OwnDoctorView, ofUser, selectDoctors, viewOwnDoctor } from './doctor'

/** The profile and its version, or undefined where the actor's session has ended. */
export async function findOwnDoctor(
  database: Database,
  actor: Actor,
): Promise<{ profile: OwnDoctorView; version: number } | undefined> {
  const read = await readAs(database, actor, [
    selectDoctors(database).where(and(eq(doctor.userId, actor.userId), ofUser)),
  ])
  const row = read?.[0][0]
  return row === undefined ? undefined : { profile: viewOwnDoctor(row), version: row.version }
}
