/** Changes the members of the own profile that are given, and no other. */
import { eq, type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery, type Statement, statement } from '#db/database'
import { insertEvent } from '#db/event'
import { refusalOf } from '#db/refusal'
import { type Actor, readAs, useRight } from '#db/right'
import { doctor, specialty } from '#db/schema'
import { Money } from '#http/money'
import { done, type Result, refused } from '#http/result'
import { line, paragraphs } from '#http/text'
import type { OwnDoctorView } from './doctor'
import { findOwnDoctor } from './find-own-doctor'
import { SpecialtyName, sortNameOf } from './specialty'

const MAX_SPECIALTIES = 5
const MAX_LANGUAGES = 10
const MAX_EXPERIENCE_YEARS = 80

/** In characters. */
const MIN_LANGUAGE_LENGTH = 2
const MAX_LANGUAGE_LENGTH = 40
const MAX_PLACE_LENGTH = 100
const MAX_LICENSE_LENGTH = 50
const MAX_BIO_LENGTH = 2000

/** `bn`, `en-GB` or `Bangla`: tags and names are both in use, and nothing is computed from either. */
const Language = line(MIN_LANGUAGE_LENGTH, MAX_LANGUAGE_LENGTH).refine(
  (text) => /^\p{L}[\p{L}\p{M}\p{N} '’()-]+$/u.test(text),
  'Send a language’s tag or name',
)

const Place = line(1, MAX_PLACE_LENGTH)

export const DoctorChanges = z
  .strictObject({
    specialties: z
      .array(SpecialtyName)
      .min(1)
      .max(MAX_SPECIALTIES)
      .optional()
      .meta({ description: 'Names or ids, as GET /v1/specialties lists them; they replace all former ones' }),
    licenseNumber: line(1, MAX_LICENSE_LENGTH).nullable().optional(),
    experienceYears: z.int().min(0).max(MAX_EXPERIENCE_YEARS).nullable().optional(),
    consultationFee: Money.nullable().optional(),
    bio: paragraphs(MAX_BIO_LENGTH).nullable().optional(),
    languages: z.array(Language).max(MAX_LANGUAGES).optional(),
    address: z
      .strictObject({
        division: Place,
        district: Place,
        thana: Place,
        street: Place.nullable().optional(),
      })
      .nullable()
      .optional(),
  })
  .refine((members) => Object.keys(members).length > 0, 'Send at least one member')
  .meta({ id: 'DoctorChanges' })
export type DoctorChanges = z.infer<typeof DoctorChanges>

type Changed = { profile: OwnDoctorView; version: number }
type Refused = 'session-ended' | 'precondition-failed' | 'validation-failed'

/**
 * With `If-Match` the version seen is read first and named in the UPDATE, so that a change in between is told
 * by the trigger. Without, the UPDATE counts on from whatever version there is. `versions` are those of the
 * header; undefined where any will do.
 */
export async function updateDoctor(
  database: Database,
  actor: Actor,
  changes: DoctorChanges,
  versions: readonly number[] | undefined,
  nowMs: number,
): Promise<Result<Changed, Refused>> {
  let version: number | SQL = sql`${doctor.version} + 1`
  if (versions !== undefined) {
    const seen = await findOwnDoctor(database, actor)
    if (seen === undefined) return refused('session-ended')
    if (!versions.includes(seen.version)) return refused('precondition-failed')
    version = seen.version + 1
  }
  const replacement = await resolveSpecialties(database, actor, changes.specialties)
  if (!replacement.ok) return replacement
  try {
    await database.run([
      useRight(actor, nowMs),
      fromQuery(
        database.db
          .update(doctor)
          .set({ ...columnsOf(changes), version })
          .where(eq(doctor.userId, actor.userId)),
      ),
      ...(replacement.value === undefined ? [] : replaceSpecialties(actor.userId, replacement.value)),
      insertEvent({
        type: 'doctor.updated',
        actorId: actor.userId,
        subjectId: actor.userId,
        atMs: nowMs,
        data: { members: Object.keys(changes).join(',') },
      }),
    ])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === 'stale-version') return refused('precondition-failed')
    if (refusal === 'session-ended') return refused(refusal)
    throw error
  }
  const changed = await findOwnDoctor(database, actor)
  return changed === undefined ? refused('session-ended') : done(changed)
}

/** The ids of the specialties named, each once; undefined where none are given. */
async function resolveSpecialties(
  database: Database,
  actor: Actor,
  given: readonly string[] | undefined,
): Promise<Result<string[] | undefined, 'session-ended' | 'validation-failed'>> {
  if (given === undefined) return done(undefined)
  const names = JSON.stringify(given.flatMap((text) => [text, sortNameOf(text)]))
  const read = await readAs(database, actor, [
    database.db
      .select()
      .from(specialty)
      .where(sql`${specialty.id} IN (SELECT value FROM json_each(${names}))
      OR ${specialty.sortName} IN (SELECT value FROM json_each(${names}))`),
  ])
  if (read === undefined) return refused('session-ended')
  const found = given.map((text) =>
    read[0].find(({ id, sortName }) => id === text || sortName === sortNameOf(text)),
  )
  const faults = found.flatMap((row, index) =>
    row === undefined ? [{ pointer: `/specialties/${index}`, detail: 'There is no such specialty' }] : [],
  )
  if (faults.length > 0) return refused('validation-failed', faults)
  return done([...new Set(found.flatMap((row) => row?.id ?? []))])
}

const replaceSpecialties = (doctorId: string, specialtyIds: readonly string[]): Statement[] => [
  statement('DELETE FROM doctor_specialty WHERE doctor_id = ?', doctorId),
  statement(
    'INSERT INTO doctor_specialty (doctor_id, specialty_id) SELECT ?, value FROM json_each(?)',
    doctorId,
    JSON.stringify(specialtyIds),
  ),
]

/** The columns of the members given: null clears them, and Drizzle leaves those that are undefined. */
const columnsOf = ({ consultationFee, languages, address, specialties: _, ...columns }: DoctorChanges) => ({
  ...columns,
  languages: languages && [...new Set(languages)],
  feeMinor: consultationFee === null ? null : consultationFee?.amountMinor,
  feeCurrency: consultationFee === null ? null : consultationFee?.currency,
  ...(address !== undefined && {
    division: address?.division ?? null,
    district: address?.district ?? null,
    thana: address?.thana ?? null,
    street: address?.street ?? null,
  }),
})
