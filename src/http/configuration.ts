/** A Worker whose secrets are missing, short or those of development refuses to serve. */
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from './context'
import { problem } from './problem'

/** The shortest signing key of an access token, in characters: HS256 wants 256 bits (RFC 7518, section 3.2). */
const MIN_KEY_LENGTH = 32
const MIN_PASSWORD_LENGTH = 12

/** What only development and tests use: the names of their keys, and the administrator of the demonstration. */
const DEVELOPMENT_KEY = /^(dev|test)\b/
const DEMONSTRATION_EMAIL = /@demo\.praxis\.example$/i

type Settings = Pick<
  Env,
  'ENVIRONMENT' | 'TOKEN_KEYS' | 'TOKEN_ISSUER' | 'TOKEN_AUDIENCE' | 'ADMIN_EMAIL' | 'ADMIN_PASSWORD'
>

/** What is wrong with the configuration, by the names of settings and never by their values. */
export function configurationFaults(settings: Settings): string[] {
  const faults: string[] = []
  // An unset secret is no empty string but undefined, whatever its type says.
  const missing = (['TOKEN_KEYS', 'TOKEN_ISSUER', 'TOKEN_AUDIENCE'] as const).filter(
    (name) => !settings[name],
  )
  for (const name of missing) faults.push(`${name} is missing`)
  if (!['development', 'test', 'production'].includes(settings.ENVIRONMENT))
    faults.push('ENVIRONMENT is unknown')
  if (settings.ENVIRONMENT !== 'production') return faults

  for (const [index, entry] of (settings.TOKEN_KEYS ?? '').split(',').entries()) {
    const [kid = '', ...secret] = entry.trim().split(':')
    if (kid === '' || secret.join(':').length < MIN_KEY_LENGTH) {
      faults.push(
        `TOKEN_KEYS: key ${index + 1} is not "kid:secret" with ${MIN_KEY_LENGTH} characters of secret`,
      )
    }
    if (DEVELOPMENT_KEY.test(kid)) faults.push(`TOKEN_KEYS: key ${index + 1} is one of development`)
  }
  if (!settings.ADMIN_EMAIL || !settings.ADMIN_PASSWORD)
    faults.push('ADMIN_EMAIL or ADMIN_PASSWORD is missing')
  if (DEMONSTRATION_EMAIL.test(settings.ADMIN_EMAIL ?? ''))
    faults.push('ADMIN_EMAIL is that of the demonstration')
  if ((settings.ADMIN_PASSWORD ?? '').length < MIN_PASSWORD_LENGTH) {
    faults.push(`ADMIN_PASSWORD has fewer than ${MIN_PASSWORD_LENGTH} characters`)
  }
  return faults
}

/** Whether a configuration was found right; it does not change while a Worker lives. */
const checked = new WeakMap<object, readonly string[]>()

/** Answers 503 to everything while the configuration is wrong, and logs what is. */
export const requireConfiguration = createMiddleware<AppEnv>(async (c, next) => {
  let faults = checked.get(c.env)
  if (faults === undefined) {
    faults = configurationFaults(c.env)
    checked.set(c.env, faults)
    if (faults.length > 0) console.error(JSON.stringify({ level: 'error', what: 'configuration', faults }))
  }
  return faults.length === 0 ? next() : problem(c, 'misconfigured')
})
