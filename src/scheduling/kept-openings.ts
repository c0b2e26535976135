/** Openings that this isolate has read a moment ago, ready to cut slots from. */
import type { Offer } from './core/slot'
import { type Openings, offerOf } from './openings'

/** Milliseconds that an isolate keeps what it read. */
const KEPT_MS = 1000
/** How many doctors' openings an isolate keeps. */
const MAX_KEPT = 500

/** Openings, with what slots are cut from. */
export interface ReadOpenings {
  readonly openings: Openings
  readonly offer: Offer
}

const kept = new Map<string, ReadOpenings & { readonly readAtMs: number }>()

/** What was kept of a doctor no longer than a second ago. */
export function keptOpenings(doctorId: string, nowMs: number): ReadOpenings | undefined {
  const known = kept.get(doctorId)
  return known !== undefined && nowMs - known.readAtMs < KEPT_MS ? known : undefined
}

export function keepOpenings(openings: Openings, nowMs: number): ReadOpenings {
  const read = { openings, offer: offerOf(openings), readAtMs: nowMs }
  // Deleted first, so that the first key is always the one read longest ago.
  kept.delete(openings.doctorId)
  kept.set(openings.doctorId, read)
  const oldest = kept.keys().next().value
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
  return read
}

/** Drops what is kept of a doctor when this isolate hears of a newer version. */
export function forgetOlder(doctorId: string, version: number): void {
  const known = kept.get(doctorId)
  if (known !== undefined && known.openings.version < version) kept.delete(doctorId)
}
