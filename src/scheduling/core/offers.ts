/**
 * Which of those who wait get which slot of the time that becomes free. It tells, and changes nothing: while it
 * asks, what leaves is gone and what it has given away is held; then all is as it was.
 */
import type { Appointment } from './appointment'
import type { Calendar } from './calendar'
import { type Hold, newHold, OFFER_MS } from './hold'
import { contains, type Interval, overlaps } from './interval'
import { blockedOf } from './occupied'
import type { VisitTerms } from './schedule'
import { openSlots, type Slot } from './slot'
import { MINUTE_MS } from './time'
import { rangeOf, type WaitlistEntry } from './waiting-list'
import { slotRefusal } from './wish'

/** How many patients are offered time by one change; each is a hold and an event in its batch. */
export const MAX_OFFERS = 100
/** How many open slots are looked at for one entry and one freed interval. */
const MAX_SLOTS_LOOKED_AT = 200

/** What a change gives back of the doctor's time. */
export interface Freed {
  readonly intervals: readonly GivenBack[]
  /** What leaves its place: appointments, holds, time off. */
  readonly leaving: readonly string[]
}

export interface GivenBack extends Interval {
  /** Who had it, and is not offered it again by the same change; null where nobody had. */
  readonly patientId: string | null
  /** The hold that it was, where it was one. */
  readonly holdId?: string
}

/** Time that becomes free and passes down the line. */
export interface FreedInterval extends GivenBack {
  /** When it was first freed: whoever has let it pass since is not offered it again. */
  readonly sinceMs: number
}

/** What these give back when they leave. */
export const freedBy = (appointments: readonly Appointment[], holds: readonly Hold[] = []): Freed => ({
  intervals: [
    ...appointments.map((one) => ({ ...blockedOf(one), patientId: one.patientId })),
    ...holds.map((one) => ({ ...blockedOf(one), patientId: one.patientId, holdId: one.id })),
  ],
  leaving: [...appointments, ...holds].map(({ id }) => id),
})

export interface Offering {
  readonly entry: WaitlistEntry
  readonly visitType: VisitTerms
  readonly startMs: number
  /** When the time was first freed. */
  readonly freedAt: number
}

export interface OfferRequest {
  readonly freed: readonly FreedInterval[]
  /** What leaves its place: appointments, holds, time off. */
  readonly leaving: readonly string[]
  /** When the patient has no time, as far as their other doctors know; undefined where they are to be left out. */
  busyElsewhere(patientId: string): readonly Interval[] | undefined
}

/**
 * The offers that the calendar makes at `nowMs`, in the order of the line: to each patient who has none at this
 * doctor yet the earliest slot of their wish that takes some of the freed time.
 */
export function decideOffers(calendar: Calendar, request: OfferRequest, nowMs: number): Offering[] {
  const { freed, leaving } = request
  const offers: Offering[] = []
  if (!calendar.bookable) return offers
  const sorted = [...freed].sort((a, b) => a.startMs - b.startMs)
  const served = new Set(calendar.held.offeredTo(leaving))
  calendar.without(leaving, () => {
    for (const entry of calendar.held.waitingFor(freed, nowMs)) {
      if (offers.length === MAX_OFFERS) break
      const busy = served.has(entry.patientId) ? undefined : request.busyElsewhere(entry.patientId)
      const offering = busy && offeringFor(calendar, entry, sorted, busy, nowMs)
      if (offering === undefined) continue
      served.add(entry.patientId)
      offers.push(offering)
      calendar.putHold(holdOf(calendar.doctorId, offering, entry.id, nowMs))
    }
    for (const { entry } of offers) calendar.removeHold(entry.id)
  })
  return offers
}

/** The hold that the offer becomes, under this id. */
export const holdOf = (
  doctorId: string,
  { entry, visitType, startMs }: Offering,
  id: string,
  nowMs: number,
) =>
  newHold(
    { id, doctorId, patientId: entry.patientId, origin: 'waitlist' },
    visitType,
    startMs,
    nowMs,
    OFFER_MS,
  )

function offeringFor(
  calendar: Calendar,
  entry: WaitlistEntry,
  freed: readonly FreedInterval[],
  busy: readonly Interval[],
  nowMs: number,
): Offering | undefined {
  const visitType = calendar.visitType(entry.visitTypeId ?? undefined)
  if (visitType === undefined) return undefined
  const suits = (slot: Slot): boolean =>
    contains(rangeOf(entry), slot) &&
    !busy.some((interval) => overlaps(interval, slot)) &&
    slotRefusal(
      calendar,
      { patientId: entry.patientId, startMs: slot.startMs, visitType, ignored: [] },
      nowMs,
    ) === undefined
  // By start, so that the first that is found is the earliest.
  for (const interval of freed) {
    if (interval.patientId === entry.patientId) continue
    if (entry.passedAt !== null && entry.passedAt >= interval.sinceMs) continue
    const slot = firstThat(
      suits,
      openSlots(calendar.offer(nowMs), visitType, starts(entry, visitType, interval), nowMs),
    )
    if (slot !== undefined) return { entry, visitType, startMs: slot.startMs, freedAt: interval.sinceMs }
  }
  return undefined
}

/** The starts whose blocked interval takes some of the freed one and whose slot does not begin before the wish. */
function starts(entry: WaitlistEntry, visitType: VisitTerms, freed: Interval): Interval {
  const beforeMs = visitType.bufferBeforeMinutes * MINUTE_MS
  const afterMs = (visitType.durationMinutes + visitType.bufferAfterMinutes) * MINUTE_MS
  return {
    startMs: Math.max(freed.startMs - afterMs + 1, entry.fromMs),
    endMs: Math.min(freed.endMs + beforeMs, entry.toMs),
  }
}

function firstThat(suits: (slot: Slot) => boolean, slots: Iterable<Slot>): Slot | undefined {
  let looked = 0
  for (const slot of slots) {
    if (suits(slot)) return slot
    looked += 1
    if (looked === MAX_SLOTS_LOOKED_AT) return undefined
  }
  return undefined
}
