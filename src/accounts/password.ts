/**
 * Passwords: which are allowed, and how they are kept (Argon2id as OWASP recommends it: 19 MiB, two passes,
 * one lane; as a PHC string, so that the settings can grow and old hashes still verify).
 */
import Argon2, { Argon2Type } from '@phi-ag/argon2'
import module from '@phi-ag/argon2/argon2.wasm'
import * as z from 'zod'
import { MAX_PASSWORD_LENGTH } from '#http/settings'
import { isCommon } from './common-passwords'

/** In characters. */
const MIN_LENGTH = 8

const SETTINGS = { type: Argon2Type.Argon2id, memoryCost: 19_456 /* KiB */, timeCost: 2, parallelism: 1 }

/** The hash of a password that nobody knows, verified where there is no user: both take the same time. */
const NOBODYS_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$l9dXwaaWO8JXH5Hsi307iA$eNRWfGZegnBD4eKlz7uoW2tE0glQkASXR6668UoaD0k'

/** A new password. Every rule that it breaks is told. */
export const Password = z
  .string()
  .min(MIN_LENGTH)
  .max(MAX_PASSWORD_LENGTH)
  .refine((text) => /\p{Lu}/u.test(text), 'Use an upper-case letter')
  .refine((text) => /\p{Nd}/u.test(text), 'Use a digit')
  .refine((text) => /[^\p{L}\p{M}\p{N}\s]/u.test(text), 'Use a character that is neither letter nor digit')
  .refine((text) => !isCommon(text), 'This is one of the commonest passwords; choose another')
  .meta({ description: 'An upper-case letter, a digit, a special character; none of the commonest.' })

/** A password that somebody signs in with: only its length is looked at. */
export const GivenPassword = z.string().min(1).max(MAX_PASSWORD_LENGTH)

let argon2: Argon2 | undefined

/**
 * One instance serves the isolate: a hash runs from its first to its last step without a pause, so that no
 * two ever share its memory, and the 19 MiB are taken once.
 */
const hasher = (): Argon2 => {
  argon2 ??= new Argon2(new WebAssembly.Instance(module))
  return argon2
}

/** The PHC string of a new password, with a random salt. */
export const hashPassword = (password: string): string => hasher().hash(prepare(password), SETTINGS).encoded

/** Whether the password is the one of the hash; without a hash it is not, after the same work. */
export function verifyPassword(hash: string | undefined, password: string): boolean {
  const right = hasher().tryVerify(hash ?? NOBODYS_HASH, prepare(password)).success
  return hash !== undefined && right
}

/**
 * The password as the library must get it. Keyboards spell `é` in two ways: both become one (NFC, as RFC 8265
 * asks). And the library hashes as many UTF-8 bytes as the string has UTF-16 units, so that the end of a
 * password with letters beyond ASCII would not count; zeros after it make up the number, and are cut off.
 */
function prepare(password: string): string {
  const text = password.normalize('NFC')
  return text + '\0'.repeat(new TextEncoder().encode(text).length - text.length)
}
