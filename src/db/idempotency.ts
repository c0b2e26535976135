/**
 * One Idempotency-Key, one effect: the key is written in the batch of the effect itself, so that both happen
 * or neither, and a trigger raises `idempotency-key-used` for 24 hours. Put `insertIdempotencyKey` before the
 * effect, so that a repeated request is told from one that merely collides.
 */
import { and, eq } from 'drizzle-orm'
import { type Database, openDatabase, type Statement, statement } from './database'
import { sha256Hex } from './encode'
import { type Actor, readAs } from './right'
import { idempotency } from './schema'

/** Milliseconds that a key holds; the trigger on the table says the same. */
export const IDEMPOTENCY_MS = 86_400_000

/** Lapsed keys that one run removes. */
const MAX_REMOVED = 1000

/** A creating request that carries a key. */
export interface KeyedRequest {
  readonly key: string
  readonly route: string
  readonly bodyHash: string
}

/** SHA-256, in hexadecimal, of the route and of the validated body, whatever the order of its members was. */
export const bodyHashOf = (route: string, body: unknown): Promise<string> =>
  sha256Hex(`${route}\n${canonicalJson(body)}`)

/** JSON whose objects have their members in one order, and none that is undefined. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  )
}

/**
 * The statement that takes the key and keeps the answer; a key older than a day is taken again. With a
 * doctor, their object loads it with their calendar.
 */
export const insertIdempotencyKey = (
  actor: Actor,
  { key, route, bodyHash }: KeyedRequest,
  answer: unknown,
  nowMs: number,
  doctorId: string | null = null,
): Statement => ({
  sql: `INSERT OR REPLACE INTO idempotency (user_id, key, route, body_hash, answer, doctor_id, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  params: [actor.userId, key, route, bodyHash, JSON.stringify(answer), doctorId, nowMs],
})

type Replay =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly code: 'idempotency-key-reused' | 'session-ended' }

/** The first answer under this key, a refusal where it was for something else, undefined where it is unused. */
export async function replay(
  database: Database,
  actor: Actor,
  { key, bodyHash }: KeyedRequest,
): Promise<Replay | undefined> {
  const read = await readAs(database, actor, [
    database.db
      .select({ bodyHash: idempotency.bodyHash, answer: idempotency.answer })
      .from(idempotency)
      .where(and(eq(idempotency.userId, actor.userId), eq(idempotency.key, key))),
  ])
  if (read === undefined) return { ok: false, code: 'session-ended' }
  const first = read[0][0]
  if (first === undefined) return undefined
  if (first.bodyHash !== bodyHash) return { ok: false, code: 'idempotency-key-reused' }
  return { ok: true, answer: JSON.parse(first.answer) as unknown }
}

/** Removes keys that hold no longer, the oldest first; their rows say nothing any more. For the cron. */
export async function removeLapsedKeys(env: Pick<Env, 'DB'>, nowMs: number): Promise<void> {
  await openDatabase(env.DB, 'first-primary').run([
    statement(
      `DELETE FROM idempotency WHERE rowid IN (
         SELECT rowid FROM idempotency WHERE created_at <= ? ORDER BY created_at LIMIT ?)`,
      nowMs - IDEMPOTENCY_MS,
      MAX_REMOVED,
    ),
  ])
}
