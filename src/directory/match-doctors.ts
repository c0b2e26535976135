/** By what doctors are found: the filters of every search over them. */
import { and, lte, or, type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { calendar, doctor, doctorSpecialty, specialty } from '#db/schema'
import { endedEverywhere } from '#scheduling/search-openings'
import { sortNameOf } from './specialty'

/** In characters. */
const MAX_SEARCH_LENGTH = 100
const MAX_FILTER_LENGTH = 100

const Filter = z.string().trim().min(1).max(MAX_FILTER_LENGTH).optional()

/** Who and where: what the search for doctors and the search for slots have in common. */
export const doctorFilters = {
  q: z
    .string()
    .max(MAX_SEARCH_LENGTH)
    .optional()
    .meta({ description: 'Words of the name, or beginnings of them' }),
  specialty: z
    .string()
    .min(1)
    .max(MAX_FILTER_LENGTH)
    .optional()
    .meta({ description: 'A specialty’s name or id' }),
  division: Filter.meta({ description: 'Of the address, whatever its capitals' }),
  district: Filter.meta({ description: 'Of the address, whatever its capitals' }),
}

/** What the directory can be filtered by beside. */
export const profileFilters = {
  language: Filter.meta({ description: 'A tag or name as doctors give it; `en` finds `en-GB` as well' }),
  maxFee: z
    .string()
    .regex(/^\d{1,10}$/, 'Send a whole number of minor units')
    .transform(Number)
    .optional()
    .meta({
      description:
        'The highest consultation fee, in minor units of whatever currency; who names none is left out',
    }),
}

export type Filters = {
  [Name in 'q' | 'specialty' | 'division' | 'district' | 'language']?: string | undefined
} & { maxFee?: number | undefined }

/** The most words of a search that are looked at. */
const MAX_WORDS = 10

/** The condition of the filters: true where there is none, undefined where no name can match. */
export function matchingDoctors(filters: Filters): SQL | true | undefined {
  const conditions: SQL[] = []
  if (filters.q !== undefined && filters.q.trim() !== '') {
    const words = searchOf(filters.q)
    if (words === undefined) return undefined
    conditions.push(sql`doctor.rowid IN (SELECT rowid FROM doctor_search WHERE doctor_search MATCH ${words})`)
  }
  if (filters.specialty !== undefined) {
    conditions.push(sql`${doctor.userId} IN (
      SELECT ${doctorSpecialty.doctorId} FROM ${doctorSpecialty} WHERE ${doctorSpecialty.specialtyId} IN (
        SELECT ${specialty.id} FROM ${specialty}
        WHERE ${specialty.id} = ${filters.specialty} OR ${specialty.sortName} = ${sortNameOf(filters.specialty)}))`)
  }
  for (const place of ['division', 'district'] as const) {
    const name = filters[place]
    if (name !== undefined) conditions.push(sql`${doctor[place]} = ${name} COLLATE NOCASE`)
  }
  if (filters.language !== undefined) {
    // A tag finds what is more precise than it (RFC 4647, section 3.3.1).
    conditions.push(sql`EXISTS (
      SELECT 1 FROM json_each(${doctor.languages}) WHERE instr(lower(value) || '-', lower(${filters.language}) || '-') = 1)`)
  }
  if (filters.maxFee !== undefined) conditions.push(lte(doctor.feeMinor, filters.maxFee))
  return and(...conditions) ?? true
}

/**
 * The condition that the doctor may have a slot on the date: their next one starts before it has ended
 * everywhere, or what is noted of it holds no longer.
 */
export const mayBeOpenOn = (date: string, nowMs: number): SQL | undefined =>
  or(sql`${calendar.nextAvailableAt} < ${endedEverywhere(date)}`, sql`${calendar.nextCheckAt} < ${nowMs}`)

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
