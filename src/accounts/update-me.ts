/** Changes the members of the own user that are given, and no other. */
import { eq, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Database, fromQuery } from '#db/database'
import { insertEvent } from '#db/event'
import { refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import { patient, user } from '#db/schema'
import { etagOf, ifMatchAllows } from '#http/etag'
import { done, type Result, refused } from '#http/result'
import { line, paragraphs } from '#http/text'
import { isLocalDate } from '#scheduling/core/time'
import { type Me, readMe } from './me'
import { Mobile, TimeZone } from './user'

const EARLIEST_BIRTH = '1900-01-01'

/** The earth's most eastern zone, in hours: there it is a day already that has not begun in UTC. */
const MOST_EASTERN_HOURS = 14

const wasBornBefore = (date: string): boolean =>
  date <= new Date(Date.now() + MOST_EASTERN_HOURS * 3_600_000).toISOString().slice(0, 10)

const DateOfBirth = z
  .string()
  .refine(isLocalDate, 'Send a date as YYYY-MM-DD')
  .refine((date) => date >= EARLIEST_BIRTH && wasBornBefore(date), `From ${EARLIEST_BIRTH} until today`)
  .meta({ format: 'date' })

const isNotEmpty = (members: object): boolean => Object.keys(members).length > 0
const EMPTY = 'Send at least one member'

export const MeChanges = z
  .strictObject({
    fullName: line(1, 100).optional(),
    mobile: Mobile.nullable().optional(),
    timeZone: TimeZone.optional(),
    patient: z
      .strictObject({
        dateOfBirth: DateOfBirth.nullable().optional(),
        sex: z.enum(['female', 'male', 'other']).nullable().optional(),
        address: paragraphs(300).nullable().optional(),
        insurance: z
          .strictObject({ provider: line(1, 100), number: line(1, 50) })
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

type Refused = 'session-ended' | 'mobile-taken' | 'precondition-failed' | 'not-a-patient'

/**
 * With `If-Match` the version seen is read first and named in the UPDATE, so that a change in between is told
 * by the trigger. Without, the UPDATE counts on from whatever version there is: only the members given change,
 * so that no race has a loser.
 */
export async function updateMe(
  database: Database,
  actor: Actor,
  { patient: patientChanges, ...userChanges }: MeChanges,
  ifMatch: string | undefined,
  nowMs: number,
): Promise<Result<{ me: Me; version: number }, Refused>> {
  if (patientChanges !== undefined && actor.role !== 'patient') return refused('not-a-patient')
  let version: number | undefined
  if (ifMatch !== undefined) {
    const seen = await readMe(database, actor)
    if (seen === undefined) return refused('session-ended')
    if (!ifMatchAllows(ifMatch, etagOf(seen.version))) return refused('precondition-failed')
    version = seen.version
  }
  const { db } = database
  try {
    await database.run([
      useRight(actor, nowMs),
      fromQuery(
        db
          .update(user)
          .set({
            ...given(userChanges),
            version: version === undefined ? sql`${user.version} + 1` : version + 1,
            updatedAt: nowMs,
          })
          .where(eq(user.id, actor.userId)),
      ),
      ...(patientChanges === undefined
        ? []
        : [
            fromQuery(
              db.update(patient).set(patientColumns(patientChanges)).where(eq(patient.userId, actor.userId)),
            ),
          ]),
      insertEvent({
        type: 'user.updated',
        actorId: actor.userId,
        subjectId: actor.userId,
        atMs: nowMs,
        data: {
          members: [
            ...Object.keys(userChanges),
            ...Object.keys(patientChanges ?? {}).map((name) => `patient.${name}`),
          ].join(','),
        },
      }),
    ])
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === 'stale-version') return refused('precondition-failed')
    if (refusal === 'session-ended' || refusal === 'mobile-taken') return refused(refusal)
    throw error
  }
  const changed = await readMe(database, actor)
  return changed === undefined ? refused('session-ended') : done(changed)
}

const patientColumns = ({ insurance, ...changes }: NonNullable<MeChanges['patient']>) => ({
  ...given(changes),
  ...(insurance !== undefined && {
    insuranceProvider: insurance?.provider ?? null,
    insuranceNumber: insurance?.number ?? null,
  }),
})

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** The members that have a value: null clears one, undefined leaves it. */
const given = <T extends object>(members: T): Given<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>
