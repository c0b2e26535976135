/** A page of what is the caller's own: few rows, in the order of an instant and then of their ids. */
import { and, asc, count as counted, gt, gte, or, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Context } from 'hono'
import type { TypedResponse } from 'hono/types'
import * as z from 'zod'
import { readAs } from '#db/right'
import type { hold, opening, timeOff, visitType, waitlist } from '#db/schema'
import type { AppEnv } from '#http/context'
import { CURSOR_FAULT, decodeCursor, type Page, pageFrom, pageQuery } from '#http/page'
import { type ProblemAnswer, problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid } from '#http/validate'
import { MAX_ID_LENGTH } from './fields'

/** What such a list takes. */
export const OwnPageQuery = z.strictObject(pageQuery)

const Cursor = z.tuple([z.int(), z.string().max(MAX_ID_LENGTH)])

type OwnTable = typeof hold | typeof opening | typeof timeOff | typeof visitType | typeof waitlist

type Instant = 'startMs' | 'createdAt' | 'expiresAt'
type OwnColumns = { readonly [Name in Instant | 'id']: SQLiteColumn }

/** What is listed. */
interface OwnList<Table extends OwnTable, Item> {
  readonly table: Table
  /** The instant that orders it. */
  readonly by: Extract<keyof Table['$inferSelect'], Instant>
  /** Whose they are, and which of them count: few, so that counting them costs little, asked for or not. */
  readonly where: SQL | undefined
  readonly view: (row: Table['$inferSelect']) => Item
}

type OwnPage<Item> = Response & TypedResponse<Page<Item>, 200, 'json'>

/** Answers with the page; the right is checked in the batch that reads. */
export async function answerOwnPage<Table extends OwnTable, Item>(
  c: Context<AppEnv>,
  { limit, cursor, count }: z.output<typeof OwnPageQuery>,
  { table, by, where, view }: OwnList<Table, Item>,
): Promise<ProblemAnswer<'validation-failed' | 'session-ended'> | OwnPage<Item>> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, Cursor)
  if (cursor !== undefined && after === undefined) return invalid(c, [CURSOR_FAULT])
  // A union of tables has no columns in common that Drizzle's types would see.
  const columns: OwnColumns = table as OwnColumns & Table
  const instant = columns[by]
  const beyond = after && and(gte(instant, after[0]), or(gt(instant, after[0]), gt(columns.id, after[1])))
  const database = databaseOf(c)
  const read = await readAs(database, c.get('actor'), [
    database.db
      .select()
      .from(table as typeof opening)
      .where(and(where, beyond))
      .orderBy(asc(instant), asc(columns.id))
      .limit(limit + 1),
    database.db
      .select({ total: counted() })
      .from(table as typeof opening)
      .where(where),
  ])
  if (read === undefined) return problem(c, 'session-ended')
  const rows = read[0] as unknown as (Table['$inferSelect'] & Record<typeof by, number>)[]
  const page = pageFrom(rows, limit, (row) => [row[by], row.id], view)
  const total = count === 'true' ? { total: read[1][0]?.total ?? 0 } : {}
  return c.json({ ...page, ...total }, 200) as unknown as OwnPage<Item>
}
