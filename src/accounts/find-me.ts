/** Who is signed in: their user and, for a patient, what a patient adds. */
import { eq } from 'drizzle-orm'
import * as z from 'zod'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { patient, user } from '#db/schema'
import { exampleUser, type UserRow, UserView, userColumns, viewUser } from './user'

export const PatientView = z
  .object({
    dateOfBirth: z.string().meta({ format: 'date' }).nullable(),
    sex: z.enum(['female', 'male', 'other']).nullable(),
    address: z.string().nullable(),
    insurance: z.object({ provider: z.string(), number: z.string() }).nullable(),
  })
  .meta({ id: 'Patient' })

export const Me = UserView.extend({
  patient: PatientView.optional().meta({ description: 'For a patient alone' }),
}).meta({ id: 'Me' })
export type Me = z.infer<typeof Me>

export const exampleMe: Me = {
  ...exampleUser,
  patient: {
    dateOfBirth: '1991-04-14',
    sex: 'female',
    address: '12 Lake Road, Dhaka',
    insurance: { provider: 'Green Delta', number: 'GD-4471' },
  },
}

/** The actor's own user and its version, or undefined where their session has ended. */
export async function findMe(
  database: Database,
  actor: Actor,
): Promise<{ me: Me; version: number } | undefined> {
  const read = await readAs(database, actor, [
    database.db
      .select({
        ...userColumns,
        version: user.version,
        dateOfBirth: patient.dateOfBirth,
        sex: patient.sex,
        address: patient.address,
        insuranceProvider: patient.insuranceProvider,
        insuranceNumber: patient.insuranceNumber,
      })
      .from(user)
      .leftJoin(patient, eq(patient.userId, user.id))
      .where(eq(user.id, actor.userId)),
  ])
  const row = read?.[0][0]
  if (row === undefined) return undefined
  return {
    me: row.role === 'patient' ? { ...viewUser(row), patient: viewPatient(row) } : viewUser(row),
    version: row.version,
  }
}

const viewPatient = (
  row: UserRow & Omit<typeof patient.$inferSelect, 'userId'>,
): z.infer<typeof PatientView> => ({
  dateOfBirth: row.dateOfBirth,
  sex: row.sex,
  address: row.address,
  insurance:
    row.insuranceProvider !== null && row.insuranceNumber !== null
      ? { provider: row.insuranceProvider, number: row.insuranceNumber }
      : null,
})
