import type { Context } from 'hono'
import type { AppEnv } from '#http/context'
import { nextSlot } from './core/slot'
import { formatInstant } from './core/time'
import { readOpenings } from './read-openings'

/** The first open slot of a doctor's first visit type (RFC 3339), or null where none is open or known. */
export async function nextAvailableOf(c: Context<AppEnv>, doctorId: string): Promise<string | null> {
  const answer = await readOpenings(c, doctorId, { fresh: false, atLeast: 0 })
  if (!answer.ok) return null
  const { openings, offer } = answer.read
  const [visitType] = openings.visitTypes
  const next = visitType && nextSlot(offer, visitType, Date.now())
  return next === undefined ? null : formatInstant(next.startMs)
}
