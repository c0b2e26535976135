/** Changes the members of the own user that are given, and no other. */
import { eq, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery, type Statement } from '#db/database'
import { insertEvent } from '#db/event'
import { refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import { patient, user } from '#db/schema'
import { done, type Result, refused } from '#http/result'
import { line, paragraphs } from '#http/text'
import { HOUR_MS } from '#scheduling/core/time'
import { LocalDate, TimeZone } from '#scheduling/fields'
import { findMe, type Me } from './find-me'
import { FullName, Mobile } from './user'

const EARLIEST_BIRTH = '1900-01-01'

/** The earth's most eastern zone, in hours: there it is a day already that has not begun in UTC. */
const MOST_EASTERN_HOURS = 14

const wasBornBefore = (date: string): boolean =>
  date <= new Date(Date.now() + MOST_EASTERN_HOURS * HOUR_MS).toISOString().slice(0, 10)

const DateOfBirth = LocalDate.refine(
  (date) => date >= EARLIEST_BIRTH && wasBornBefore(date),
  `From ${EARLIEST_BIRTH} until today`,
).meta({ format: 'date' })

/** In characters. */
const MAX_ADDRESS_LENGTH = 300
const MAX_PROVIDER_LENGTH = 100
const MAX_INSURANCE_NUMBER_LENGTH = 50

const isNotEmpty = (members: object): boolean => Object.keys(members).length > 0
const EMPTY = 'Send at least one member'

export const MeChanges = z
  .strictObject({
    fullName: FullName.optional(),
    mobile: Mobile.nullable().optional(),
    timeZone: TimeZone.optional(),
    patient: z
      .strictObject({
        dateOfBirth: DateOfBirth.nullable().optional(),
        sex: z.enum(['female', 'male', 'other']).nullable().optional(),
        address: paragraphs(MAX_ADDRESS_LENGTH).nullable().optional(),
        insurance: z
          .strictObject({
            provider: line(1, MAX_PROVIDER_LENGTH),
            number: line(1, MAX_INSURANCE_NUMBER_LENGTH),
          })
          .nullable()
          .optional(),
      })
      .refine(isNotEmpty, EMPTY)
      .optional()
      .meta({ description: 'For a patient alone' }),
  })
  .refine(isNotEmpty, EMPTY)
  .meta({ id: 'MeChanges' })
export type MeChanges = z.infer<typeof MeChanges>

type Refused = 'session-ended' | 'mobile-taken' | 'precondition-failed' | 'validation-failed'

const NO_PATIENT = { pointer: '/patient', detail: 'Only a patient has these members' }

/**
 * With `If-Match` the version seen is read first and named in the UPDATE, so that a change in between is told
 * by the trigger. Without, the UPDATE counts on from whatever version there is: only the members given change,
 * so that no race has a loser. `versions` are those of the header; undefined where any will do.
 */
export async function updateMe(
  database: Database,
  actor: Actor,
  changes: MeChanges,
  versions: readonly number[] | undefined,
  nowMs: number,
): Promise<Result<{ me: Me; version: number }, Refused>> {
  if (changes.patient !== undefined && actor.role !== 'patient') {
    return refused('validation-failed', [NO_PATIENT])
  }
  let seen: number | undefined
  if (versions !== undefined) {
    const read = await findMe(database, actor)
    if (read === undefined) return refused('session-ended')
    if (!versions.includes(read.version)) return refused('precondition-failed')
    seen = read.version
  }
  try {
    await database.run(writeChanges(database, actor, changes, seen, nowMs))
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === 'stale-version') return refused('precondition-failed')
    if (refusal === 'session-ended' || refusal === 'mobile-taken') return refused(refusal)
    throw error
  }
  const changed = await findMe(database, actor)
  return changed === undefined ? refused('session-ended') : done(changed)
}

/** The statements of the change: right, user, patient's part, event. Drizzle leaves out what is undefined. */
function writeChanges(
  { db }: Database,
  actor: Actor,
  { patient: patientChanges, ...userChanges }: MeChanges,
  seen: number | undefined,
  nowMs: number,
): Statement[] {
  const version = seen === undefined ? sql`${user.version} + 1` : seen + 1
  const members = [
    ...Object.keys(userChanges),
    ...Object.keys(patientChanges ?? {}).map((name) => `patient.${name}`),
  ]
  const updatePatient = (changes: NonNullable<typeof patientChanges>) =>
    db.update(patient).set(patientColumns(changes)).where(eq(patient.userId, actor.userId))
  return [
    useRight(actor, nowMs),
    fromQuery(
      db
        .update(user)
        .set({ ...userChanges, version, updatedAt: nowMs })
        .where(eq(user.id, actor.userId)),
    ),
    ...(patientChanges === undefined ? [] : [fromQuery(updatePatient(patientChanges))]),
    insertEvent({
      type: 'user.updated',
      actorId: actor.userId,
      subjectId: actor.userId,
      atMs: nowMs,
      data: { members: members.join(',') },
    }),
  ]
}

/** The columns of the members given: null clears them, undefined leaves them. */
const patientColumns = ({ insurance, ...changes }: NonNullable<MeChanges['patient']>) => ({
  ...changes,
  insuranceProvider: insurance === null ? null : insurance?.provider,
  insuranceNumber: insurance === null ? null : insurance?.number,
})
