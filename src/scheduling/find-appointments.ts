/** Reading appointments: the right is checked in the batch that reads. */
import { and, asc, count, desc, eq, gt, gte, inArray, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/sqlite-core'
import type { Database } from '#db/database'
import { type Actor, readAs } from '#db/right'
import { appointment, user } from '#db/schema'
import type { NamedAppointment } from './appointment-rows'
import type { AppointmentStatus } from './core/appointment'

const doctorUser = alias(user, 'doctor_user')
const patientUser = alias(user, 'patient_user')

/** The names have aliases: in a batch D1 answers by column name, so that two alike would be one. */
const selectNamed = ({ db }: Database) =>
  db
    .select({
      appointment,
      doctorName: sql<string>`${doctorUser.fullName}`.as('doctor_name'),
      patientName: sql<string>`${patientUser.fullName}`.as('patient_name'),
    })
    .from(appointment)
    .innerJoin(doctorUser, eq(doctorUser.id, appointment.doctorId))
    .innerJoin(patientUser, eq(patientUser.id, appointment.patientId))

type Row = {
  appointment: Omit<NamedAppointment, 'doctorName' | 'patientName'>
  doctorName: string
  patientName: string
}

const named = ({ appointment: facts, ...names }: Row): NamedAppointment => ({ ...facts, ...names })

/** What of all appointments this actor may see. */
export function ownOf({ userId, role }: Actor): SQL | undefined {
  if (role === 'patient') return eq(appointment.patientId, userId)
  return role === 'doctor' ? eq(appointment.doctorId, userId) : undefined
}

/** One appointment that the actor may see: 'session-ended' where they may see nothing any more. */
export async function findAppointment(
  database: Database,
  actor: Actor,
  id: string,
): Promise<NamedAppointment | 'session-ended' | 'not-found'> {
  const read = await readAs(database, actor, [
    selectNamed(database).where(and(eq(appointment.id, id), ownOf(actor))),
  ])
  if (read === undefined) return 'session-ended'
  const [row] = read[0]
  return row === undefined ? 'not-found' : named(row)
}

export interface AppointmentFilter {
  readonly statuses: readonly AppointmentStatus[] | undefined
  readonly doctorId: string | undefined
  readonly patientId: string | undefined
  /** On the start, half-open. */
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  readonly descending: boolean
  /** The start and id of the last appointment of the page before. */
  readonly after: readonly [startMs: number, id: string] | undefined
  /** Rows to read: one more than the page has. */
  readonly rows: number
  readonly counted: boolean
}

/** The appointments that the actor may see, ordered by start; undefined where the session has ended. */
export async function findAppointments(
  database: Database,
  actor: Actor,
  filter: AppointmentFilter,
): Promise<{ rows: NamedAppointment[]; total: number | undefined } | undefined> {
  const matching = and(
    ownOf(actor),
    filter.statuses && inArray(appointment.status, [...filter.statuses]),
    filter.doctorId === undefined ? undefined : eq(appointment.doctorId, filter.doctorId),
    filter.patientId === undefined ? undefined : eq(appointment.patientId, filter.patientId),
    filter.fromMs === undefined ? undefined : gte(appointment.startMs, filter.fromMs),
    filter.toMs === undefined ? undefined : lt(appointment.startMs, filter.toMs),
  )
  const order = filter.descending ? desc : asc
  const page = selectNamed(database)
    .where(and(matching, filter.after && beyond(filter.after, filter.descending)))
    .orderBy(order(appointment.startMs), order(appointment.id))
    .limit(filter.rows)
  if (!filter.counted) {
    const read = await readAs(database, actor, [page])
    return read && { rows: read[0].map(named), total: undefined }
  }
  const total = database.db.select({ total: count() }).from(appointment).where(matching)
  const read = await readAs(database, actor, [page, total])
  return read && { rows: read[0].map(named), total: read[1][0]?.total ?? 0 }
}

/** Beyond the last appointment of a page, in its order. The first bound lets the index be sought. */
function beyond([startMs, id]: readonly [number, string], descending: boolean): SQL | undefined {
  const past = descending ? lt : gt
  const from = descending ? lte : gte
  return and(
    from(appointment.startMs, startMs),
    or(past(appointment.startMs, startMs), past(appointment.id, id)),
  )
}
