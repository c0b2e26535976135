/** What a search over many doctors asks of their openings. It costs one bulk read of KV, and a few objects at most. */
import type { Context } from 'hono'
import type { AppEnv } from '#http/context'
import { type Slot, slots } from './core/slot'
import { DAY_MS, dayNumber, dayRange, HOUR_MS } from './core/time'
import { heardVersion, keptOpenings, type ReadOpenings } from './kept-openings'
import { type Openings, openingsKey } from './openings'
import { askObject, FROM_KV, keepIfNew } from './read-openings'

/** Doctors whose openings one search reads: as many keys as KV reads in one operation. */
export const MAX_SEARCHED = 100
/**
 * Objects that one search asks, those of doctors of whom KV has nothing new enough. KV has them afterwards for
 * some minutes, so that whoever searches on has others asked.
 */
const MAX_OBJECTS_ASKED = 20

/** Days from today (UTC) on which any zone can have a slot: no horizon is longer than 366, and zones are a day apart. */
const FIRST_DAY = -1
const LAST_DAY = 367
/** How long after UTC a date ends where it ends last (UTC-12). */
const LATEST_END_MS = 12 * HOUR_MS

/**
 * The openings of at most `MAX_SEARCHED` doctors: from the isolate, else from KV, else from their objects. Null for
 * one whose object has none to tell. One that nobody could be asked about is left out of the answer; at least
 * the first `MAX_OBJECTS_ASKED` are in it.
 */
export async function searchOpenings(
  c: Context<AppEnv>,
  doctorIds: readonly string[],
): Promise<ReadonlyMap<string, ReadOpenings | null>> {
  if (doctorIds.length > MAX_SEARCHED) throw new Error(`A search reads ${MAX_SEARCHED} doctors at most`)
  const nowMs = Date.now()
  const found = new Map<string, ReadOpenings | null>()
  const note = (id: string, read: ReadOpenings | undefined) => read !== undefined && found.set(id, read)
  for (const id of doctorIds) note(id, keptOpenings(id, nowMs))

  const wanted = doctorIds.filter((id) => !found.has(id))
  if (wanted.length === 0) return found
  c.get('cost').kvReads += 1
  const values = await c.env.OPENINGS.get<Openings>(wanted.map(openingsKey), FROM_KV)
  for (const id of wanted) {
    note(id, keepIfNew(values.get(openingsKey(id)) ?? null, heardVersion(id), nowMs))
  }

  const missed = wanted.filter((id) => !found.has(id)).slice(0, MAX_OBJECTS_ASKED)
  await Promise.all(
    missed.map(async (id) => {
      const answer = await askObject(c, id)
      found.set(id, answer.ok ? answer.read : null)
    }),
  )
  return found
}

/** The open slots of the doctor's first visit type on the whole of a local date, in their own zone. */
export function openOn({ openings, offer }: ReadOpenings, date: string, nowMs: number): Slot[] {
  const [visitType] = openings.visitTypes
  if (!openings.bookable || visitType === undefined) return []
  return slots(offer, visitType, dayRange(date, date, openings.timeZone), nowMs)
}

/** Whether any doctor can have a slot on that date: of others nobody need be asked. */
export function isWithinReach(date: string, nowMs: number): boolean {
  const days = dayNumber(date) - Math.floor(nowMs / DAY_MS)
  return days >= FIRST_DAY && days <= LAST_DAY
}

/** The instant (epoch ms) at which that date has ended everywhere on earth. */
export const endedEverywhere = (date: string): number => (dayNumber(date) + 1) * DAY_MS + LATEST_END_MS
