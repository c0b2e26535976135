/** Finds listed doctors: by what they are, and by when they are free. */
import { and, type SQL, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import * as z from 'zod'
import type { Database } from '#db/database'
import { doctor, user } from '#db/schema'
import type { AppEnv } from '#http/context'
import { type Page, pageQuery } from '#http/page'
import { databaseOf } from '#http/request'
import { LocalDate } from '#scheduling/fields'
import { nextAvailableIn, wordNextAvailable } from '#scheduling/next-available'
import { searchOpenings } from '#scheduling/search-openings'
import { type DoctorRow, isListed, type ListedDoctor, selectInOrder, viewDoctor } from './doctor'
import { cursorAfter, type Place, placeOf, SORTS, type Sort } from './doctor-order'
import { doctorFilters, matchingDoctors, profileFilters } from './match-doctors'
import { searchDay } from './search-day'

export const DoctorsQuery = z.strictObject({
  ...pageQuery,
  ...doctorFilters,
  ...profileFilters,
  availableOn: LocalDate.optional().meta({
    description: 'Only doctors with an open slot on this date, in their own zone; cannot be counted',
  }),
  sort: z.enum(SORTS).default('name').meta({
    description:
      '`fee` the lowest first, `experience` the longest, `nextAvailable` the soonest; unknown ones last',
  }),
})
export type DoctorsQuery = z.infer<typeof DoctorsQuery>

/** The fault of a query that could only be counted by asking for every doctor's openings. */
export const COUNT_FAULT = { pointer: '/count', detail: 'Doctors with slots on a date cannot be counted' }

/**
 * A page, or undefined for a cursor that this list never gave out. One round trip, or none where none can match;
 * openings are read where the date asks for them, or where time has passed by what D1 has noted.
 */
export async function findDoctors(
  c: Context<AppEnv>,
  query: DoctorsQuery,
  nowMs: number,
): Promise<Page<ListedDoctor> | undefined> {
  const { sort, limit, availableOn } = query
  const after = placeOf(sort, query.cursor)
  if (after === undefined) return undefined
  const matching = matchingDoctors(query)
  if (matching === undefined) {
    return { items: [], nextCursor: null, ...(query.count === 'true' && { total: 0 }) }
  }
  if (availableOn !== undefined) {
    const { found, nextCursor } = await searchDay(
      c,
      { matching, date: availableOn, sort, after, limit },
      nowMs,
    )
    const items = found.map(({ row, read }) => view(row, nextAvailableIn(read, nowMs)))
    return { items: inOrder(items, sort), nextCursor }
  }
  const { rows, total } = doctorQueries(databaseOf(c), query, matching, after)
  const [found, totals] = await databaseOf(c).db.batch([rows, total])
  const shown = found.slice(0, limit)
  const last = found.length > limit ? shown.at(-1) : undefined
  return {
    items: inOrder(await withNextAvailable(c, shown, nowMs), sort),
    nextCursor: last === undefined ? null : cursorAfter(sort, last),
    ...(query.count === 'true' && { total: totals[0]?.total ?? 0 }),
  }
}

/** The queries of a page. The test that nothing scans explains these. */
export function doctorQueries(
  database: Pick<Database, 'db'>,
  { limit, count, sort }: Pick<DoctorsQuery, 'limit' | 'count' | 'sort'>,
  matching: SQL | true,
  after: Place,
) {
  return {
    rows: selectInOrder(database, { sort, after, matching }, limit + 1),
    // Nothing is counted that was not asked for.
    total: database.db
      .select({ total: sql<number>`count(*)` })
      .from(doctor)
      .crossJoin(user)
      .where(
        and(
          sql`${count} = 'true'`,
          sql`${doctor.sortName} > ''`,
          isListed,
          matching === true ? undefined : matching,
        ),
      ),
  }
}

const view = (row: DoctorRow, nextAvailable: string | null): ListedDoctor => ({
  ...viewDoctor(row),
  nextAvailable,
})

/** Each with what D1 has noted; where that is over, with what their openings say, and null where nobody could tell. */
async function withNextAvailable(
  c: Context<AppEnv>,
  rows: readonly DoctorRow[],
  nowMs: number,
): Promise<ListedDoctor[]> {
  const isOver = ({ nextCheckAt }: DoctorRow): boolean => nextCheckAt !== null && nextCheckAt < nowMs
  const read = await searchOpenings(
    c,
    rows.filter(isOver).map(({ id }) => id),
  )
  return rows.map((row) => {
    if (!isOver(row)) return view(row, wordNextAvailable(row.nextAvailableAt))
    const openings = read.get(row.id) ?? null
    return view(row, openings === null ? null : nextAvailableIn(openings, nowMs))
  })
}

/** What was told anew may be later than what D1 ordered by: a page is in order by what it shows. */
function inOrder(items: ListedDoctor[], sort: Sort): ListedDoctor[] {
  if (sort !== 'nextAvailable') return items
  // RFC 3339 in UTC is ordered as text; '~' comes after every digit.
  const key = ({ nextAvailable }: ListedDoctor): string => nextAvailable ?? '~'
  return items.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}
