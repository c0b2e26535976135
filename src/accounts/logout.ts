/** Signs out: ends the actor's own session. */
import type { Database } from '#db/database'
import type { Actor } from '#db/right'
import type { Result } from '#http/result'
import { endSession } from './session'

/** Ends the actor's own session; its access token and its refresh token stop with it. */
export const logout = (
  database: Database,
  actor: Actor,
  nowMs: number,
): Promise<Result<undefined, 'session-ended'>> => endSession(database, actor, 'signed-out', nowMs)
