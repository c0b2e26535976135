/** The header `Idempotency-Key`: what it looks like, and the answer that a repeated one gets. */
import type { Context } from 'hono'
import { bodyHashOf, type KeyedRequest } from '#db/idempotency'
import type { AppEnv } from './context'
import type { Fault } from './problem-evidence'

/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/

/** The fault of a malformed key; the pointer names the header. */
export const IDEMPOTENCY_KEY_FAULT: Fault = {
  pointer: '/Idempotency-Key',
  detail: 'Send 1 to 255 visible ASCII characters',
}

/** Marks the answer as one that was given before. */
export const markReplayed = (c: Context<AppEnv>): void => c.header('Idempotency-Replayed', 'true')

/** The request with its key and the hash of its body: undefined where it sends none, else perhaps 'malformed'. */
export async function keyedRequest(
  c: Context<AppEnv>,
  route: string,
  body: unknown,
): Promise<KeyedRequest | undefined | 'malformed'> {
  const key = c.req.header('Idempotency-Key')
  if (key === undefined) return undefined
  return KEY.test(key) ? { key, route, bodyHash: await bodyHashOf(route, body) } : 'malformed'
}
