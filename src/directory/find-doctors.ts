/** Finds listed doctors by name and specialty, ordered by name. */
import { and, asc, type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import type { Database } from '#db/database'
import { doctor, doctorSpecialty, specialty, user } from '#db/schema'
import { decodeCursor, type Page, pageFrom, pageQuery } from '#http/page'
import { type DoctorView, isListed, selectDoctors, viewDoctor } from './doctor'
import { sortNameOf } from './specialty'

export const DoctorsQuery = z.strictObject({
  ...pageQuery,
  q: z.string().max(100).optional().meta({ description: 'Words of the name, or beginnings of them' }),
  specialty: z.string().min(1).max(100).optional().meta({ description: 'A specialty’s name or id' }),
  sort: z.enum(['name']).default('name'),
})
export type DoctorsQuery = z.infer<typeof DoctorsQuery>

/** The most words of a search that are looked at. */
const MAX_WORDS = 10

const Cursor = z.tuple([z.string(), z.string()])

/** A page, or undefined for a cursor that this list never gave out. One round trip, or none where none can match. */
export async function findDoctors(
  database: Database,
  query: DoctorsQuery,
): Promise<Page<DoctorView> | undefined> {
  const after = query.cursor === undefined ? (['', ''] as const) : decodeCursor(query.cursor, Cursor)
  if (after === undefined) return undefined
  const matching = matchingDoctors(query)
  if (matching === undefined) {
    return { items: [], nextCursor: null, ...(query.count === 'true' && { total: 0 }) }
  }
  const { rows, total } = doctorQueries(database, query, matching, after)
  const [found, totals] = await database.db.batch([rows, total])
  const page = pageFrom(found, query.limit, (row) => [row.sortName, row.id], viewDoctor)
  return query.count === 'true' ? { ...page, total: totals[0]?.total ?? 0 } : page
}

/** The queries of a page. The test that nothing scans explains these. */
export function doctorQueries(
  database: Pick<Database, 'db'>,
  query: Pick<DoctorsQuery, 'limit' | 'count'>,
  matching: SQL | true,
  after: readonly [sortName: string, id: string],
) {
  const filter = matching === true ? undefined : matching
  return {
    rows: selectDoctors(database)
      .where(and(sql`(${doctor.sortName}, ${doctor.userId}) > (${after[0]}, ${after[1]})`, isListed, filter))
      .orderBy(asc(doctor.sortName), asc(doctor.userId))
      .limit(query.limit + 1),
    // Nothing is counted that was not asked for.
    total: database.db
      .select({ total: sql<number>`count(*)` })
      .from(doctor)
      .crossJoin(user)
      .where(and(sql`${query.count} = 'true'`, sql`${doctor.sortName} > ''`, isListed, filter)),
  }
}

/** The condition of the filters: true where there is none, undefined where no name can match. */
export function matchingDoctors(query: Pick<DoctorsQuery, 'q' | 'specialty'>): SQL | true | undefined {
  const conditions: SQL[] = []
  if (query.q !== undefined && query.q.trim() !== '') {
    const words = searchOf(query.q)
    if (words === undefined) return undefined
    conditions.push(sql`doctor.rowid IN (SELECT rowid FROM doctor_search WHERE doctor_search MATCH ${words})`)
  }
  if (query.specialty !== undefined) {
    conditions.push(sql`${doctor.userId} IN (
      SELECT ${doctorSpecialty.doctorId} FROM ${doctorSpecialty} WHERE ${doctorSpecialty.specialtyId} IN (
        SELECT ${specialty.id} FROM ${specialty}
        WHERE ${specialty.id} = ${query.specialty} OR ${specialty.sortName} = ${sortNameOf(query.specialty)}))`)
  }
  return and(...conditions) ?? true
}

/**
 * What FTS5 is asked: each word as a quoted string, in which nothing is an operator, and as the beginning of
 * a word of the name. Undefined where there is no letter or digit to look for.
 */
function searchOf(q: string): string | undefined {
  const words = q
    .split(/[\s\p{Cc}]+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, MAX_WORDS)
  return words.length === 0 ? undefined : words.map((word) => `"${word.replaceAll('"', '""')}"*`).join(' ')
}
