/** Wakes doctors' objects: where time alone has something to change, and after an event of theirs. */
import { and, asc, eq, isNull, lt, lte, min } from 'drizzle-orm'
import { openDatabase } from '#db/database'
import { appointment, calendar, hold, waitlist } from '#db/schema'
import { logError } from '#http/log-error'

/** Doctors whose objects one run wakes for each kind; what is left waits a minute. */
const MAX_WOKEN = 100

/**
 * Asks the doctor's object to carry out what is due and to see that KV shows it. False, and logged, where it
 * could not; a doctor who does not exist has nothing to do.
 */
export async function wake(env: Pick<Env, 'DOCTOR_CALENDAR'>, doctorId: string): Promise<boolean> {
  try {
    const answer = await env.DOCTOR_CALENDAR.getByName(doctorId).wake()
    if (answer.ok || answer.refusal.code === 'doctor-not-found') return true
    logError('wake', { doctorId, code: answer.refusal.code })
  } catch (error) {
    logError('wake', { doctorId }, error)
  }
  return false
}

/**
 * Wakes the objects of doctors with requests that nobody answered before their start, with holds whose time is
 * over, with patients who wait for what is past, and with a next open slot that time has passed by: each kind
 * longest due first.
 */
export async function wakeOverdue(env: Pick<Env, 'DB' | 'DOCTOR_CALENDAR'>, nowMs: number): Promise<void> {
  const { db } = openDatabase(env.DB, 'first-primary')
  const [requests, holds, waiting, passed] = await db.batch([
    db
      .select({ doctorId: appointment.doctorId })
      .from(appointment)
      .where(and(eq(appointment.status, 'pending'), lte(appointment.startMs, nowMs)))
      .groupBy(appointment.doctorId)
      .orderBy(asc(min(appointment.startMs)))
      .limit(MAX_WOKEN),
    db
      .select({ doctorId: hold.doctorId })
      .from(hold)
      .where(and(isNull(hold.endedAt), lte(hold.expiresAt, nowMs)))
      .groupBy(hold.doctorId)
      .orderBy(asc(min(hold.expiresAt)))
      .limit(MAX_WOKEN),
    db
      .select({ doctorId: waitlist.doctorId })
      .from(waitlist)
      .where(and(isNull(waitlist.endedAt), lte(waitlist.toMs, nowMs)))
      .groupBy(waitlist.doctorId)
      .orderBy(asc(min(waitlist.toMs)))
      .limit(MAX_WOKEN),
    db
      .select({ doctorId: calendar.doctorId })
      .from(calendar)
      .where(lt(calendar.nextCheckAt, nowMs))
      .orderBy(asc(calendar.nextCheckAt))
      .limit(MAX_WOKEN),
  ])
  const overdue = new Set([...requests, ...holds, ...waiting, ...passed].map(({ doctorId }) => doctorId))
  await Promise.all([...overdue].map((doctorId) => wake(env, doctorId)))
}
