/** Specialties: what doctors are found by. A name exists once, whatever its capitals. */
import { and, asc, gt, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery } from '#db/database'
import { insertEvent } from '#db/event'
import { newId } from '#db/id'
import { insertIdempotencyKey, type KeyedRequest, replay } from '#db/idempotency'
import { refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import { specialty } from '#db/schema'
import { decodeCursor, type Page, pageFrom } from '#http/page'
import { done, type Result, refused } from '#http/result'
import { line } from '#http/text'

export const Specialty = z.object({ id: z.string(), name: z.string() }).meta({ id: 'Specialty' })
export type Specialty = z.infer<typeof Specialty>

export const exampleSpecialty: Specialty = { id: 'spc_cardiology', name: 'Cardiology' }

/** In characters; an id is no longer. */
const MIN_NAME_LENGTH = 2
const MAX_NAME_LENGTH = 60

export const SpecialtyName = line(MIN_NAME_LENGTH, MAX_NAME_LENGTH)

export const NewSpecialty = z.strictObject({ name: SpecialtyName }).meta({ id: 'NewSpecialty' })

/** What tells names apart and orders them. */
export const sortNameOf = (name: string): string => name.normalize('NFC').trim().toLowerCase()

const Cursor = z.tuple([z.string()])

/** A page by name, or undefined for a cursor that this list never gave out. One round trip. */
export async function findSpecialties(
  { db }: Database,
  query: { limit: number; cursor?: string | undefined; count: 'true' | 'false' },
): Promise<Page<Specialty> | undefined> {
  const after = query.cursor === undefined ? [''] : decodeCursor(query.cursor, Cursor)
  if (after === undefined) return undefined
  const [rows, totals] = await db.batch([
    db
      .select()
      .from(specialty)
      .where(gt(specialty.sortName, after[0] ?? ''))
      .orderBy(asc(specialty.sortName))
      .limit(query.limit + 1),
    // Nothing is counted that was not asked for.
    db
      .select({ total: sql<number>`count(*)` })
      .from(specialty)
      .where(and(gt(specialty.sortName, ''), sql`${query.count} = 'true'`)),
  ])
  const page = pageFrom(
    rows,
    query.limit,
    (row) => [row.sortName],
    ({ id, name }) => ({ id, name }),
  )
  return query.count === 'true' ? { ...page, total: totals[0]?.total ?? 0 } : page
}

type Created = { specialty: Specialty; replayed: boolean }

/** Writes a specialty once for a key: the key first, so that a repeated request is not taken for a collision. */
export async function createSpecialty(
  database: Database,
  actor: Actor,
  name: string,
  keyed: KeyedRequest | undefined,
  nowMs: number,
): Promise<Result<Created, 'session-ended' | 'specialty-exists' | 'idempotency-key-reused'>> {
  const created: Specialty = { id: newId('spc'), name }
  try {
    await database.run([
      useRight(actor, nowMs),
      ...(keyed === undefined ? [] : [insertIdempotencyKey(actor, keyed, created, nowMs)]),
      fromQuery(database.db.insert(specialty).values({ ...created, sortName: sortNameOf(name) })),
      insertEvent({
        type: 'specialty.created',
        actorId: actor.userId,
        subjectId: created.id,
        atMs: nowMs,
      }),
    ])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === 'session-ended' || refusal === 'specialty-exists') return refused(refusal)
    if (refusal !== 'idempotency-key-used' || keyed === undefined) throw error
    const first = await replay(database, actor, keyed)
    if (first === undefined) throw error
    return first.ok ? done({ specialty: Specialty.parse(first.answer), replayed: true }) : first
  }
  return done({ specialty: created, replayed: false })
}
