/**
 * Sessions and their tokens. An access token lives for minutes and is checked without asking anyone; a refresh
 * token lives for thirty days, works once, and is known to D1 only by its SHA-256.
 */
import { eq } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery, type Statement } from '#db/database'
import { base64Url, sha256Hex } from '#db/encode'
import { insertEvent } from '#db/event'
import { refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import { refreshToken, session } from '#db/schema'
import { ACCESS_TOKEN_SECONDS, signAccessToken } from '#http/access-token'
import { done, type Result, refused } from '#http/result'
import { exampleUser, UserView } from './user'

/** How long a session lives after its last refresh, and each refresh token with it. */
export const SESSION_MS = 30 * 24 * 60 * 60 * 1000

const REFRESH_TOKEN_BYTES = 32

export const Session = z
  .object({
    accessToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().meta({ description: 'Seconds that the access token is valid for' }),
    refreshToken: z.string(),
    user: UserView,
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof Session>

export const exampleSession: Session = {
  accessToken: 'eyJhbGciOiJIUzI1NiIsImtpZCI6IjIwMjYtMTEifQ.eyJzdWIiOiJ1c3JfIn0.c2lnbmF0dXJl',
  tokenType: 'Bearer',
  expiresIn: ACCESS_TOKEN_SECONDS,
  refreshToken: 'q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c',
  user: exampleUser,
}

/** A refresh token that nobody can guess: 256 random bits, as 43 characters for addresses. */
export const newRefreshToken = (): string =>
  base64Url(crypto.getRandomValues(new Uint8Array(REFRESH_TOKEN_BYTES)))

/** What D1 knows a refresh token by. It is random, so that a plain hash keeps it secret. */
export const hashRefreshToken = (token: string): Promise<string> => sha256Hex(token)

/** The statement that adds a refresh token to the session. */
export const insertRefreshToken = (
  { db }: Database,
  sessionId: string,
  hash: string,
  nowMs: number,
): Statement =>
  fromQuery(
    db.insert(refreshToken).values({ hash, sessionId, createdAt: nowMs, expiresAt: nowMs + SESSION_MS }),
  )

/** The answer to a sign-in or a refresh that D1 has agreed to. */
export const sessionOf = async (
  settings: Env,
  actor: Actor,
  refresh: string,
  user: UserView,
  nowMs: number,
): Promise<Session> => ({
  accessToken: await signAccessToken(settings, actor, nowMs),
  tokenType: 'Bearer',
  expiresIn: ACCESS_TOKEN_SECONDS,
  refreshToken: refresh,
  user,
})

/**
 * Ends the session; its tokens stop with it. The row stays: tokens of it may still be about. Of two at once only
 * one uses a right that lives, so that a session ends, and tells of it, once.
 */
export async function endSession(
  database: Database,
  actor: Actor,
  reason: 'signed-out' | 'refresh-token-reused',
  nowMs: number,
): Promise<Result<undefined, 'session-ended'>> {
  const { sessionId, userId } = actor
  try {
    await database.run([
      useRight(actor, nowMs),
      fromQuery(database.db.update(session).set({ endedAt: nowMs }).where(eq(session.id, sessionId))),
      insertEvent({
        type: 'session.ended',
        actorId: userId,
        subjectId: userId,
        atMs: nowMs,
        data: { sessionId, reason },
      }),
    ])
  } catch (error) {
    if (refusalOf(error) === 'session-ended') return refused('session-ended')
    throw error
  }
  return done(undefined)
}
