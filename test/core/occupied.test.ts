/** What is taken, and what counts for a day, against lists that are walked from end to end. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DayCounts } from '#scheduling/core/day-counts'
import { type Interval, MAX_BLOCKED_MINUTES } from '#scheduling/core/interval'
import { type Occupant, Occupied } from '#scheduling/core/occupied'
import { DAY, HOUR, MIDNIGHT, MINUTE } from './calendars'
import { dateIn } from './slot-oracle'

const LONGEST = MAX_BLOCKED_MINUTES * MINUTE

const interval: fc.Arbitrary<Interval> = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]) => ({ startMs: start * HOUR, endMs: (start + length) * HOUR }))

const steps = fc.array(
  fc.record({ key: fc.nat(9), interval, removed: fc.integer({ min: 0, max: 3 }).map((n) => n === 0) }),
  { maxLength: 30 },
)

const occupantOf = (key: string, { startMs, endMs }: Interval): Occupant => ({
  id: key,
  patientId: 'usr_a',
  startMs,
  endMs,
  sold: { startMs, endMs },
})

const meets = (a: Interval, b: Interval) => a.startMs < b.endMs && b.startMs < a.endMs
const byStart = (a: Interval, b: Interval) => a.startMs - b.startMs
const odd = ({ id }: Occupant) => Number(id) % 2 === 1

describe('What is occupied', () => {
  it('is what was put last under each key, sorted, and found as a full walk finds it', () => {
    fc.assert(
      fc.property(steps, fc.array(interval, { maxLength: 5 }), (taken, asked) => {
        const occupied = new Occupied()
        const list = new Map<string, Occupant>()
        for (const { key, interval: place, removed } of taken) {
          const name = String(key)
          if (removed) {
            occupied.remove(name)
            list.delete(name)
          } else {
            const occupant = occupantOf(name, place)
            occupied.put(name, occupant)
            list.set(name, occupant)
          }
          expect(new Set(occupied.all)).toEqual(new Set(list.values()))
          expect(occupied.all).toEqual([...occupied.all].sort(byStart))
        }
        for (const range of asked) {
          const there = [...list.values()].filter((one) => meets(one, range))
          const found = occupied.overlapping(range)
          expect(new Set(found)).toEqual(new Set(there))
          expect(found).toEqual([...found].sort(byStart))
          expect(occupied.blocks(range, () => true)).toBe(there.length > 0)
          expect(occupied.blocks(range, odd)).toBe(there.some(odd))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is found as far back as the longest visit reaches, to the millisecond', () => {
    const occupied = new Occupied()
    occupied.put('long', occupantOf('long', { startMs: 0, endMs: LONGEST }))
    expect(occupied.overlapping({ startMs: LONGEST - 1, endMs: LONGEST + HOUR })).toHaveLength(1)
    expect(occupied.overlapping({ startMs: LONGEST, endMs: LONGEST + HOUR })).toEqual([])
  })

  it('is told by its key: two places of one appointment stand beside each other', () => {
    const occupied = new Occupied()
    occupied.put('apt', occupantOf('apt', { startMs: 0, endMs: HOUR }))
    occupied.put('apt moving', occupantOf('apt', { startMs: 0, endMs: HOUR }))
    occupied.remove('apt')
    occupied.remove('apt')
    expect(occupied.all).toHaveLength(1)
    occupied.remove('apt moving')
    expect(occupied.all).toEqual([])
  })
})

describe('What counts for a day', () => {
  const counts = (list: Map<string, number>, timeZone: string) => {
    const days: Record<string, number> = {}
    for (const startMs of list.values()) {
      const day = dateIn(timeZone, startMs)
      days[day] = (days[day] ?? 0) + 1
    }
    return days
  }
  const told = (days: DayCounts) =>
    Object.fromEntries(Object.entries(days.perDay).filter(([, count]) => count !== 0))

  it('is each thing once, on the day of its start in the zone of the moment', () => {
    const zones = ['Asia/Dhaka', 'UTC', 'America/New_York']
    const change = fc.record({
      key: fc.nat(6),
      startMs: fc.integer({ min: 0, max: 72 }).map((hour) => MIDNIGHT + (hour * HOUR) / 2),
      kind: fc.constantFrom('set', 'set', 'set', 'delete', 'zone'),
      zone: fc.constantFrom(...zones),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const days = new DayCounts('Asia/Dhaka')
        const list = new Map<string, number>()
        let current = 'Asia/Dhaka'
        for (const { key, startMs, kind, zone } of changes) {
          const name = String(key)
          if (kind === 'zone') {
            current = zone
            days.setTimeZone(zone)
          } else if (kind === 'delete') {
            list.delete(name)
            days.delete(name)
          } else {
            list.set(name, startMs)
            days.set(name, startMs)
          }
          expect(told(days)).toEqual(counts(list, current))
        }
      }),
      { numRuns: 100 },
    )
  })

  it('ends at midnight of the zone', () => {
    const days = new DayCounts('Asia/Dhaka')
    days.set('last', MIDNIGHT + DAY - 1)
    days.set('first', MIDNIGHT + DAY)
    expect(told(days)).toEqual({ '2026-03-02': 1, '2026-03-03': 1 })
  })
})
