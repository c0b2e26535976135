/**
 * What the settings of the Worker say, and what is wrong with them. It imports nothing, so that the deployment
 * judges secrets by the same rules before it sends them.
 */

/** The shortest signing key of an access token, in characters: HS256 wants 256 bits (RFC 7518, section 3.2). */
const MIN_KEY_LENGTH = 32

/** The shortest password of the first administrator of a production, in characters. */
const MIN_ADMIN_PASSWORD_LENGTH = 12

/** The longest password that anybody can sign in with, in characters. */
export const MAX_PASSWORD_LENGTH = 100

/** What only development and tests use: the names of their keys, and the administrator of the demonstration. */
const DEVELOPMENT_KEY = /^(dev|test)\b/
const DEMONSTRATION_EMAIL = /@demo\.praxis\.example$/i
/** It is printed in the README. */
const DEMONSTRATION_PASSWORD = 'Demo-Pass-1234!'

/** An unset secret or variable is no empty string but undefined, whatever its generated type says. */
type Given<Name extends keyof Env> = { readonly [N in Name]?: string | undefined }
type Secrets = Given<'TOKEN_KEYS' | 'ADMIN_EMAIL' | 'ADMIN_PASSWORD'>
export type Settings = Secrets &
  Given<'ENVIRONMENT' | 'TOKEN_ISSUER' | 'TOKEN_AUDIENCE' | 'CORS_ORIGINS' | 'MEETING_BASE_URL'>

/** The signing keys of `TOKEN_KEYS`, newest first: "kid:secret,kid:secret". A part that is missing is empty. */
export function signingKeysOf(setting: string): [kid: string, secret: string][] {
  return setting.split(',').map((entry) => {
    const [kid = '', ...secret] = entry.trim().split(':')
    return [kid, secret.join(':')]
  })
}

/** What is wrong with the configuration, by the names of settings and never by their values. */
export function configurationFaults(settings: Settings): string[] {
  const faults = (['TOKEN_KEYS', 'TOKEN_ISSUER', 'TOKEN_AUDIENCE'] as const)
    .filter((name) => !settings[name])
    .map((name) => `${name} is missing`)
  // Empty, they allow no origin and show no room; absent, nobody has said.
  for (const name of ['CORS_ORIGINS', 'MEETING_BASE_URL'] as const) {
    if (settings[name] === undefined) faults.push(`${name} is missing`)
  }
  if (settings.MEETING_BASE_URL && !/^https?:\/\/[^/?#\s]+[^?#\s]*$/.test(settings.MEETING_BASE_URL)) {
    faults.push('MEETING_BASE_URL is no address')
  }
  if (!['development', 'test', 'production'].includes(settings.ENVIRONMENT ?? '')) {
    faults.push('ENVIRONMENT is unknown')
  }
  return settings.ENVIRONMENT === 'production' ? [...faults, ...secretFaults(settings)] : faults
}

/** What is wrong with the secrets of a production. */
export function secretFaults({ TOKEN_KEYS = '', ADMIN_EMAIL = '', ADMIN_PASSWORD = '' }: Secrets): string[] {
  const faults: string[] = []
  for (const [index, [kid, secret]] of signingKeysOf(TOKEN_KEYS).entries()) {
    if (kid === '' || secret.length < MIN_KEY_LENGTH) {
      faults.push(
        `TOKEN_KEYS: key ${index + 1} is not "kid:secret" with ${MIN_KEY_LENGTH} characters of secret`,
      )
    }
    if (DEVELOPMENT_KEY.test(kid)) faults.push(`TOKEN_KEYS: key ${index + 1} is one of development`)
  }
  if (ADMIN_EMAIL === '' || ADMIN_PASSWORD === '') faults.push('ADMIN_EMAIL or ADMIN_PASSWORD is missing')
  if (DEMONSTRATION_EMAIL.test(ADMIN_EMAIL)) faults.push('ADMIN_EMAIL is that of the demonstration')
  if (ADMIN_PASSWORD === DEMONSTRATION_PASSWORD) faults.push('ADMIN_PASSWORD is that of the demonstration')
  if (ADMIN_PASSWORD.length < MIN_ADMIN_PASSWORD_LENGTH) {
    faults.push(`ADMIN_PASSWORD has fewer than ${MIN_ADMIN_PASSWORD_LENGTH} characters`)
  }
  // Nobody could ever sign in with it.
  if (ADMIN_PASSWORD.length > MAX_PASSWORD_LENGTH) {
    faults.push(`ADMIN_PASSWORD has more than ${MAX_PASSWORD_LENGTH} characters`)
  }
  return faults
}
