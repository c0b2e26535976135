/** What a run of decisions is drawn from: schedules, wishes, and what else happens to a calendar. */
import fc from 'fast-check'
import type { Party } from '#scheduling/core/appointment'
import type { Policy } from '#scheduling/core/schedule'
import { type Terms, windowsOf } from './booking-oracle'
import { DAY, daily, HOUR, hours, MIDNIGHT, MINUTE } from './calendars'

/** An hour from midnight on, beside evenings that end there: it has a grid of its own. */
export const OPENING = { id: 'opn_1', startMs: MIDNIGHT + DAY, endMs: MIDNIGHT + DAY + HOUR, version: 1 }
export const TIME_OFF = {
  id: 'off_1',
  startMs: MIDNIGHT + 10 * HOUR,
  endMs: MIDNIGHT + 10.75 * HOUR,
  reason: null,
}
const HOURS = [
  {
    rules: [daily('09:00', '12:00'), daily('20:00', '24:00')],
    spans: [
      [9, 12],
      [20, 24],
    ],
  },
  {
    rules: [daily('09:00', '11:00'), daily('13:00', '15:00')],
    spans: [
      [9, 11],
      [13, 15],
    ],
  },
] as const

/** A policy, and which of the hours above go with it. */
export interface Drawn extends Policy {
  readonly hours: number
}

export interface DrawnWish {
  readonly kind: 'book' | 'hold' | 'move'
  readonly patient: number
  readonly startMs: number
  readonly type: string | undefined
  readonly override: boolean
  readonly party: Party
  /** Which of several is meant. */
  readonly nth: number
  readonly withHold: 'none' | 'own' | 'any' | 'lost'
}

export interface DrawnChange {
  readonly kind:
    | 'settle'
    | 'fail'
    | 'act'
    | 'release'
    | 'pass'
    | 'lapse'
    | 'off'
    | 'hours'
    | 'visit-type'
    | 'verify'
  readonly nth: number
  readonly action: 'approve' | 'cancel' | 'start' | 'complete' | 'no-show'
  readonly passedMs: number
  readonly policy: Drawn
}

export const scheduleOf = ({ hours: index, ...policy }: Drawn) => ({
  ...hours,
  ...policy,
  rules: [...(HOURS[index]?.rules ?? [])],
})
export const termsOf = ({ hours: index, ...policy }: Drawn): Terms => ({
  ...policy,
  windows: [...windowsOf(MIDNIGHT, HOURS[index]?.spans ?? []), OPENING].sort((a, b) => a.startMs - b.startMs),
})

export const policies: fc.Arbitrary<Drawn> = fc.record({
  hours: fc.nat(1),
  slotMinutes: fc.constantFrom(10, 15, 30, 50),
  minNoticeMinutes: fc.constantFrom(0, 0, 0, 90),
  horizonDays: fc.constantFrom(1, 2, 2),
  dailyLimit: fc.constantFrom(null, null, 2, 4),
  approval: fc.constantFrom('auto', 'manual'),
  cancellationNoticeMinutes: fc.constantFrom(0, 120),
})

/** Starts so near each other that they meet, most of them on a grid; and a few where nothing is. */
const starts = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(9, 9, 9, 10, 10, 23, 24) },
      { weight: 1, arbitrary: fc.constantFrom(-1, 11, 16, 33, 57) },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 0, 30) },
      { weight: 1, arbitrary: fc.constantFrom(5, 15, 20, 45, 50) },
    ),
  )
  .map(([hourOfDay, minute]) => MIDNIGHT + hourOfDay * HOUR + minute * MINUTE)

export const wishes: fc.Arbitrary<DrawnWish> = fc.record({
  kind: fc.constantFrom('book', 'book', 'hold', 'hold', 'move', 'move'),
  patient: fc.nat(2),
  startMs: starts,
  type: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(undefined, 'vis_half', 'vis_hour', 'vis_video') },
    { weight: 1, arbitrary: fc.constant('vis_none') },
  ),
  override: fc.boolean(),
  party: fc.constantFrom<Party>('patient', 'doctor', 'admin'),
  nth: fc.nat(20),
  withHold: fc.constantFrom('none', 'none', 'own', 'own', 'any', 'lost'),
})
export const changes: fc.Arbitrary<DrawnChange> = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('settle', 'fail', 'act', 'release', 'pass') },
    { weight: 1, arbitrary: fc.constantFrom('lapse', 'off', 'hours', 'visit-type', 'verify') },
  ),
  nth: fc.nat(20),
  action: fc.constantFrom('approve', 'cancel', 'start', 'complete', 'no-show'),
  passedMs: fc.constantFrom(0, 1, 1, 5 * MINUTE - 1, 5 * MINUTE, HOUR, 9 * HOUR),
  policy: policies,
})
