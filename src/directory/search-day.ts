/**
 * Doctors with open slots on one local date. D1 gives candidates in order, their openings decide. The work of one
 * page is bounded: it ends where the candidates do, even if it has come out short, and its cursor goes on after
 * the last who was looked at, so that pages are complete and nobody comes twice, whatever is booked meanwhile.
 */
import type { SQL } from 'drizzle-orm'
import type { Context } from 'hono'
import type { Database } from '#db/database'
import type { AppEnv } from '#http/context'
import { databaseOf } from '#http/request'
import { isWithinReach, MAX_SEARCHED, openOn, searchOpenings } from '#scheduling/search-openings'
import { type DoctorRow, selectInOrder } from './doctor'
import { cursorAfter, type Place, type Sort } from './doctor-order'
import { mayBeOpenOn } from './match-doctors'

/** Candidates for each doctor that a page may show, and at least so many: most of whom D1 finds are free. */
const CANDIDATES_PER_ITEM = 2
const MIN_CANDIDATES = 20

export interface DaySearch {
  /** What is asked of doctors beside the date; true for nothing. */
  readonly matching: SQL | true
  /** `YYYY-MM-DD`, in each doctor's own zone. */
  readonly date: string
  readonly sort: Sort
  readonly after: Place
  /** The most doctors that are found. */
  readonly limit: number
}

type Read = Parameters<typeof openOn>[0]

interface FoundDoctor {
  readonly row: DoctorRow
  readonly read: Read
  /** At least one. */
  readonly slots: ReturnType<typeof openOn>
}

/** One round trip to D1 and one bulk read of KV, or neither for a date on which nobody can have slots. */
export async function searchDay(
  c: Context<AppEnv>,
  search: DaySearch,
  nowMs: number,
): Promise<{ found: FoundDoctor[]; nextCursor: string | null }> {
  if (!isWithinReach(search.date, nowMs)) return { found: [], nextCursor: null }
  const count = Math.min(Math.max(search.limit * CANDIDATES_PER_ITEM, MIN_CANDIDATES), MAX_SEARCHED)
  const [rows] = await databaseOf(c).db.batch([candidateQuery(databaseOf(c), search, count + 1, nowMs)])
  const candidates = rows.slice(0, count)
  const openings = await searchOpenings(
    c,
    candidates.map(({ id }) => id),
  )
  const found: FoundDoctor[] = []
  let looked = 0
  for (const row of candidates) {
    const read = openings.get(row.id)
    if (read === undefined || found.length === search.limit) break
    looked += 1
    const slots = read === null ? [] : openOn(read, search.date, nowMs)
    if (read !== null && slots.length > 0) found.push({ row, read, slots })
  }
  const last = looked < rows.length ? candidates[looked - 1] : undefined
  return { found, nextCursor: last === undefined ? null : cursorAfter(search.sort, last) }
}

/** The query of the candidates. The test that nothing scans explains it. */
export const candidateQuery = (
  database: Pick<Database, 'db'>,
  search: DaySearch,
  rows: number,
  nowMs: number,
) => selectInOrder(database, search, rows, mayBeOpenOn(search.date, nowMs))
