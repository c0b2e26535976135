/** Registers a patient or a doctor. */
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery, type Statement } from '#db/database'
import { insertEvent } from '#db/event'
import { newId } from '#db/id'
import { refusalOf } from '#db/refusal'
import { calendar, doctor, patient, ROLES, schedule, user, visitType } from '#db/schema'
import { done, type Result, refused } from '#http/result'
import { initialSchedule } from '#scheduling/core/schedule'
import { TimeZone } from '#scheduling/fields'
import { isFirstAdmin } from './first-admin'
import { hashPassword, Password } from './password'
import { Email, FullName, Mobile, type UserView, viewUser } from './user'

/** Where somebody lives who does not say. */
const DEFAULT_TIME_ZONE = 'UTC'

/** What a doctor offers until they say otherwise. */
const DEFAULT_VISIT = { name: 'Consultation', durationMinutes: 30 } as const

export const Registration = z
  .strictObject({
    email: Email,
    password: Password,
    fullName: FullName,
    role: z
      .enum(ROLES, 'Send patient or doctor')
      .meta({ description: '`admin` is known and refused with 403.' }),
    mobile: Mobile.optional(),
    timeZone: TimeZone.default(DEFAULT_TIME_ZONE),
  })
  .meta({ id: 'Registration' })
export type Registration = z.infer<typeof Registration>

/**
 * Writes the user, and what their role adds, in one batch. The address of the first administrator is never
 * free, so that nobody can take it before its owner first signs in.
 */
export async function register(
  database: Database,
  settings: Pick<Env, 'ADMIN_EMAIL' | 'ADMIN_PASSWORD'>,
  { password, role, mobile, ...given }: Registration,
  nowMs: number,
): Promise<Result<UserView, 'role-not-allowed' | 'email-taken' | 'mobile-taken'>> {
  if (role === 'admin') return refused('role-not-allowed')
  if (isFirstAdmin(settings, given.email)) return refused('email-taken')
  const row = {
    id: newId('usr'),
    ...given,
    role,
    mobile: mobile ?? null,
    passwordHash: hashPassword(password),
    status: 'active' as const,
    emailVerifiedAt: null,
    version: 1,
    createdAt: nowMs,
    updatedAt: nowMs,
  }
  const { db } = database
  try {
    await database.run([
      fromQuery(db.insert(user).values(row)),
      ...(role === 'doctor'
        ? insertDoctor(database, row, nowMs)
        : [fromQuery(db.insert(patient).values({ userId: row.id }))]),
      insertEvent({
        type: 'user.registered',
        actorId: row.id,
        subjectId: row.id,
        atMs: nowMs,
        data: { role },
      }),
    ])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === 'email-taken' || refusal === 'mobile-taken') return refused(refusal)
    throw error
  }
  return done(viewUser(row))
}

/** What a doctor has from the start: an empty profile, a calendar that nobody has loaded, no hours, one visit type. */
const insertDoctor = (
  { db }: Database,
  { id: doctorId, fullName, timeZone }: Pick<typeof user.$inferSelect, 'id' | 'fullName' | 'timeZone'>,
  nowMs: number,
): Statement[] => [
  fromQuery(
    // The trigger on a change of name writes the same `lower`, which knows ASCII alone.
    db
      .insert(doctor)
      .values({ userId: doctorId, sortName: sql`lower(${fullName})`, languages: [], version: 1 }),
  ),
  fromQuery(db.insert(calendar).values({ doctorId, epoch: 0, writerEpoch: 0, version: 0 })),
  fromQuery(
    db.insert(schedule).values({ doctorId, ...initialSchedule(timeZone), rules: '[]', updatedAt: nowMs }),
  ),
  fromQuery(
    db.insert(visitType).values({
      id: newId('vis'),
      doctorId,
      ...DEFAULT_VISIT,
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      mode: 'in-person',
      createdAt: nowMs,
    }),
  ),
]
