/** A Worker whose settings are missing, short or those of development refuses to work. */
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from './context'
import { logError } from './log-error'
import { problem } from './problem'
import { configurationFaults, type Settings } from './settings'

/** The faults of a configuration, which does not change while a Worker lives. */
const checked = new WeakMap<object, readonly string[]>()

/** Whether the configuration is right; the log is told once what is not. */
export function isConfigured(settings: Settings): boolean {
  let faults = checked.get(settings)
  if (faults === undefined) {
    faults = configurationFaults(settings)
    checked.set(settings, faults)
    if (faults.length > 0) logError('configuration', { faults })
  }
  return faults.length === 0
}

/** Answers 503 to everything while the configuration is wrong. */
export const requireConfiguration = createMiddleware<AppEnv>(async (c, next) =>
  isConfigured(c.env) ? next() : problem(c, 'misconfigured'),
)
