/**
 * The first administrator, from ADMIN_EMAIL and ADMIN_PASSWORD: made once in the life of an installation, by
 * the cron or by the first sign-in with that address, whichever comes first. The mark in `setting` stays, so
 * that an administrator who has been renamed or deleted does not rise again.
 */
import { eq } from 'drizzle-orm'
import { type Database, fromQuery, openDatabase } from '#db/database'
import { insertEvent } from '#db/event'
import { newId } from '#db/id'
import { refusalOf } from '#db/refusal'
import { setting, user } from '#db/schema'
import { hashPassword } from './password'
import { normaliseEmail } from './user'

export const FIRST_ADMIN = 'first-admin'

type AdminSettings = Pick<Env, 'ADMIN_EMAIL' | 'ADMIN_PASSWORD'>

/** Makes the first administrator unless that was done, or the configuration names none. For the cron. */
export async function ensureFirstAdmin(env: AdminSettings & Pick<Env, 'DB'>, nowMs: number): Promise<void> {
  if (!namesAdmin(env)) return
  const database = openDatabase(env.DB, 'first-primary')
  const { db } = database
  const [marks, holders] = await db.batch([
    db.select({ key: setting.key }).from(setting).where(eq(setting.key, FIRST_ADMIN)),
    db
      .select({ id: user.id })
      .from(user)
      .where(eq(user.email, normaliseEmail(env.ADMIN_EMAIL))),
  ])
  if (marks.length === 0 && holders.length === 0) await insertFirstAdmin(database, env, nowMs)
}

/** Whether the address is the one that the configuration keeps for the first administrator. */
export const isFirstAdmin = (settings: AdminSettings, email: string): boolean =>
  namesAdmin(settings) && email === normaliseEmail(settings.ADMIN_EMAIL)

/** An unset secret is no empty string but undefined, whatever its type says. */
const namesAdmin = (settings: AdminSettings): boolean =>
  Boolean(settings.ADMIN_EMAIL) && Boolean(settings.ADMIN_PASSWORD)

/** Writes the administrator and the mark in one batch; of two that race, one is refused, which does no harm. */
export async function insertFirstAdmin(
  database: Database,
  settings: AdminSettings,
  nowMs: number,
): Promise<void> {
  const { db } = database
  const id = newId('usr')
  try {
    await database.run([
      fromQuery(db.insert(setting).values({ key: FIRST_ADMIN, value: id, updatedAt: nowMs })),
      fromQuery(
        db.insert(user).values({
          id,
          email: normaliseEmail(settings.ADMIN_EMAIL),
          passwordHash: hashPassword(settings.ADMIN_PASSWORD),
          fullName: 'Administrator',
          role: 'admin',
          status: 'active',
          timeZone: 'UTC',
          version: 1,
          createdAt: nowMs,
          updatedAt: nowMs,
        }),
      ),
      insertEvent({
        type: 'user.registered',
        actorId: null,
        subjectId: id,
        atMs: nowMs,
        data: { role: 'admin' },
      }),
    ])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal !== 'setting-exists' && refusal !== 'email-taken') throw error
  }
}
