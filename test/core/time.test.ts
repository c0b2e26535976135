import * as fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import {
  addDays,
  DAY_MS,
  dayRange,
  formatInstant,
  isLocalDate,
  isTimeZone,
  localDate,
  MINUTE_MS,
  parseInstant,
  parseLocalEndTime,
  parseLocalTime,
  startOfDay,
  wallToInstant,
} from '../../src/scheduling/core/time'
import { minutesAround, NIGHTS, resolve } from './oracle'

describe('time zones', () => {
  test.each([
    'UTC',
    'Asia/Dhaka',
    'Asia/Calcutta',
    'Asia/Kolkata',
    'America/Argentina/Buenos_Aires',
    'Etc/GMT+6',
    'US/Pacific',
    'EST5EDT',
  ])('%s is one', (id) => expect(isTimeZone(id)).toBe(true))
  test.each([
    '',
    '+06:00',
    '-05',
    'UTC+6',
    'Asia',
    'Asia/Hanoi',
    'BST',
    'IST',
    'ACT',
    'SystemV/AST4',
    'Etc/Unknown',
    ' UTC',
    'UTC ',
    'Asia/Dhaka\u0000',
    'A'.repeat(65),
    '../etc/passwd',
    'null',
  ])('%j is none', (id) => expect(isTimeZone(id)).toBe(false))
  test('junk never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => typeof isTimeZone(text) === 'boolean'))
  })
})

describe('instants', () => {
  test.each<[string, number]>([
    ['2026-03-29T01:00:00Z', Date.UTC(2026, 2, 29, 1)],
    ['2026-03-29t01:00:00z', Date.UTC(2026, 2, 29, 1)],
    ['2026-03-29T01:00:00+06:00', Date.UTC(2026, 2, 28, 19)],
    ['2026-03-29T01:00:00-03:30', Date.UTC(2026, 2, 29, 4, 30)],
    ['2026-03-29T01:00:00-00:00', Date.UTC(2026, 2, 29, 1)],
    ['2026-03-29T01:00:00.5Z', Date.UTC(2026, 2, 29, 1, 0, 0, 500)],
    ['2026-03-29T01:00:00.0019999Z', Date.UTC(2026, 2, 29, 1, 0, 0, 1)],
    ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
  ])('%s', (text, ms) => expect(parseInstant(text)).toBe(ms))

  test.each([
    '',
    '2026-03-29',
    '2026-03-29T01:00:00',
    '2026-03-29T01:00Z',
    '2026-03-29T01:00:60Z',
    '2026-03-29T24:00:00Z',
    '2026-02-30T01:00:00Z',
    '2025-02-29T01:00:00Z',
    '2026-13-01T01:00:00Z',
    '2026-00-10T01:00:00Z',
    '2026-03-29 01:00:00Z',
    '2026-03-29T01:00:00+24:00',
    '2026-03-29T01:00:00+06:60',
    '2026-03-29T01:00:00+0600',
    '2026-03-29T01:00:00+06',
    '2026-03-29T01:00:00.Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:00-00:01',
    '+02026-03-29T01:00:00Z',
    '2026-03-29T01:00:00Z ',
    '2026-03-29T01:00:00Z\n',
    '2026-03-29T01:00:00,5Z',
    '2026-3-29T01:00:00Z',
    '٢٠٢٦-03-29T01:00:00Z',
    `2026-03-29T01:00:00.${'0'.repeat(60)}Z`,
  ])('%j is none', (text) => expect(parseInstant(text)).toBeUndefined())

  test('come back from their text, to the second', () => {
    const second = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 })
    fc.assert(fc.property(second, (s) => parseInstant(formatInstant(s * 1000)) === s * 1000))
    expect(formatInstant(1999)).toBe('1970-01-01T00:00:01Z')
  })
})

test('local dates and times', () => {
  for (const text of ['2026-01-31', '2024-02-29', '0001-01-01', '9999-12-31'])
    expect(isLocalDate(text)).toBe(true)
  for (const text of [
    '2026-02-29',
    '2026-1-31',
    '0000-01-01',
    '2026-04-31',
    '2026-01-00',
    '20260131',
    '2026-01-31T',
    '',
  ])
    expect(isLocalDate(text), text).toBe(false)
  expect(['00:00', '09:30', '23:59', '24:00', '9:00', '09:60', '25:00', ''].map(parseLocalTime)).toEqual([
    0,
    570,
    1439,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(['24:00', '23:59', '24:01', '00:00'].map(parseLocalEndTime)).toEqual([1440, 1439, undefined, 0])
  expect([addDays('2024-02-28', 1), addDays('2026-01-01', -1), addDays('2026-01-01', 365)]).toEqual([
    '2024-02-29',
    '2025-12-31',
    '2027-01-01',
  ])
  expect(() => addDays('9999-12-31', 1)).toThrow(RangeError)
})

describe('wall clocks', () => {
  const zones = [
    'Europe/Dublin',
    'Africa/Casablanca',
    'Asia/Gaza',
    'America/Nuuk',
    'Antarctica/Troll',
    'America/Toronto',
    'Asia/Pyongyang',
    'Pacific/Kwajalein',
    ...NIGHTS.map(([zone]) => zone),
  ]
  const day = fc.integer({ min: -20_000, max: 30_000 })

  test('agree with Temporal in any year since 1915', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), day, fc.integer({ min: 0, max: 1440 }), (zone, n, minute) => {
        const date = addDays('1970-01-01', n)
        const plain = Temporal.PlainDate.from(date)
        const wall = plain.toPlainDateTime().add({ minutes: minute }).toZonedDateTime(zone)
        expect(wallToInstant(date, minute, zone)).toBe(wall.epochMilliseconds)
        expect(startOfDay(date, zone)).toBe(plain.toZonedDateTime(zone).epochMilliseconds)
        const ms = n * DAY_MS + minute * MINUTE_MS
        expect(localDate(ms, zone)).toBe(
          Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone).toPlainDate().toString(),
        )
      }),
      { numRuns: 3000 },
    )
  })

  test.each(NIGHTS)('%s around %s: every tenth minute as the clock shows it', (zone, date) => {
    const minutes = minutesAround(zone, date, 3)
    for (const one of [addDays(date, -1), date, addDays(date, 1)]) {
      for (let minute = 0; minute <= 1440; minute += 10) {
        const wall = Date.parse(`${one}T00:00:00Z`) + minute * MINUTE_MS
        expect(wallToInstant(one, minute, zone), `${one} ${minute}`).toBe(resolve(minutes, wall))
      }
      const first = minutes.find(({ wall }) => wall >= Date.parse(`${one}T00:00:00Z`))
      expect(startOfDay(one, zone)).toBe(first?.ms)
    }
    for (const { ms, wall } of minutes)
      expect(localDate(ms, zone)).toBe(new Date(wall).toISOString().slice(0, 10))
  })

  test('midnight that is skipped, a gap that begins before it, and a date that is skipped', () => {
    expect(formatInstant(startOfDay('2026-03-29', 'Asia/Beirut'))).toBe('2026-03-28T22:00:00Z')
    // Toronto went from 23:30 to 00:30; `compatible` would begin the day at 01:00.
    expect(formatInstant(startOfDay('1919-03-31', 'America/Toronto'))).toBe('1919-03-31T04:30:00Z')
    const apia = dayRange('2011-12-30', '2011-12-30', 'Pacific/Apia')
    expect(apia).toEqual({ startMs: Date.UTC(2011, 11, 30, 10), endMs: Date.UTC(2011, 11, 30, 10) })
    expect(dayRange('2026-03-08', '2026-03-08', 'America/New_York')).toEqual({
      startMs: Date.UTC(2026, 2, 8, 5),
      endMs: Date.UTC(2026, 2, 9, 4),
    })
  })

  test('more days and zones than are remembered', () => {
    for (let n = 0; n < 3000; n++)
      expect(localDate(n * DAY_MS + 1, 'Asia/Dhaka')).toBe(addDays('1970-01-01', n))
    const ids = Intl.supportedValuesOf('timeZone')
    const read = () => ids.map((id) => wallToInstant('2026-06-01', 600, id))
    expect(read()).toEqual(read())
  })

  test('are cheap', () => {
    const startedMs = performance.now()
    for (let n = 0; n < 100_000; n++)
      localDate(Date.UTC(2026, 0, 1) + (n % 400) * 23 * 3_600_000, 'America/New_York')
    const middleMs = performance.now()
    for (let n = 0; n < 100_000; n++) wallToInstant('2026-06-15', n % 1440, 'America/New_York')
    const [date, wall] = [(middleMs - startedMs) / 100, (performance.now() - middleMs) / 100]
    console.log(`localDate ${date} µs, wallToInstant ${wall} µs`)
    expect(date + wall).toBeLessThan(20)
  })
})
