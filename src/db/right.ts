/**
 * Rights are checked in the batch that uses them: no request pays a round trip for it, and none can be
 * lost between check and use.
 */
import { and, eq, sql } from 'drizzle-orm'
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Database, Statement } from './database'
import { ROLES, type Role } from './schema'

/** Who acts: the session of an access token, its user, and the role it was given. */
export interface Actor {
  readonly userId: string
  readonly sessionId: string
  readonly role: Role
}

/**
 * The view of rights that live now: a session that has not ended, of a user active in the session's role.
 * Declared as a table, and here rather than in the schema, because Drizzle inserts into no view and
 * drizzle-kit must not create it.
 */
const sessionRight = sqliteTable('session_right', {
  sessionId: text('session_id').notNull(),
  role: text({ enum: ROLES }).notNull(),
  seenAt: integer('seen_at').notNull(),
})

const selectRight = ({ db }: Database, actor: Actor) =>
  db
    .select({ live: sql<number>`1` })
    .from(sessionRight)
    .where(and(eq(sessionRight.sessionId, actor.sessionId), eq(sessionRight.role, actor.role)))

type Queries = readonly [BatchItem<'sqlite'>, ...BatchItem<'sqlite'>[]]

/**
 * Reads what the queries ask, in one batch with the actor's right to read it; undefined, and nothing of
 * what was read, where that right has ended.
 */
export async function readAs<Q extends Queries>(
  database: Database,
  actor: Actor,
  queries: Q,
): Promise<BatchResponse<Q> | undefined> {
  const [rights, ...rows] = await database.db.batch([selectRight(database, actor), ...queries])
  return rights.length === 0 ? undefined : (rows as BatchResponse<Q>)
}

/** Whether the right lives, where there is nothing else to read: an answer from memory may still tell much. */
export async function holdsRight(database: Database, actor: Actor): Promise<boolean> {
  const [rights] = await database.db.batch([selectRight(database, actor)])
  return rights.length > 0
}

/** For a write: put it first in the batch; without a live right it raises `session-ended` and all falls. */
export const useRight = (actor: Actor, nowMs: number): Statement => ({
  sql: 'INSERT INTO session_right (session_id, role, seen_at) VALUES (?, ?, ?)',
  params: [actor.sessionId, actor.role, nowMs],
})
