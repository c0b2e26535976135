/** A slot kept for one patient for a while. Its id is never used again: it is the fencing token of the hold. */
import type { Interval } from './interval'
import type { VisitTerms } from './schedule'
import { blockedInterval, soldInterval } from './slot'
import { MINUTE_MS } from './time'

/** Milliseconds that a patient's own hold lives. */
export const HOLD_MS = 5 * MINUTE_MS

/** Milliseconds that an offer of the waiting list lives. */
export const OFFER_MS = 15 * MINUTE_MS

export type HoldOrigin = 'patient' | 'waitlist' | 'time-off'
export type HoldOutcome = 'booked' | 'released' | 'lapsed' | 'superseded' | 'time-off'

/** Times are epoch ms UTC; the blocked interval has the buffers. It lives while now is before `expiresAt`. */
export interface Hold extends Interval {
  readonly id: string
  readonly doctorId: string
  readonly patientId: string
  readonly visitTypeId: string
  readonly blockedStartMs: number
  readonly blockedEndMs: number
  readonly origin: HoldOrigin
  readonly createdAt: number
  readonly expiresAt: number
}

/** A hold that begins at `nowMs` and lives for `lifeMs`. */
export function newHold(
  owner: Pick<Hold, 'id' | 'doctorId' | 'patientId' | 'origin'>,
  visitType: VisitTerms,
  startMs: number,
  nowMs: number,
  lifeMs: number = HOLD_MS,
): Hold {
  const blocked = blockedInterval(visitType, startMs)
  return {
    ...owner,
    visitTypeId: visitType.id,
    ...soldInterval(visitType, startMs),
    blockedStartMs: blocked.startMs,
    blockedEndMs: blocked.endMs,
    createdAt: nowMs,
    expiresAt: nowMs + lifeMs,
  }
}
