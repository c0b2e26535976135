import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  contains,
  firstOverlap,
  type Interval,
  overlaps,
  subtract,
  subtractAll,
  union,
} from '../../src/scheduling/core/interval'

const END = 40
const one: fc.Arbitrary<Interval> = fc
  .tuple(fc.integer({ min: 0, max: END }), fc.integer({ min: 0, max: 12 }))
  .map(([startMs, length]) => ({ startMs, endMs: startMs + length }))
const many = fc.array(one, { maxLength: 8 })
const disjoint = many.map((list) => union(list))

/** The instants of a list, one by one: what every function here is held against. */
function instants(list: readonly Interval[]): Set<number> {
  const found = new Set<number>()
  for (const { startMs, endMs } of list) for (let ms = startMs; ms < endMs; ms++) found.add(ms)
  return found
}
const without = (list: readonly Interval[], cuts: readonly Interval[]) => {
  const cut = instants(cuts)
  return new Set([...instants(list)].filter((ms) => !cut.has(ms)))
}
const sortedAndDisjoint = (list: readonly Interval[]) =>
  list.every((a, i) => a.startMs < a.endMs && a.startMs >= (list[i - 1]?.endMs ?? -1))

describe('two intervals', () => {
  test('overlap if they share an instant, and contain by instants', () => {
    fc.assert(
      fc.property(one, one, (a, b) => {
        const [inA, inB] = [instants([a]), instants([b])]
        expect(overlaps(a, b)).toBe([...inB].some((ms) => inA.has(ms)))
        expect(contains(a, b)).toBe([...inB].every((ms) => inA.has(ms)))
      }),
      { numRuns: 500 },
    )
  })

  test('that abut do not overlap', () => {
    expect(overlaps({ startMs: 0, endMs: 5 }, { startMs: 5, endMs: 9 })).toBe(false)
    expect(overlaps({ startMs: 0, endMs: 6 }, { startMs: 5, endMs: 9 })).toBe(true)
  })
})

describe('lists', () => {
  test('subtract leaves what the cuts lack, sorted and disjoint, whatever their order', () => {
    fc.assert(
      fc.property(one, many, (from, cuts) => {
        const rest = subtract(from, cuts)
        expect(instants(rest)).toEqual(without([from], cuts))
        expect(sortedAndDisjoint(rest)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('subtractAll cuts each and keeps those apart that abut', () => {
    fc.assert(
      fc.property(disjoint, many, (froms, cuts) => {
        const rest = subtractAll(froms, cuts)
        expect(instants(rest)).toEqual(without(froms, cuts))
        expect(sortedAndDisjoint(rest)).toBe(true)
      }),
      { numRuns: 500 },
    )
    const abutting = [
      { startMs: 0, endMs: 5 },
      { startMs: 5, endMs: 9 },
    ]
    expect(subtractAll(abutting, [{ startMs: 7, endMs: 8 }])).toEqual([
      { startMs: 0, endMs: 5 },
      { startMs: 5, endMs: 7 },
      { startMs: 8, endMs: 9 },
    ])
  })

  test('union has every instant once, and a gap between any two', () => {
    fc.assert(
      fc.property(many, (list) => {
        const merged = union(list)
        expect(instants(merged)).toEqual(instants(list))
        for (const [i, { startMs }] of merged.entries()) {
          expect(startMs).toBeGreaterThan(merged[i - 1]?.endMs ?? -1)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('firstOverlap finds what a full scan finds', () => {
    const sorted = many.map((list) => [...list].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs))
    fc.assert(
      fc.property(sorted, one, fc.boolean(), (list, interval, odd) => {
        const counts = (entry: Interval) => !odd || entry.startMs % 2 === 1
        const scanned = list.find((entry) => overlaps(entry, interval) && counts(entry))
        expect(firstOverlap(list, interval, counts, 12)).toBe(scanned)
      }),
      { numRuns: 1000 },
    )
  })

  test('firstOverlap looks at what is near, however long the list', () => {
    let looked = 0
    const entry = (n: number) => ({
      endMs: n * 3_600_000 + 1_800_000,
      get startMs() {
        looked++
        return n * 3_600_000
      },
    })
    const list = Array.from({ length: 10_000 }, (_, n) => entry(n))
    expect(
      firstOverlap(list, { startMs: 9_000 * 3_600_000 + 1_800_000, endMs: 9_001 * 3_600_000 }),
    ).toBeUndefined()
    expect(firstOverlap(list, { startMs: 9_000 * 3_600_000, endMs: 9_001 * 3_600_000 })).toBe(list[9_000])
    expect(looked).toBeLessThan(150)
  })
})
