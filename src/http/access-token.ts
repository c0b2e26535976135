/**
 * Access tokens: JWTs (RFC 7519) signed with HS256, whose `kid` (RFC 7515, section 4.1.4) names the key, so
 * that keys rotate. What a token says is only where a request begins: that its session still lives is
 * checked in the very batch that uses the right.
 */
import { sign, verify } from 'hono/jwt'
import { v4 } from 'uuid'
import * as z from 'zod'
import { base64Url } from '#db/encode'
import type { Actor } from '#db/right'
import { ROLES } from '#db/schema'
import { signingKeysOf } from './settings'

export const ACCESS_TOKEN_SECONDS = 15 * 60

/** The longest token that is looked at, in characters; ours have about 500. */
const MAX_TOKEN_LENGTH = 2048

type TokenSettings = Pick<Env, 'TOKEN_KEYS' | 'TOKEN_ISSUER' | 'TOKEN_AUDIENCE'>

const Header = z.object({ alg: z.literal('HS256'), typ: z.literal('JWT').optional(), kid: z.string() })

/** All claims are required; the library accepts a token without some of them. */
const Claims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1),
  role: z.enum(ROLES),
  sid: z.string().min(1),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().min(1),
})

const verifyingKeys = new Map<string, CryptoKey>()

/** The secret as the platform's key, made once an isolate: making it costs as much as a verification. */
async function verifyingKey(secret: string): Promise<CryptoKey> {
  const known = verifyingKeys.get(secret)
  if (known !== undefined) return known
  const bytes = new TextEncoder().encode(secret)
  const made = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ])
  verifyingKeys.set(secret, made)
  return made
}

/** Signs a token for the actor, valid for `ACCESS_TOKEN_SECONDS` from `nowMs`. */
export async function signAccessToken(settings: TokenSettings, actor: Actor, nowMs: number): Promise<string> {
  const newest = signingKeysOf(settings.TOKEN_KEYS)[0]
  if (newest === undefined || newest[1] === '') throw new Error('TOKEN_KEYS names no signing key')
  const [kid, secret] = newest
  const iat = Math.floor(nowMs / 1000)
  const claims: z.infer<typeof Claims> = {
    iss: settings.TOKEN_ISSUER,
    aud: settings.TOKEN_AUDIENCE,
    sub: actor.userId,
    role: actor.role,
    sid: actor.sessionId,
    iat,
    exp: iat + ACCESS_TOKEN_SECONDS,
    jti: v4(),
  }
  // As a JWK, because only then does the library write the `kid` into the header.
  const key = { kty: 'oct', k: base64Url(new TextEncoder().encode(secret)), alg: 'HS256', kid }
  return sign(claims, key as Parameters<typeof sign>[1], 'HS256')
}

/** Whose token it is, or undefined for one that we did not sign, that has expired or that lacks a claim. */
export async function readAccessToken(settings: TokenSettings, token: string): Promise<Actor | undefined> {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  const header = Header.safeParse(decodePart(token))
  if (!header.success) return undefined
  const key = signingKeysOf(settings.TOKEN_KEYS).find(([kid]) => kid === header.data.kid)
  if (key === undefined) return undefined
  try {
    const payload = await verify(token, await verifyingKey(key[1]), {
      alg: 'HS256',
      iss: settings.TOKEN_ISSUER,
      aud: settings.TOKEN_AUDIENCE,
    })
    const claims = Claims.safeParse(payload)
    if (!claims.success) return undefined
    return { userId: claims.data.sub, sessionId: claims.data.sid, role: claims.data.role }
  } catch {
    // The library throws for every token that it refuses; why does not matter to the caller.
    return undefined
  }
}

function decodePart(token: string): unknown {
  try {
    const part = token.split('.')[0] ?? ''
    return JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')))
  } catch {
    return undefined
  }
}
