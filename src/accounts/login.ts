/** Signs somebody in by e-mail and password. */
import { eq } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery } from '#db/database'
import { insertEvent } from '#db/event'
import { newId } from '#db/id'
import { refusalOf } from '#db/refusal'
import { useRight } from '#db/right'
import { session, setting, user } from '#db/schema'
import { done, type Result, refused } from '#http/result'
import { FIRST_ADMIN, insertFirstAdmin, isFirstAdmin } from './first-admin'
import { GivenPassword, verifyPassword } from './password'
import {
  hashRefreshToken,
  insertRefreshToken,
  newRefreshToken,
  SESSION_MS,
  type Session,
  sessionOf,
} from './session'
import { GivenEmail, userColumns, viewUser } from './user'

export const Credentials = z
  .strictObject({ email: GivenEmail, password: GivenPassword })
  .meta({ id: 'Credentials' })
export type Credentials = z.infer<typeof Credentials>

/**
 * 1. the user of the address, on the primary
 * 2. the password: hashed just the same where there is no user, so that both refusals take one time
 * 3. only then whether the account is suspended
 * 4. session, refresh token and event in one batch, which uses the new right and so falls if it ended meanwhile
 */
export async function login(
  database: Database,
  env: Env,
  { email, password }: Credentials,
  nowMs: number,
): Promise<Result<Session, 'invalid-credentials' | 'account-suspended'>> {
  const row = await findUser(database, env, email, nowMs)
  const right = verifyPassword(row?.passwordHash, password)
  if (row === undefined || !right) return refused('invalid-credentials')
  if (row.status === 'suspended') return refused('account-suspended')

  const actor = { userId: row.id, sessionId: newId('ses'), role: row.role }
  const token = newRefreshToken()
  const hash = await hashRefreshToken(token)
  try {
    await database.run([
      fromQuery(
        database.db.insert(session).values({
          id: actor.sessionId,
          userId: actor.userId,
          role: actor.role,
          createdAt: nowMs,
          lastSeenAt: nowMs,
          expiresAt: nowMs + SESSION_MS,
        }),
      ),
      useRight(actor, nowMs),
      insertRefreshToken(database, actor.sessionId, hash, nowMs),
      insertEvent({
        type: 'user.signed-in',
        actorId: actor.userId,
        subjectId: actor.userId,
        atMs: nowMs,
        data: { sessionId: actor.sessionId },
      }),
    ])
  } catch (error) {
    if (refusalOf(error) === 'session-ended') return refused('account-suspended')
    throw error
  }
  return done(await sessionOf(env, actor, token, viewUser(row), nowMs))
}

/**
 * The user of the address. Everybody's look-up reads the mark of the first administrator too, so that theirs
 * takes no longer; only the one sign-in that makes them does, by a hash and a batch.
 */
async function findUser(database: Database, env: Env, email: string, nowMs: number) {
  const { db } = database
  const look = () =>
    db.batch([
      db
        .select({ ...userColumns, passwordHash: user.passwordHash })
        .from(user)
        .where(eq(user.email, email)),
      db.select({ key: setting.key }).from(setting).where(eq(setting.key, FIRST_ADMIN)),
    ])
  const [[found], marks] = await look()
  if (found !== undefined || marks.length > 0 || !isFirstAdmin(env, email)) return found
  await insertFirstAdmin(database, env, nowMs)
  return (await look())[0][0]
}
