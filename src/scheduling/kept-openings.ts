/** Openings that this isolate has read a moment ago, ready to cut slots from, and versions it has heard of. */
import type { Offer } from './core/slot'
import { type Openings, offerOf } from './openings'

/** Milliseconds that an isolate keeps what it read. */
const KEPT_MS = 1000
/**
 * Milliseconds for which it keeps even what it knows to be outdated: whoever changes a calendar here sees
 * their change at once, and a thousand bookings a second still cost forty calls of the object, not a thousand.
 */
const OUTDATED_MS = 25
/** How many doctors an isolate keeps openings and versions of. */
const MAX_KEPT = 500

/** Openings, with what slots are cut from. */
export interface ReadOpenings {
  readonly openings: Openings
  readonly offer: Offer
}

const kept = new Map<string, ReadOpenings & { readonly readAtMs: number }>()
const heard = new Map<string, number>()

/** The newest version of a doctor's calendar that this isolate has heard of. */
export const heardVersion = (doctorId: string): number => heard.get(doctorId) ?? 0

/** An object answered with this version of its calendar; answers may overtake each other. */
export const hear = (doctorId: string, version: number): void =>
  remember(heard, doctorId, Math.max(version, heardVersion(doctorId)))

/** The object itself showed this version: it counts even if it is older, as after a restored backup. */
export const hearExactly = (doctorId: string, version: number): void => remember(heard, doctorId, version)

/** What was kept of a doctor, if it may still be shown. */
export function keptOpenings(doctorId: string, nowMs: number): ReadOpenings | undefined {
  const known = kept.get(doctorId)
  if (known === undefined) return undefined
  const outdated = known.openings.version < heardVersion(doctorId)
  return nowMs - known.readAtMs < (outdated ? OUTDATED_MS : KEPT_MS) ? known : undefined
}

export function keepOpenings(openings: Openings, nowMs: number): ReadOpenings {
  const read = { openings, offer: offerOf(openings), readAtMs: nowMs }
  remember(kept, openings.doctorId, read)
  return read
}

/** Sets the entry and lets go of the one that was set longest ago where there are too many. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  // Deleted first, so that the order of the map is the order of setting.
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > MAX_KEPT && oldest !== undefined) map.delete(oldest)
}
