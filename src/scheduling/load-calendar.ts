/**
 * Loading: one batch on the primary that raises both epochs, so that whatever an older writer sent is
 * refused from now on, and reads everything that a calendar holds.
 */
import { and, asc, eq, gt, gte, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Database } from '#db/database'
import { IDEMPOTENCY_MS } from '#db/idempotency'
import {
  appointment,
  calendar,
  doctor,
  hold,
  idempotency,
  opening,
  schedule,
  timeOff,
  user,
  visitType,
  waitlist,
} from '#db/schema'
import type { Appointment } from './core/appointment'
import { Calendar } from './core/calendar'
import type { Schedule } from './core/schedule'
import { DAY_MS, HOUR_MS } from './core/time'

/** Appointments are kept from here on: today in any zone, for the daily limit, and a visit under way. */
const LOADED_PAST_MS = 36 * HOUR_MS

/** The longest opening. */
export const MAX_OPENING_MS = DAY_MS
/** The longest time off. */
export const MAX_TIME_OFF_MS = 366 * DAY_MS

const COUNTED = ['pending', 'confirmed', 'in-progress', 'completed', 'no-show'] as const

/** The first answer to a creating command. */
export interface RememberedAnswer {
  readonly bodyHash: string
  /** What was created, as JSON. */
  readonly answer: string
  readonly createdAt: number
}

export interface Loaded {
  readonly calendar: Calendar
  /** By `keyOf`, the oldest first. */
  readonly answers: Map<string, RememberedAnswer>
}

/** One key of one user. */
export const keyOf = (userId: string, key: string): string => `${userId} ${key}`

/** The doctor's calendar as D1 has it, or undefined for a doctor it does not know. Throws what D1 throws. */
export async function loadCalendar(
  { db }: Database,
  doctorId: string,
  nowMs: number,
): Promise<Loaded | undefined> {
  const fromMs = nowMs - LOADED_PAST_MS
  const [
    epochs,
    doctors,
    schedules,
    openings,
    timesOff,
    visitTypes,
    appointments,
    overdue,
    holds,
    waiting,
    answers,
  ] = await db.batch([
    db
      .update(calendar)
      .set({ epoch: sql`${calendar.epoch} + 1`, writerEpoch: sql`${calendar.epoch} + 1` })
      .where(eq(calendar.doctorId, doctorId))
      .returning({ epoch: calendar.epoch, version: calendar.version }),
    db
      .select({ verifiedAt: doctor.verifiedAt, status: user.status })
      .from(doctor)
      .innerJoin(user, eq(user.id, doctor.userId))
      .where(eq(doctor.userId, doctorId)),
    db.select().from(schedule).where(eq(schedule.doctorId, doctorId)),
    db
      .select({
        id: opening.id,
        startMs: opening.startMs,
        endMs: opening.endMs,
        version: opening.version,
      })
      .from(opening)
      .where(and(eq(opening.doctorId, doctorId), gt(opening.startMs, fromMs - MAX_OPENING_MS))),
    db
      .select({ id: timeOff.id, startMs: timeOff.startMs, endMs: timeOff.endMs, reason: timeOff.reason })
      .from(timeOff)
      .where(
        and(
          eq(timeOff.doctorId, doctorId),
          gt(timeOff.startMs, fromMs - MAX_TIME_OFF_MS),
          gt(timeOff.endMs, fromMs),
        ),
      ),
    db
      .select()
      .from(visitType)
      .where(and(eq(visitType.doctorId, doctorId), or(isNull(visitType.archivedAt), isHeld(db, doctorId))))
      .orderBy(asc(visitType.createdAt), asc(visitType.id)),
    db
      .select()
      .from(appointment)
      .where(
        and(
          eq(appointment.doctorId, doctorId),
          gte(appointment.startMs, fromMs),
          inArray(appointment.status, COUNTED),
        ),
      ),
    // Requests that nobody answered while the object slept. There are few in all, so the index of their status
    // finds them; the plus keeps SQLite from walking the doctor's whole past instead.
    db
      .select()
      .from(appointment)
      .where(
        and(
          eq(appointment.status, 'pending'),
          lt(appointment.startMs, fromMs),
          sql`+${appointment.doctorId} = ${doctorId}`,
        ),
      ),
    db
      .select()
      .from(hold)
      .where(and(eq(hold.doctorId, doctorId), isNull(hold.endedAt))),
    db
      .select()
      .from(waitlist)
      .where(and(eq(waitlist.doctorId, doctorId), isNull(waitlist.endedAt))),
    db
      .select()
      .from(idempotency)
      .where(and(eq(idempotency.doctorId, doctorId), gt(idempotency.createdAt, nowMs - IDEMPOTENCY_MS)))
      .orderBy(asc(idempotency.createdAt)),
  ])
  const [epoch] = epochs
  const [who] = doctors
  if (epoch === undefined || who === undefined) return undefined
  const [row] = schedules
  if (row === undefined) throw new Error('Every doctor has a schedule from their registration on')
  return {
    calendar: new Calendar({
      doctorId,
      epoch: epoch.epoch,
      version: epoch.version,
      bookable: who.verifiedAt !== null && who.status === 'active',
      schedule: scheduleOf(row),
      openings,
      timeOff: timesOff,
      visitTypes,
      appointments: [...overdue, ...appointments],
      holds,
      waitlist: waiting,
    }),
    answers: new Map(answers.map((known) => [keyOf(known.userId, known.key), known])),
  }
}

/** Archived visit types are still wanted where a hold has them. */
const isHeld = (db: Database['db'], doctorId: string) =>
  inArray(
    visitType.id,
    db
      .select({ id: hold.visitTypeId })
      .from(hold)
      .where(and(eq(hold.doctorId, doctorId), isNull(hold.endedAt))),
  )

/** A schedule from its row. */
export function scheduleOf({ rules, ...row }: typeof schedule.$inferSelect): Schedule {
  return { ...row, rules: JSON.parse(rules) as Schedule['rules'] }
}

/** One appointment of this doctor, for a command on one that memory does not hold. */
export async function loadAppointment(
  { db }: Database,
  doctorId: string,
  id: string,
): Promise<Appointment | undefined> {
  const [[found]] = await db.batch([
    db
      .select()
      .from(appointment)
      .where(and(eq(appointment.id, id), eq(appointment.doctorId, doctorId))),
  ])
  return found
}
