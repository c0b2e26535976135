/** Exchanges a refresh token for a new session's worth of tokens. Each works once. */
import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery } from '#db/database'
import { refusalOf } from '#db/refusal'
import { useRight } from '#db/right'
import { refreshToken, session, user } from '#db/schema'
import { done, type Result, refused } from '#http/result'
import {
  endSession,
  hashRefreshToken,
  insertRefreshToken,
  newRefreshToken,
  SESSION_MS,
  type Session,
  sessionOf,
} from './session'
import { userColumns, viewUser } from './user'

/** The longest token that is looked at, in characters; ours have 43. */
const MAX_LENGTH = 200

export const RefreshRequest = z
  .strictObject({ refreshToken: z.string().min(1).max(MAX_LENGTH) })
  .meta({ id: 'RefreshRequest' })

/**
 * Spends the token and writes its successor in one batch. A token that comes twice was stolen, by whom nobody
 * can tell: its whole family, the session, ends. D1 decides who came first, so that two at once are told too.
 */
export async function refresh(
  database: Database,
  env: Env,
  spent: string,
  nowMs: number,
): Promise<Result<Session, 'invalid-refresh-token'>> {
  const { db } = database
  const spentHash = await hashRefreshToken(spent)
  const found = await findToken(database, spentHash, nowMs)
  if (found === undefined) return refused('invalid-refresh-token')
  const { sessionId, usedAt, ...row } = found
  const actor = { userId: row.id, sessionId, role: row.role }
  const reused = () => endSession(database, actor, 'refresh-token-reused', nowMs)
  if (usedAt !== null) {
    await reused()
    return refused('invalid-refresh-token')
  }

  const token = newRefreshToken()
  const hash = await hashRefreshToken(token)
  try {
    await database.run([
      useRight(actor, nowMs),
      fromQuery(db.update(refreshToken).set({ usedAt: nowMs }).where(eq(refreshToken.hash, spentHash))),
      insertRefreshToken(database, sessionId, hash, nowMs),
      fromQuery(
        db
          .update(session)
          .set({ expiresAt: nowMs + SESSION_MS })
          .where(eq(session.id, sessionId)),
      ),
    ])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal !== 'refresh-token-reused' && refusal !== 'session-ended') throw error
    if (refusal === 'refresh-token-reused') await reused()
    return refused('invalid-refresh-token')
  }
  return done(await sessionOf(env, actor, token, viewUser(row), nowMs))
}

/** The token with its user, while it and its session live and the user has the role that it was opened for. */
async function findToken({ db }: Database, hash: string, nowMs: number) {
  const live = and(isNull(session.endedAt), gt(session.expiresAt, nowMs))
  const [[found]] = await db.batch([
    db
      .select({ ...userColumns, sessionId: refreshToken.sessionId, usedAt: refreshToken.usedAt })
      .from(refreshToken)
      .innerJoin(session, and(eq(session.id, refreshToken.sessionId), live))
      .innerJoin(user, and(eq(user.id, session.userId), sql`${user.role} = ${session.role}`))
      .where(and(eq(refreshToken.hash, hash), gt(refreshToken.expiresAt, nowMs), eq(user.status, 'active'))),
  ])
  return found
}
