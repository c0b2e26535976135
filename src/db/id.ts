import { v7 } from 'uuid'
import { base64Url } from './encode'

export type IdPrefix =
  | 'usr'
  | 'ses'
  | 'tok'
  | 'spc'
  | 'opn'
  | 'vis'
  | 'apt'
  | 'hld'
  | 'tof'
  | 'wtl'
  | 'evt'
  | 'req'

/**
 * A new id: type prefix and a UUID version 7 (RFC 9562, section 5.7) without hyphens, so that ids sort by
 * the time they were made.
 */
export const newId = (prefix: IdPrefix): string => `${prefix}_${v7().replaceAll('-', '')}`

/** What an id of that prefix looks like; anything else is answered without asking the database. */
export const idPattern = (prefix: IdPrefix): RegExp => new RegExp(`^${prefix}_[0-9a-z]{1,40}$`)

/** Bytes of randomness in a secret. */
const SECRET_BYTES = 16

/** A text that cannot be guessed: 128 bits, in base64url. */
export const newSecret = (): string => base64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))
