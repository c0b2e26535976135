/** Ends sessions: by signing out, or because a refresh token came twice. */
import { and, eq, isNull } from 'drizzle-orm'
import { type Database, fromQuery, type Statement } from '#db/database'
import { insertEvent } from '#db/event'
import { refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import { session } from '#db/schema'
import { done, type Result, refused } from '#http/result'

/** Ends the actor's own session; its access token and its refresh token stop with it. */
export async function logout(
  database: Database,
  actor: Actor,
  nowMs: number,
): Promise<Result<undefined, 'session-ended'>> {
  try {
    await database.run([useRight(actor, nowMs), ...endSession(database, actor, 'signed-out', nowMs)])
  } catch (error) {
    if (refusalOf(error) === 'session-ended') return refused('session-ended')
    throw error
  }
  return done(undefined)
}

/** The statements that end the session. The row stays: tokens of it may still be about. */
export const endSession = (
  { db }: Database,
  { sessionId, userId }: Actor,
  reason: 'signed-out' | 'refresh-token-reused',
  nowMs: number,
): Statement[] => [
  fromQuery(
    db
      .update(session)
      .set({ endedAt: nowMs })
      .where(and(eq(session.id, sessionId), isNull(session.endedAt))),
  ),
  insertEvent({
    type: 'session.ended',
    actorId: userId,
    subjectId: userId,
    atMs: nowMs,
    data: { sessionId, reason },
  }),
]
