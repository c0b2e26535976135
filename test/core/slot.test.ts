import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Interval } from '../../src/scheduling/core/interval'
import {
  type Busy,
  blockedInterval,
  nearestSlots,
  nextSlot,
  type Offer,
  type SlotVisitType,
  slotFaults,
  slots,
} from '../../src/scheduling/core/slot'
import { openStarts, reasons, type Scene } from './slot-oracle'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
/** Around the long night of New York and the short one. */
const ORIGINS = [Date.UTC(2026, 9, 31), Date.UTC(2026, 2, 7)]

const scenes: fc.Arbitrary<Scene> = fc
  .record({
    origin: fc.constantFrom(...ORIGINS),
    slotMinutes: fc.constantFrom(5, 7, 15, 30, 50),
    minNoticeMinutes: fc.constantFrom(0, 0, 10, 90, 1500),
    horizonDays: fc.integer({ min: 1, max: 3 }),
    dailyLimit: fc.constantFrom(null, null, 0, 2),
    duration: fc.constantFrom(5, 15, 30, 45, 60),
    before: fc.constantFrom(0, 0, 5, 20),
    after: fc.constantFrom(0, 0, 10, 30),
    gaps: fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 400 })), {
      maxLength: 14,
    }),
    timeOff: fc.array(fc.tuple(fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 1, max: 900 })), {
      maxLength: 3,
    }),
    busy: fc.array(
      fc.tuple(
        fc.integer({ min: -100, max: 4300 }),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom(undefined, undefined, -1, 0, 1),
      ),
      { maxLength: 20 },
    ),
    booked: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 }),
    now: fc.integer({ min: -600, max: 2000 }),
  })
  .map((drawn) => {
    const at = (minute: number) => drawn.origin + minute * MINUTE
    const nowMs = at(drawn.now)
    const windows: Interval[] = []
    let minute = 0
    for (const [gap, length] of drawn.gaps) {
      windows.push({ startMs: at(minute + gap), endMs: at(minute + gap + length) })
      minute += gap + length
    }
    const busy: Busy[] = drawn.busy
      .map(([start, length, lapses]) => ({
        startMs: at(start),
        endMs: at(start + length),
        ...(lapses !== undefined && { lapsesAtMs: nowMs + lapses }),
      }))
      .sort((a, b) => a.startMs - b.startMs)
    const timeOff = drawn.timeOff
      .map(([start, length]) => ({ startMs: at(start), endMs: at(start + length) }))
      .sort((a, b) => a.startMs - b.startMs)
    const day = (n: number) => new Date(drawn.origin + n * DAY).toISOString().slice(0, 10)
    const offer: Offer = {
      timeZone: 'America/New_York',
      policy: drawn,
      windows,
      timeOff,
      busy,
      bookedPerDay: Object.fromEntries(drawn.booked.map((count, n) => [day(n - 1), count])),
    }
    const visitType = {
      id: 'vis_1',
      durationMinutes: drawn.duration,
      bufferBeforeMinutes: drawn.before,
      bufferAfterMinutes: drawn.after,
    }
    return { offer, visitType, nowMs }
  })

const EVER = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2027, 0, 1) }
const starts = (list: readonly Interval[]) => list.map(({ startMs }) => startMs)

describe('against every minute of four days', () => {
  test('slots are the open starts of the range', () => {
    fc.assert(
      fc.property(
        scenes,
        fc.integer({ min: 0, max: 4000 }),
        fc.integer({ min: 0, max: 2000 }),
        (scene, from, length) => {
          const { offer, visitType, nowMs } = scene
          expect(starts(slots(offer, visitType, EVER, nowMs))).toEqual(openStarts(scene, EVER))
          const origin = offer.windows[0]?.startMs ?? nowMs
          const range = { startMs: origin + from * MINUTE, endMs: origin + (from + length) * MINUTE }
          expect(starts(slots(offer, visitType, range, nowMs))).toEqual(openStarts(scene, range))
        },
      ),
      { numRuns: 250 },
    )
  })

  test('the faults of any minute are all its reasons but being busy', () => {
    fc.assert(
      fc.property(
        scenes,
        fc.array(fc.integer({ min: -60, max: 4400 }), { minLength: 30, maxLength: 30 }),
        (scene, offsets) => {
          const { offer, visitType, nowMs } = scene
          const origin = offer.windows[0]?.startMs ?? nowMs
          for (const startMs of [
            nowMs - MINUTE,
            nowMs,
            ...offsets.map((offset) => origin + offset * MINUTE),
          ]) {
            const expected = reasons(scene, startMs).filter((reason) => reason !== 'busy')
            expect([...slotFaults(offer, visitType, startMs, nowMs)].sort()).toEqual(expected)
          }
        },
      ),
      { numRuns: 250 },
    )
  })

  test('the next slot is the first, and the nearest are those at the least distance, the earlier first', () => {
    fc.assert(
      fc.property(
        scenes,
        fc.integer({ min: -500, max: 4500 }),
        fc.integer({ min: 0, max: 7 }),
        (scene, around, count) => {
          const { offer, visitType, nowMs } = scene
          const open = openStarts(scene, EVER)
          expect(nextSlot(offer, visitType, nowMs)?.startMs).toBe(open[0])
          const aroundMs = (offer.windows[0]?.startMs ?? nowMs) + around * MINUTE
          const distance = (ms: number) => Math.abs(ms - aroundMs)
          const nearest = open.sort((a, b) => distance(a) - distance(b) || a - b).slice(0, count)
          expect(starts(nearestSlots(offer, visitType, aroundMs, nowMs, count))).toEqual(nearest)
        },
      ),
      { numRuns: 250 },
    )
  })
})

const visit = (durationMinutes: number, bufferBeforeMinutes = 0, bufferAfterMinutes = 0): SlotVisitType => ({
  id: 'vis_1',
  durationMinutes,
  bufferBeforeMinutes,
  bufferAfterMinutes,
})
const at = (text: string) => Date.parse(`2026-01-05T${text}:00Z`)
const offerOf = (more: Partial<Offer> = {}, policy: Partial<Offer['policy']> = {}): Offer => ({
  timeZone: 'UTC',
  policy: { slotMinutes: 30, minNoticeMinutes: 0, horizonDays: 30, dailyLimit: null, ...policy },
  windows: [{ startMs: at('09:00'), endMs: at('11:00') }],
  timeOff: [],
  busy: [],
  bookedPerDay: {},
  ...more,
})
const shown = (offer: Offer, visitType = visit(30), now = '00:00') =>
  slots(offer, visitType, EVER, at(now)).map(({ startMs }) => new Date(startMs).toISOString().slice(11, 16))

describe('by example', () => {
  test('a grid from the start of the window, as long as the visit fits', () => {
    expect(shown(offerOf())).toEqual(['09:00', '09:30', '10:00', '10:30'])
    expect(shown(offerOf(), visit(45))).toEqual(['09:00', '09:30', '10:00'])
    expect(slots(offerOf(), visit(45), EVER, 0)[0]).toBeUndefined()
    expect(slots(offerOf(), visit(45), EVER, at('00:00'))[0]).toEqual({
      startMs: at('09:00'),
      endMs: at('09:45'),
      visitTypeId: 'vis_1',
    })
  })

  test('buffers count against what is booked, not against the hours', () => {
    const busy = [{ startMs: at('09:30'), endMs: at('10:00') }]
    expect(shown(offerOf({ busy }))).toEqual(['09:00', '10:00', '10:30'])
    expect(shown(offerOf({ busy }), visit(30, 0, 5))).toEqual(['10:00', '10:30'])
    expect(shown(offerOf({ busy }), visit(30, 5, 0))).toEqual(['09:00', '10:30'])
    expect(blockedInterval(visit(30, 5, 10), at('09:30'))).toEqual({
      startMs: at('09:25'),
      endMs: at('10:10'),
    })
  })

  test('a hold blocks until the instant at which it lapses', () => {
    const busy = [{ startMs: at('09:30'), endMs: at('10:00'), lapsesAtMs: at('08:00') }]
    expect(shown(offerOf({ busy }), visit(30), '07:59')).not.toContain('09:30')
    expect(shown(offerOf({ busy }), visit(30), '08:00')).toContain('09:30')
  })

  test('now itself may still be booked; the horizon is the last start', () => {
    expect(shown(offerOf(), visit(30), '09:30')).toEqual(['09:30', '10:00', '10:30'])
    expect(slotFaults(offerOf(), visit(30), at('09:30'), at('09:30'))).toEqual([])
    const oneDay = offerOf({}, { horizonDays: 1 })
    const now = at('09:30') - DAY
    expect(starts(slots(oneDay, visit(30), EVER, now))).toEqual([at('09:00'), at('09:30')])
    expect(slotFaults(oneDay, visit(30), at('10:00'), now)).toEqual(['beyond-horizon'])
  })

  test('a window that begins at the horizon gives the last start, from either side', () => {
    const oneDay = offerOf({}, { horizonDays: 1 })
    const now = at('09:00') - DAY
    expect(starts(nearestSlots(oneDay, visit(30), now, now, 9))).toEqual([at('09:00')])
    expect(starts(nearestSlots(oneDay, visit(30), at('23:00'), now, 9))).toEqual([at('09:00')])
  })

  test('every reason is told', () => {
    const offer = offerOf(
      { timeOff: [{ startMs: at('10:45'), endMs: at('12:00') }], bookedPerDay: { '2026-01-05': 3 } },
      { dailyLimit: 3 },
    )
    expect(slotFaults(offer, visit(30), at('10:40'), at('10:50'))).toEqual([
      'outside-hours',
      'time-off',
      'off-grid',
      'in-the-past',
      'daily-limit',
    ])
  })
})

describe('cost', () => {
  const NOW = Date.UTC(2026, 0, 1)
  const days = Array.from({ length: 366 }, (_, n) => NOW + n * DAY)
  const windows = days.map((day) => ({ startMs: day + 540 * MINUTE, endMs: day + 1020 * MINUTE }))
  const full = windows.flatMap(({ startMs }) =>
    Array.from({ length: 32 }, (_, n) => ({
      startMs: startMs + n * 15 * MINUTE,
      endMs: startMs + (n + 1) * 15 * MINUTE,
    })),
  )
  const year = (busy: readonly Busy[], more: Partial<Offer> = {}) =>
    offerOf({ windows, busy, ...more }, { slotMinutes: 15, horizonDays: 366 })
  const took = (name: string, times: number, run: () => unknown) => {
    run()
    const startedMs = performance.now()
    for (let i = 0; i < times; i++) run()
    const tookMs = (performance.now() - startedMs) / times
    console.log(`${name}: ${tookMs} ms`)
    return tookMs
  }

  test('a year of full windows but for its last slot', () => {
    const offer = year(full.slice(0, -1))
    expect(nextSlot(offer, visit(15), NOW)?.startMs).toBe(full.at(-1)?.startMs)
    expect(nextSlot(year(full), visit(15), NOW)).toBeUndefined()
    expect(nearestSlots(year(full), visit(15), NOW + 100 * DAY, NOW, 5)).toEqual([])
    expect(took('nextSlot, full year', 10, () => nextSlot(offer, visit(15), NOW))).toBeLessThan(100)
    expect(
      took('nearestSlots, full year', 50, () => nearestSlots(year(full), visit(15), NOW + 100 * DAY, NOW, 5)),
    ).toBeLessThan(25)
    const limited = { ...offer, policy: { ...offer.policy, dailyLimit: 0 }, busy: [] }
    expect(took('nextSlot, daily limit', 10, () => nextSlot(limited, visit(15), NOW))).toBeLessThan(100)
  })

  test('a day of a year, and the nearest of a half-full year', () => {
    const half = year(full.filter((_, n) => n % 2 === 0))
    const range = { startMs: NOW + 200 * DAY, endMs: NOW + 201 * DAY }
    expect(took('slots, one day', 200, () => slots(half, visit(15), range, NOW))).toBeLessThan(5)
    expect(
      took('slots, 62 days', 20, () => slots(half, visit(15), { ...range, endMs: NOW + 262 * DAY }, NOW)),
    ).toBeLessThan(50)
    expect(
      took('nearestSlots, half full', 500, () => nearestSlots(half, visit(15), range.startMs, NOW, 5)),
    ).toBeLessThan(5)
  })

  test('the nearest slot behind a long full stretch on one side is still found on the other', () => {
    const around = NOW + 100 * DAY
    const offer = year(full.filter(({ startMs }) => startMs >= around))
    expect(nearestSlots(offer, visit(15), around, NOW, 1)[0]?.startMs).toBe(around - DAY + 1005 * MINUTE)
  })
})
