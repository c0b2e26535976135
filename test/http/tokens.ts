/** Access tokens made by hand: right ones, and every kind of wrong one. */
import { env } from 'cloudflare:workers'
import type { Role } from '#db/schema'
import type { SeededUser } from '../support/accounts'

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const part = (value: unknown): string => base64Url(encode(JSON.stringify(value)))

/** The keys of the tests' configuration, newest first. */
export const keys = env.TOKEN_KEYS.split(',').map((entry) => {
  const [kid = '', secret = ''] = entry.split(':')
  return { kid, secret }
})
const newest = keys[0] ?? { kid: '', secret: '' }

type Members = Record<string, unknown>

/** A token of these claims, signed with HMAC by the key, or not signed at all. */
export async function forge(
  claims: Members,
  { header = {}, secret = newest.secret, hash = 'SHA-256' }: Forgery = {},
): Promise<string> {
  const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: newest.kid, ...header })}.${part(claims)}`
  if (secret === null) return `${signed}.`
  const algorithm = { name: 'HMAC', hash }
  const key = await crypto.subtle.importKey('raw', encode(secret), algorithm, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', key, encode(signed))
  return `${signed}.${base64Url(new Uint8Array(signature))}`
}

interface Forgery {
  readonly header?: Members
  readonly secret?: string | null
  readonly hash?: string
}

/** The claims of a good token for this session. */
export function claimsOf({ userId, sessionId }: SeededUser, role: Role): Members {
  const iat = Math.floor(Date.now() / 1000)
  return {
    iss: env.TOKEN_ISSUER,
    aud: env.TOKEN_AUDIENCE,
    sub: userId,
    role,
    sid: sessionId,
    iat,
    exp: iat + 900,
    jti: crypto.randomUUID(),
  }
}

/** Every claim that a token must have. */
export const CLAIMS = ['iss', 'aud', 'sub', 'role', 'sid', 'iat', 'exp', 'jti'] as const

/** What a caller may send as Authorization that is no good token, by what is wrong with it. */
export async function badAuthorizations(user: SeededUser, role: Role): Promise<Map<string, string>> {
  const claims = claimsOf(user, role)
  const now = Math.floor(Date.now() / 1000)
  const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))
  const good = await forge(claims)
  const [header = '', , signature = ''] = good.split('.')
  const tokens: Record<string, string> = {
    expired: await forge({ ...claims, iat: now - 901, exp: now - 1 }),
    'issued in the future': await forge({ ...claims, iat: now + 600, exp: now + 900 }),
    'algorithm none': await forge(claims, { header: { alg: 'none' }, secret: null }),
    'algorithm none with a signature': await forge(claims, { header: { alg: 'none' } }),
    'algorithm HS512': await forge(claims, { header: { alg: 'HS512' }, hash: 'SHA-512' }),
    'no signature': await forge(claims, { secret: null }),
    'wrong key': await forge(claims, { secret: 'another-key-that-we-never-had' }),
    'key of another kid': await forge(claims, { secret: keys[1]?.secret ?? null }),
    'unknown kid': await forge(claims, { header: { kid: 'test-9' } }),
    'no kid': await forge(claims, { header: { kid: undefined } }),
    'claims changed after signing': `${header}.${part({ ...claims, jti: 'other' })}.${signature}`,
    'wrong issuer': await forge({ ...claims, iss: 'somebody' }),
    'wrong audience': await forge({ ...claims, aud: 'something' }),
    'unknown role': await forge({ ...claims, role: 'root' }),
    'expiry as a text': await forge({ ...claims, exp: String(now + 900) }),
    'two parts': good.split('.').slice(0, 2).join('.'),
    'not a token': 'x',
    'too long': await forge({ ...claims, more: 'x'.repeat(2048) }),
  }
  for (const claim of CLAIMS) tokens[`no ${claim}`] = await forge(without(claim))
  const list = Object.entries(tokens).map(([name, token]) => [name, `Bearer ${token}`] as const)
  return new Map([
    ...list,
    ['another scheme', `Basic ${btoa('a:b')}`],
    ['a scheme alone', 'Bearer'],
    ['two tokens', `Bearer ${good} ${good}`],
    ['no scheme', good],
  ])
}
