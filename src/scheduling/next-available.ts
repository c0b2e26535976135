/** When a doctor is next free. */
import type { Context } from 'hono'
import type { AppEnv } from '#http/context'
import { nextSlot } from './core/slot'
import { formatInstant } from './core/time'
import type { ReadOpenings } from './kept-openings'
import { readOpenings } from './read-openings'

/** The first open slot of a doctor's first visit type (RFC 3339), or null where none is open or known. */
export async function nextAvailableOf(c: Context<AppEnv>, doctorId: string): Promise<string | null> {
  const answer = await readOpenings(c, doctorId, { fresh: false, atLeast: 0 })
  return answer.ok ? nextAvailableIn(answer.read, Date.now()) : null
}

/** The same, of openings that have been read. */
export function nextAvailableIn({ openings, offer }: ReadOpenings, nowMs: number): string | null {
  const [visitType] = openings.visitTypes
  const next = visitType && nextSlot(offer, visitType, nowMs)
  return next === undefined ? null : formatInstant(next.startMs)
}

/** What D1 has noted of it (epoch ms, null for none), worded. */
export const wordNextAvailable = (atMs: number | null): string | null =>
  atMs === null ? null : formatInstant(atMs)
