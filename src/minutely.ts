/** What the cron does each minute: everything that must happen although nobody asks. */
import { ensureFirstAdmin } from '#accounts/first-admin'
import { removeLapsedKeys } from '#db/idempotency'
import { isConfigured } from '#http/configuration'
import { logError } from '#http/log-error'
import { publishOverdue } from '#messaging/publish'
import { wakeOverdue } from '#scheduling/wake-overdue'

const TASKS: Readonly<Record<string, (env: Env, nowMs: number) => Promise<unknown>>> = {
  publishOverdue,
  wakeOverdue,
  removeLapsedKeys,
  ensureFirstAdmin,
}

/**
 * Runs every task, whatever becomes of the others; a failed one is logged and due again in a minute. A Worker
 * that is not configured does nothing: it would make its first administrator of what is wrong, for good.
 */
export async function everyMinute(env: Env, nowMs: number): Promise<void> {
  if (!isConfigured(env)) return
  for (const [task, run] of Object.entries(TASKS)) {
    try {
      await run(env, nowMs)
    } catch (error) {
      logError(task, {}, error)
    }
  }
}
