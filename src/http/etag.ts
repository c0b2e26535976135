/**
 * Entity tags and the conditions on them (RFC 9110, sections 8.8.3 and 13.1). A header that is absent allows
 * everything and hits nothing; one that is malformed names no tag, so that a broken `If-Match` never lets an
 * update through.
 */
import type { Context } from 'hono'
import type { TypedResponse } from 'hono/types'
import { sha256Hex } from '#db/encode'
import type { AppEnv } from './context'

/** An entity tag: `"…"`, weak with `W/` before it; a comma may stand between the quotes. */
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** Hexadecimal characters of a body's hash that make its tag: 128 bits. */
const HASH_LENGTH = 32

/** The strong tag of a version of a resource. */
export const etagOf = (version: number): string => `"${version}"`

/** The strong tag of a text, the same wherever it is made. */
export const hashEtag = async (text: string): Promise<string> =>
  `"${(await sha256Hex(text)).slice(0, HASH_LENGTH)}"`

/** Whether `If-None-Match` says that the client has this very state: by weak comparison. */
export function ifNoneMatchHits(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return tagsOf(header).some((tag) => opaque(tag) === opaque(etag))
}

const tagsOf = (header: string): string[] => header.match(ENTITY_TAG) ?? []

const opaque = (tag: string): string => tag.replace(/^W\//, '')

/**
 * The versions that `If-Match` names, or undefined where any version will do. By strong comparison, so that a weak
 * tag is never one of them.
 */
export function versionsInIfMatch(header: string | undefined): number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return tagsOf(header).flatMap((tag) => (/^"\d{1,15}"$/.test(tag) ? [Number(tag.slice(1, -1))] : []))
}

/**
 * Answers a public reading with the tag of what it says, or 304 where the client has it already. `untagged`
 * members, such as the time of the answer, do not count. Neither object may be empty: their texts are joined.
 */
export async function answerTagged<Body extends object, Untagged extends object = object>(
  c: Context<AppEnv>,
  body: Body,
  untagged?: Untagged,
  cacheControl = 'public, max-age=0, must-revalidate',
) {
  const text = JSON.stringify(body)
  const etag = await hashEtag(text)
  c.header('ETag', etag)
  c.header('Cache-Control', cacheControl)
  if (ifNoneMatchHits(c.req.header('If-None-Match'), etag)) return c.body(null, 304)
  // The text that was hashed, not made a second time: a listing is long.
  const whole = untagged === undefined ? text : `${text.slice(0, -1)},${JSON.stringify(untagged).slice(1)}`
  const answer = c.body(whole, 200, { 'Content-Type': 'application/json' })
  return answer as unknown as Response & TypedResponse<Body & Untagged, 200, 'json'>
}
