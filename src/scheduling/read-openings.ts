/**
 * Reading a doctor's openings for a listing: at most one KV read, no D1, no object, unless KV has nothing or
 * the caller asks to read past it. The cache never takes part in a booking.
 */
import type { Context } from 'hono'
import type { AppEnv } from '#http/context'
import type { Refused } from './answer'
import { callCalendar, isDoctorId } from './call-calendar'
import { heardVersion, hearExactly, keepOpenings, keptOpenings, type ReadOpenings } from './kept-openings'
import { type Openings, openingsKey } from './openings'

/** Seconds that a place of KV may keep a value: the least that KV takes. */
const KV_CACHE_SECONDS = 60
export const FROM_KV = { type: 'json', cacheTtl: KV_CACHE_SECONDS } as const

/** How far past the cache a listing asks to read. */
export interface Freshness {
  /** Past it altogether. */
  readonly fresh: boolean
  /** Only where it is older than this version of the calendar. */
  readonly atLeast: number
}

export type OpeningsAnswer =
  | { readonly ok: true; readonly read: ReadOpenings }
  | { readonly ok: false; readonly refusal: Refused }

/**
 * A doctor's openings: from the isolate, else from KV, else from the object. A value of KV that is older than
 * a version heard of here does not count, so that a client sees what it has just changed.
 */
export async function readOpenings(
  c: Context<AppEnv>,
  doctorId: string,
  { fresh, atLeast }: Freshness,
): Promise<OpeningsAnswer> {
  if (!isDoctorId(doctorId)) return { ok: false, refusal: { code: 'doctor-not-found', evidence: {} } }
  const cached = fresh ? undefined : await readCached(c, doctorId, atLeast)
  return cached === undefined ? askObject(c, doctorId) : { ok: true, read: cached }
}

/** A doctor's openings as their object has them now. */
export async function askObject(c: Context<AppEnv>, doctorId: string): Promise<OpeningsAnswer> {
  const answer = await callCalendar(c, doctorId, (object) => object.openings())
  if (!answer.ok) return answer
  hearExactly(doctorId, answer.value.version)
  return { ok: true, read: keepOpenings(answer.value, Date.now()) }
}

async function readCached(
  c: Context<AppEnv>,
  doctorId: string,
  atLeast: number,
): Promise<ReadOpenings | undefined> {
  const nowMs = Date.now()
  const known = keptOpenings(doctorId, nowMs)
  if (known !== undefined && known.openings.version >= atLeast) return known
  c.get('cost').kvReads += 1
  const value = await c.env.OPENINGS.get<Openings>(openingsKey(doctorId), FROM_KV)
  return keepIfNew(value, Math.max(atLeast, heardVersion(doctorId)), nowMs)
}

/** Keeps what KV had, unless it had nothing that is new enough. */
export const keepIfNew = (
  value: Openings | null,
  newEnough: number,
  nowMs: number,
): ReadOpenings | undefined =>
  value !== null && value.version >= newEnough ? keepOpenings(value, nowMs) : undefined
