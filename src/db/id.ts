import { v7 } from 'uuid'

export type IdPrefix = 'usr' | 'ses' | 'tok' | 'spc' | 'opn' | 'vis' | 'apt' | 'evt' | 'req'

/**
 * A new id: type prefix and a UUID version 7 (RFC 9562, section 5.7) without hyphens, so that ids sort by
 * the time they were made.
 */
export const newId = (prefix: IdPrefix): string => `${prefix}_${v7().replaceAll('-', '')}`

/** What an id of that prefix looks like; anything else is answered without asking the database. */
export const idPattern = (prefix: IdPrefix): RegExp => new RegExp(`^${prefix}_[0-9a-z]{1,40}$`)
