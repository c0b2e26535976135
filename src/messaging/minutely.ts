/** What the cron does each minute: everything that must happen although nobody asks. */
import { and, eq, lte } from 'drizzle-orm'
import { ensureFirstAdmin } from '#accounts/first-admin'
import { openDatabase, statement } from '#db/database'
import { IDEMPOTENCY_MS } from '#db/idempotency'
import { appointment } from '#db/schema'
import { publishOverdue } from './publish'

/** Doctors whose objects one run wakes; what is left waits a minute. */
const MAX_WOKEN = 100
/** Lapsed keys that one run removes. */
const MAX_REMOVED = 1000

/** Runs every task, whatever becomes of the others; a failed one is logged and due again in a minute. */
export async function everyMinute(env: Env, nowMs: number): Promise<void> {
  const tasks: Record<string, () => Promise<unknown>> = {
    publishOverdue: () => publishOverdue(env, nowMs),
    wakeOverdue: () => wakeOverdue(env, nowMs),
    removeLapsedKeys: () => removeLapsedKeys(env, nowMs),
    ensureFirstAdmin: () => ensureFirstAdmin(env, nowMs),
  }
  for (const [task, run] of Object.entries(tasks)) {
    try {
      await run()
    } catch (error) {
      console.error(JSON.stringify({ level: 'error', what: task, message: String(error) }))
    }
  }
}

/** Wakes the objects of doctors with appointments that nobody approved before their start. */
async function wakeOverdue(env: Pick<Env, 'DB' | 'DOCTOR_CALENDAR'>, nowMs: number): Promise<void> {
  const { db } = openDatabase(env.DB, 'first-primary')
  const [overdue] = await db.batch([
    db
      .selectDistinct({ doctorId: appointment.doctorId })
      .from(appointment)
      .where(and(eq(appointment.status, 'pending'), lte(appointment.startMs, nowMs)))
      .limit(MAX_WOKEN),
  ])
  await Promise.all(overdue.map(({ doctorId }) => env.DOCTOR_CALENDAR.getByName(doctorId).wake()))
}

/** Keys hold for a day; after that their rows say nothing. */
async function removeLapsedKeys(env: Pick<Env, 'DB'>, nowMs: number): Promise<void> {
  await openDatabase(env.DB, 'first-primary').run([
    statement(
      `DELETE FROM idempotency WHERE rowid IN (
         SELECT rowid FROM idempotency WHERE created_at <= ? ORDER BY created_at LIMIT ?)`,
      nowMs - IDEMPOTENCY_MS,
      MAX_REMOVED,
    ),
  ])
}
