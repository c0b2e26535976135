/**
 * What booking, holding and moving are held against: a world of plain lists, walked from end to end for every
 * question. Nothing is indexed, counted or planned ahead, and nothing of the core's own code is used.
 */
import type { Appointment, Party } from '#scheduling/core/appointment'
import type { Hold } from '#scheduling/core/hold'
import type { Interval } from '#scheduling/core/interval'
import type { Policy, TimeOff, VisitType } from '#scheduling/core/schedule'
import type { Busy, Offer } from '#scheduling/core/slot'
import { DAY, MINUTE } from './calendars'
import { dateIn, during, reasons } from './slot-oracle'

const ZONE = 'Asia/Dhaka'
/** Every grid here is a multiple of this, in minutes. */
const STEP = 5 * MINUTE

/** A policy with the windows that its hours have. */
export interface Terms extends Policy {
  readonly windows: readonly Interval[]
}

export interface World {
  nowMs: number
  bookable: boolean
  /** In force first, then what is on its way. */
  terms: readonly Terms[]
  timeOff: readonly TimeOff[]
  visitTypes: readonly VisitType[]
  appointments: readonly Appointment[]
  /** Appointments as they will be once D1 has agreed. */
  moves: readonly Appointment[]
  /** Those that D1 has not heard the end of. */
  holds: readonly Hold[]
}

const ACTIVE = ['pending', 'confirmed', 'in-progress']

export const active = ({ appointments }: World) =>
  appointments.filter(({ status }) => ACTIVE.includes(status))
export const live = ({ holds, nowMs }: World) => holds.filter(({ expiresAt }) => expiresAt > nowMs)

type Taken = Appointment | Hold
const blocked = ({ blockedStartMs, blockedEndMs }: Taken): Interval => ({
  startMs: blockedStartMs,
  endMs: blockedEndMs,
})
const meets = (list: readonly Interval[], { startMs, endMs }: Interval) => during(list, startMs, endMs)

/** All that is taken, by start. */
export const taken = (world: World): Busy[] =>
  [
    ...[...active(world), ...world.moves].map(blocked),
    ...live(world).map((hold) => ({ ...blocked(hold), lapsesAtMs: hold.expiresAt })),
  ].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)

/** What counts on each local day. */
export function perDay(world: World): Record<string, number> {
  const counted = world.appointments.filter(({ status }) => !['rejected', 'cancelled'].includes(status))
  const days: Record<string, number> = {}
  for (const { startMs } of [...counted, ...world.moves, ...live(world)]) {
    const day = dateIn(ZONE, startMs)
    days[day] = (days[day] ?? 0) + 1
  }
  return days
}

const offerOf = (world: World, policy: Terms, busy: readonly Busy[]): Offer => ({
  timeZone: ZONE,
  policy,
  windows: policy.windows,
  timeOff: world.timeOff,
  busy,
  bookedPerDay: perDay(world),
})

export interface Wish {
  readonly patientId: string
  readonly startMs: number
  readonly visitTypeId: string | undefined
  readonly override: boolean
}

type Lengths = Pick<VisitType, 'durationMinutes' | 'bufferBeforeMinutes' | 'bufferAfterMinutes' | 'id'>
/** What is expected: a refusal as it is told, or how the wish is met. */
export type Expected =
  | {
      readonly kind: 'refusal'
      readonly refusal: { readonly code: string; readonly [evidence: string]: unknown }
    }
  | {
      readonly kind: 'met' | 'same' | 'unchanged'
      readonly holdIds: readonly string[]
      readonly place: object
    }

const refusal = (code: string, evidence: object = {}): Expected => ({
  kind: 'refusal',
  refusal: { code, ...evidence },
})

/** The places of a visit: what is sold of it, and what is blocked. */
function placesOf(type: Lengths, startMs: number) {
  const endMs = startMs + type.durationMinutes * MINUTE
  return {
    sold: { startMs, endMs },
    blocked: {
      startMs: startMs - type.bufferBeforeMinutes * MINUTE,
      endMs: endMs + type.bufferAfterMinutes * MINUTE,
    },
  }
}

const ownHolds = (world: World, patientId: string, place: Interval) =>
  live(world).filter((hold) => hold.patientId === patientId && meets([blocked(hold)], place))

/** Whether the wish is met: by which rule not, and by which holds. */
function meet(world: World, wish: Wish, type: Lengths, moving?: Appointment): Expected {
  const { patientId, startMs, override } = wish
  const place = placesOf(type, startMs)
  const others = [...active(world), ...world.moves].filter(({ id }) => id !== moving?.id)
  const own = others.filter((one) => one.patientId === patientId && meets([one], place.sold))
  const same = own.find((one) => one.startMs === startMs)
  if (same !== undefined) return refusal('already-booked', { appointmentId: same.id })

  const mine = ownHolds(world, patientId, place.blocked)
  const held = mine.some(
    (hold) => hold.startMs === startMs && hold.endMs === place.sold.endMs && hold.visitTypeId === type.id,
  )
  const givingWay = moving === undefined ? mine : [...mine, moving]
  const stays = givingWay.some((one) => dateIn(ZONE, one.startMs) === dateIn(ZONE, startMs))
  const told = world.terms
    .flatMap((terms) =>
      reasons({ offer: offerOf(world, terms, []), visitType: type, nowMs: world.nowMs }, startMs),
    )
    .filter((reason) => !(override && ['too-soon', 'off-grid'].includes(reason)))
    .filter((reason) => !held || ['time-off', 'in-the-past'].includes(reason))
    .filter((reason) => !stays || reason !== 'daily-limit')
  const all = [...new Set(told)].sort()
  if (all.some((reason) => reason !== 'daily-limit')) return refusal('slot-not-offered', { reasons: all })
  if (own.length > 0) return refusal('patient-busy')
  const strangers = [...others, ...live(world).filter((hold) => !mine.includes(hold))]
  if (meets(strangers.map(blocked), place.blocked)) {
    return refusal('slot-taken', { alternatives: nearest(world, type, startMs) })
  }
  if (all.length > 0) return refusal('slot-not-offered', { reasons: all })
  return {
    kind: 'met',
    holdIds: mine.map(({ id }) => id).sort(),
    place: {
      ...place.sold,
      blockedStartMs: place.blocked.startMs,
      blockedEndMs: place.blocked.endMs,
      visitTypeId: type.id,
    },
  }
}

/** The starts of the nearest five open slots, as anybody sees them, that a schedule on its way offers too. */
export function nearest(world: World, visitType: Lengths, aroundMs: number): number[] {
  const [terms] = world.terms
  if (terms === undefined) return []
  const { nowMs } = world
  const scene = { offer: offerOf(world, terms, taken(world)), visitType, nowMs }
  const open: number[] = []
  for (const { startMs, endMs } of terms.windows) {
    for (let ms = startMs; ms < endMs; ms += STEP) if (reasons(scene, ms).length === 0) open.push(ms)
  }
  const scenes = world.terms.map((each) => ({ ...scene, offer: offerOf(world, each, []) }))
  return open
    .sort((a, b) => Math.abs(a - aroundMs) - Math.abs(b - aroundMs) || a - b)
    .slice(0, 5)
    .filter((ms) => scenes.every((each) => reasons(each, ms).length === 0))
}

/** The lengths of what was booked or held. */
const lengthsOf = ({ startMs, endMs, blockedStartMs, blockedEndMs }: Taken) => ({
  durationMinutes: (endMs - startMs) / MINUTE,
  bufferBeforeMinutes: (startMs - blockedStartMs) / MINUTE,
  bufferAfterMinutes: (blockedEndMs - endMs) / MINUTE,
})

const offered = ({ visitTypes }: World, id: string | undefined) => {
  const current = visitTypes.filter(({ archivedAt }) => archivedAt === null)
  return id === undefined ? current[0] : current.find((type) => type.id === id)
}

export function expectBooking(world: World, wish: Wish, holdId: string | undefined): Expected {
  if (!world.bookable) return refusal('doctor-not-found')
  const { patientId, startMs } = wish
  if (holdId === undefined) {
    const type = offered(world, wish.visitTypeId)
    return type === undefined ? refusal('visit-type-not-found') : meet(world, wish, type)
  }
  const hold = live(world).find(({ id }) => id === holdId)
  if (hold === undefined || hold.patientId !== patientId) {
    const became = [...active(world), ...world.moves].find(
      (one) => one.patientId === patientId && one.startMs === startMs,
    )
    return became === undefined
      ? refusal('hold-expired')
      : refusal('already-booked', { appointmentId: became.id })
  }
  const sameType = wish.visitTypeId === undefined || wish.visitTypeId === hold.visitTypeId
  if (hold.startMs !== startMs || !sameType) return refusal('hold-mismatch')
  const type = world.visitTypes.find(({ id }) => id === hold.visitTypeId)
  return type === undefined
    ? refusal('visit-type-not-found')
    : meet(world, wish, { id: type.id, ...lengthsOf(hold) })
}

export function expectHold(world: World, wish: Wish): Expected {
  if (!world.bookable) return refusal('doctor-not-found')
  const type = offered(world, wish.visitTypeId)
  if (type === undefined) return refusal('visit-type-not-found')
  const mine = ownHolds(world, wish.patientId, placesOf(type, wish.startMs).blocked)
  const same = mine.find((hold) => hold.startMs === wish.startMs && hold.visitTypeId === type.id)
  if (same !== undefined) return { kind: 'same', holdIds: [same.id], place: {} }
  return meet(world, { ...wish, override: false }, type)
}

export function expectMove(world: World, known: Appointment, wish: Wish, party: Party): Expected {
  const { status, startMs, cancellableUntilMs } = known
  const from = status === 'pending' && startMs <= world.nowMs ? 'rejected' : status
  if (from !== 'pending' && from !== 'confirmed') return refusal('illegal-transition')
  if (party === 'patient' && world.nowMs > cancellableUntilMs) return refusal('too-late-to-cancel')
  const sameType = wish.visitTypeId === undefined || wish.visitTypeId === known.visitTypeId
  if (sameType && wish.startMs === startMs) return { kind: 'unchanged', holdIds: [], place: {} }
  const own: Lengths = { id: known.visitTypeId, ...lengthsOf(known) }
  const type = sameType ? own : offered(world, wish.visitTypeId)
  if (type === undefined) return refusal('visit-type-not-found')
  return meet(world, { ...wish, patientId: known.patientId }, type, known)
}

/** What time has ended, and when it ends something next. */
export function overdueIn(world: World) {
  const pending = world.appointments.filter(({ status }) => status === 'pending')
  const due = [...pending.map(({ startMs }) => startMs), ...world.holds.map(({ expiresAt }) => expiresAt)]
  return {
    ids: [
      ...pending.filter(({ startMs }) => startMs <= world.nowMs),
      ...world.holds.filter(({ expiresAt }) => expiresAt <= world.nowMs),
    ].map(({ id }) => id),
    nextMs: due.sort((a, b) => a - b)[0],
  }
}

/** The windows of three days, each from one hour of the day to another. */
export const windowsOf = (midnight: number, spans: readonly (readonly [from: number, to: number])[]) =>
  [0, 1, 2].flatMap((day) =>
    spans.map(([from, to]) => ({
      startMs: midnight + day * DAY + from * 60 * MINUTE,
      endMs: midnight + day * DAY + to * 60 * MINUTE,
    })),
  )
