import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AvailabilityRule,
  checkRules,
  offeredWindows,
  windows,
} from '../../src/scheduling/core/availability'
import type { Interval } from '../../src/scheduling/core/interval'
import { dateOfDay, dayNumber, dayRange, formatInstant } from '../../src/scheduling/core/time'
import { daysOf, minutesAround, NIGHTS, type Pattern, patternText, resolve } from './oracle'

const DAY = 86_400_000
const rule = (rrule: string, more: Partial<AvailabilityRule> = {}): AvailabilityRule => ({
  rrule,
  startTime: '09:00',
  endTime: '12:00',
  startDate: '2026-01-01',
  ...more,
})
const text = ({ startMs, endMs }: Interval) => `${formatInstant(startMs)}/${formatInstant(endMs)}`
/** The dates in UTC on which a rule has windows. */
const dates = (one: AvailabilityRule, from: string, to: string): string[] =>
  windows([one], 'UTC', dayRange(from, to, 'UTC')).map(({ startMs }) => formatInstant(startMs).slice(0, 10))
const codes = (rules: AvailabilityRule[], timeZone = 'UTC', today = '2026-01-01') =>
  checkRules(rules, timeZone, today).map(({ rule: index, member, code }) => `${index} ${member} ${code}`)

const patterns: fc.Arbitrary<Pattern> = fc
  .constantFrom<Pattern['freq']>('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY')
  .chain((freq) => {
    const some = <T>(one: fc.Arbitrary<T>, maxLength = 3) =>
      fc.option(fc.uniqueArray(one, { minLength: 1, maxLength }), { nil: undefined })
    const signed = (max: number) => fc.integer({ min: -max, max }).filter((n) => n !== 0)
    const numbered = freq === 'MONTHLY' || freq === 'YEARLY'
    const ordinal = numbered ? fc.oneof(fc.constant(0), signed(freq === 'MONTHLY' ? 5 : 52)) : fc.constant(0)
    const byDay = some(fc.record({ ordinal, weekday: fc.integer({ min: 0, max: 6 }) }), 4)
    return fc
      .record({
        freq: fc.constant(freq),
        interval: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 })),
        byDay,
        byMonthDay: freq === 'WEEKLY' ? fc.constant(undefined) : some(signed(31)),
        byYearDay: freq === 'YEARLY' ? some(signed(366)) : fc.constant(undefined),
        byMonth: some(fc.integer({ min: 1, max: 12 })),
        bySetPos: some(signed(5), 2),
        weekStart: fc.integer({ min: 0, max: 6 }),
        count: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
      })
      .map(supported)
  })

/** Without the combinations that are refused. */
function supported(drawn: Pattern): Pattern {
  let pattern = drawn
  if (pattern.byYearDay !== undefined)
    pattern = { ...pattern, byDay: undefined, byMonth: undefined, byMonthDay: undefined }
  const numbered = pattern.byDay?.some(({ ordinal }) => ordinal !== 0)
  if (numbered && pattern.freq === 'YEARLY') pattern = { ...pattern, byMonthDay: undefined }
  const plain = new Set(pattern.byDay?.filter(({ ordinal }) => ordinal === 0).map(({ weekday }) => weekday))
  // A numbered weekday may stand beside the same one plain, which says all that it says.
  if (plain.size > 0)
    pattern = { ...pattern, byDay: pattern.byDay?.filter(({ weekday }) => plain.has(weekday)) }
  const chosen = pattern.byDay ?? pattern.byMonthDay ?? pattern.byYearDay ?? pattern.byMonth
  return chosen === undefined ? { ...pattern, bySetPos: undefined } : pattern
}

describe('the dates of a rule', () => {
  test('are those of RFC 5545, day by day', () => {
    const start = fc.integer({ min: dayNumber('2016-01-01'), max: dayNumber('2026-12-31') })
    fc.assert(
      fc.property(patterns, start, fc.integer({ min: 0, max: 4000 }), (pattern, startDay, later) => {
        const from = startDay + later - 200
        const expected = daysOf(pattern, startDay, from + 800).filter((day) => day >= from)
        const one = rule(patternText(pattern), { startDate: dateOfDay(startDay) })
        expect(dates(one, dateOfDay(from), dateOfDay(from + 800)), one.rrule).toEqual(expected.map(dateOfDay))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('dates by example', () => {
  test.each([
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU', {}, ['2026-01-13', '2026-01-27', '2026-02-10', '2026-02-24']],
    ['FREQ=MONTHLY;BYDAY=2TU', {}, ['2026-01-13', '2026-02-10']],
    ['FREQ=MONTHLY;BYMONTHDAY=31', {}, ['2026-01-31']],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', {}, ['2026-01-31', '2026-02-28']],
    ['FREQ=MONTHLY', { startDate: '2025-12-29' }, ['2026-01-29']],
    ['FREQ=WEEKLY;COUNT=3', { startDate: '2025-12-30' }, ['2026-01-06', '2026-01-13']],
    ['FREQ=DAILY;UNTIL=20260103', {}, ['2026-01-01', '2026-01-02', '2026-01-03']],
    ['FREQ=DAILY;UNTIL=20260102T000000Z', {}, ['2026-01-01', '2026-01-02']],
    ['FREQ=DAILY', { endDate: '2026-01-02' }, ['2026-01-01', '2026-01-02']],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', {}, ['2026-01-30', '2026-02-27']],
    ['freq=weekly;byday=+1fr', {}, undefined],
    ['freq=monthly;byday=+1fr', {}, ['2026-01-02', '2026-02-06']],
  ])('%s %j', (rrule, more, expected) => {
    const one = rule(rrule, more)
    if (expected === undefined) expect(codes([one])).toEqual(['0 rrule rrule-malformed'])
    else expect(dates(one, '2026-01-01', '2026-02-28')).toEqual(expected)
  })

  test('a start date that does not match is no occurrence, and COUNT does not count it', () => {
    expect(dates(rule('FREQ=WEEKLY;BYDAY=FR;COUNT=2'), '2026-01-01', '2026-02-28')).toEqual([
      '2026-01-02',
      '2026-01-09',
    ])
  })

  test('an UNTIL in UTC ends on its date in the zone of the schedule', () => {
    const one = rule('FREQ=DAILY;UNTIL=20260103T030000Z')
    const range = dayRange('2026-01-01', '2026-01-31', 'UTC')
    expect(windows([one], 'America/New_York', range)).toHaveLength(2)
    expect(windows([one], 'Asia/Dhaka', range)).toHaveLength(3)
  })

  test('29 February', () => {
    expect(dates(rule('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29'), '2026-01-01', '2033-01-01')).toEqual([
      '2028-02-29',
      '2032-02-29',
    ])
  })
})

const minutesOfNight = new Map<string, ReturnType<typeof minutesAround>>()
function minutesOf(zone: string, date: string) {
  const key = `${zone} ${date}`
  const known = minutesOfNight.get(key) ?? minutesAround(zone, date, 6)
  minutesOfNight.set(key, known)
  return known
}
const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

describe('windows', () => {
  const times = fc
    .tuple(fc.integer({ min: 0, max: 143 }), fc.integer({ min: 1, max: 144 }))
    .filter(([start, end]) => start < end)
    .map(([start, end]): [number, number] => [start * 10, end * 10])

  test('hold the instants between their two ends, each found by walking the wall clock, and no instant twice', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NIGHTS),
        fc.array(times, { minLength: 1, maxLength: 4 }),
        ([zone, date], spans) => {
          const minutes = minutesOf(zone, date)
          const day = dayNumber(date)
          const rules = spans.map(([start, end]) =>
            rule('FREQ=DAILY', {
              startDate: dateOfDay(day - 30),
              startTime: clock(start),
              endTime: clock(end),
            }),
          )
          const range = { startMs: (day - 1) * DAY, endMs: (day + 2) * DAY }
          const found = windows(rules, zone, range)
          const walked: Interval[] = []
          for (let d = day - 3; d <= day + 3; d++) {
            for (const [start, end] of spans) {
              const wall = (minute: number) => d * DAY + minute * 60_000
              walked.push({ startMs: resolve(minutes, wall(start)), endMs: resolve(minutes, wall(end)) })
            }
          }
          const lies = (list: Interval[], ms: number) =>
            list.some(({ startMs, endMs }) => startMs <= ms && ms < endMs)
          for (let ms = range.startMs; ms < range.endMs; ms += 600_000) {
            expect(lies(found, ms), formatInstant(ms)).toBe(lies(walked, ms))
          }
          for (const [i, one] of found.entries()) {
            expect(one.startMs).toBeLessThan(one.endMs)
            expect(one.startMs).toBeGreaterThanOrEqual(found[i - 1]?.endMs ?? -Infinity)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  const night = (zone: string, date: string, ...spans: [string, string][]) =>
    windows(
      spans.map(([startTime, endTime]) =>
        rule('FREQ=DAILY', { startTime, endTime, startDate: date, endDate: date }),
      ),
      zone,
      { startMs: Date.parse(`${date}T00:00:00Z`) - DAY, endMs: Date.parse(`${date}T00:00:00Z`) + 3 * DAY },
    ).map(text)

  test.each<[string, string, [string, string][], string[]]>([
    ['America/New_York', '2026-03-08', [['01:00', '04:00']], ['2026-03-08T06:00:00Z/2026-03-08T08:00:00Z']],
    ['America/New_York', '2026-11-01', [['01:00', '04:00']], ['2026-11-01T05:00:00Z/2026-11-01T09:00:00Z']],
    // The end falls into the gap and resolves past the next window's start: the earlier gives way.
    [
      'America/New_York',
      '2026-03-08',
      [
        ['01:00', '02:45'],
        ['03:00', '04:00'],
      ],
      ['2026-03-08T06:00:00Z/2026-03-08T07:00:00Z', '2026-03-08T07:00:00Z/2026-03-08T08:00:00Z'],
    ],
    // Wholly within the gap, its time belongs to the window that has it by the clock.
    [
      'America/New_York',
      '2026-03-08',
      [
        ['02:00', '02:30'],
        ['03:00', '04:00'],
      ],
      ['2026-03-08T07:00:00Z/2026-03-08T08:00:00Z'],
    ],
    [
      'Australia/Lord_Howe',
      '2026-10-04',
      [['01:00', '03:00']],
      ['2026-10-03T14:30:00Z/2026-10-03T16:00:00Z'],
    ],
    ['Asia/Kathmandu', '2026-01-15', [['09:00', '24:00']], ['2026-01-15T03:15:00Z/2026-01-15T18:15:00Z']],
    ['Asia/Beirut', '2026-03-29', [['00:00', '02:00']], ['2026-03-28T22:00:00Z/2026-03-28T23:00:00Z']],
    ['Pacific/Apia', '2011-12-30', [['09:00', '10:00']], ['2011-12-30T19:00:00Z/2011-12-30T20:00:00Z']],
  ])('%s %s %j', (zone, date, spans, expected) => {
    expect(night(zone, date, ...spans)).toEqual(expected)
  })

  test('a date that is skipped does not offer the next one twice', () => {
    const range = dayRange('2011-12-29', '2011-12-31', 'Pacific/Apia')
    const one = rule('FREQ=DAILY', { startDate: '2011-01-01' })
    expect(windows([one], 'Pacific/Apia', range).map(text)).toEqual([
      '2011-12-29T19:00:00Z/2011-12-29T22:00:00Z',
      '2011-12-30T19:00:00Z/2011-12-30T22:00:00Z',
    ])
  })

  test('a window of a date that is skipped is found by the instants it falls on', () => {
    const one = rule('FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30', { startDate: '2011-01-01' })
    const range = dayRange('2011-12-31', '2011-12-31', 'Pacific/Apia')
    expect(windows([one], 'Pacific/Apia', range).map(text)).toEqual([
      '2011-12-30T19:00:00Z/2011-12-30T22:00:00Z',
    ])
  })

  test('are whole where the range cuts them, and left out where it only touches them', () => {
    const at = (time: string) => Date.parse(`2026-01-05T${time}:00Z`)
    const ask = (from: string, to: string) =>
      windows([rule('FREQ=DAILY')], 'UTC', { startMs: at(from), endMs: at(to) })
    expect(ask('11:59', '23:00').map(text)).toEqual(['2026-01-05T09:00:00Z/2026-01-05T12:00:00Z'])
    expect(ask('12:00', '23:00')).toEqual([])
    expect(ask('03:00', '09:00')).toEqual([])
  })

  test('a year of twenty old rules takes milliseconds', () => {
    const rules = Array.from({ length: 20 }, (_, i) =>
      rule(i % 2 ? 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR' : 'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH', {
        startDate: '2015-03-01',
        startTime: clock(i * 60),
        endTime: clock(i * 60 + 60),
      }),
    )
    const range = dayRange('2026-11-20', '2027-11-20', 'America/New_York')
    windows(rules, 'America/New_York', range)
    const startedMs = performance.now()
    for (let i = 0; i < 5; i++) windows(rules, 'America/New_York', range)
    const tookMs = (performance.now() - startedMs) / 5
    console.log(`20 rules × 366 days: ${tookMs} ms`)
    expect(tookMs).toBeLessThan(250)
  })
})

describe('openings beside the rules', () => {
  const spans = fc.array(
    fc
      .tuple(fc.nat(60), fc.integer({ min: 1, max: 15 }))
      .map(([startMs, length]) => ({ startMs, endMs: startMs + length })),
    { maxLength: 6 },
  )
  test('add what the rules lack and cut nothing from the rules', () => {
    fc.assert(
      fc.property(spans, spans, (drawn, openings) => {
        const ruled: Interval[] = []
        for (const one of drawn.sort((a, b) => a.startMs - b.startMs)) {
          if (one.startMs >= (ruled.at(-1)?.endMs ?? 0)) ruled.push(one)
        }
        const offered = offeredWindows(ruled, openings)
        expect(offered).toEqual(expect.arrayContaining(ruled))
        for (let ms = 0; ms < 80; ms++) {
          const within = ({ startMs, endMs }: Interval) => startMs <= ms && ms < endMs
          const expected = ruled.some(within) || openings.some(within) ? 1 : 0
          expect(offered.filter(within)).toHaveLength(expected)
        }
        expect(offered).toEqual([...offered].sort((a, b) => a.startMs - b.startMs))
      }),
    )
  })

  test('do not merge with a window that they abut', () => {
    const [a, b] = [
      { startMs: 0, endMs: 10 },
      { startMs: 10, endMs: 20 },
    ]
    expect(offeredWindows([a], [b])).toEqual([a, b])
  })
})

describe('faults of rules', () => {
  test.each([
    '',
    ';',
    'FREQ',
    'FREQ=DAILY;',
    'RRULE:FREQ=DAILY',
    'FREQ=FORTNIGHTLY',
    'BYDAY=MO',
    'FREQ=DAILY;FREQ=DAILY',
    'FREQ=DAILY;INTERVAL=0',
    'FREQ=DAILY;INTERVAL=-1',
    'FREQ=DAILY;INTERVAL=10001',
    'FREQ=DAILY;COUNT=0',
    'FREQ=DAILY;COUNT=1e3',
    'FREQ=DAILY;COUNT=2;UNTIL=20270101',
    'FREQ=YEARLY;BYDAY=1MO,SU',
    'FREQ=MONTHLY;BYDAY=MO,-1TU',
    'FREQ=DAILY;UNTIL=20260230',
    'FREQ=DAILY;UNTIL=20260101T250000Z',
    'FREQ=DAILY;UNTIL=2026-01-01',
    'FREQ=WEEKLY;BYDAY=XX',
    'FREQ=WEEKLY;BYDAY=',
    'FREQ=WEEKLY;BYDAY=MO,',
    'FREQ=WEEKLY;BYDAY=1MO',
    'FREQ=MONTHLY;BYDAY=0MO',
    'FREQ=MONTHLY;BYDAY=54MO',
    'FREQ=MONTHLY;BYMONTHDAY=32',
    'FREQ=MONTHLY;BYMONTHDAY=0',
    'FREQ=WEEKLY;BYMONTHDAY=1',
    'FREQ=YEARLY;BYMONTH=13',
    'FREQ=YEARLY;BYMONTH=-1',
    'FREQ=DAILY;BYSETPOS=1',
    'FREQ=DAILY;BYDAY=MO;BYSETPOS=0',
    'FREQ=DAILY;WKST=0',
    'FREQ=DAILY\nEXDATE:20260101',
    'FREQ=DAILY\r\nRDATE:20260101',
    'DTSTART:20200101\nRRULE:FREQ=DAILY',
    'FREQ=DAILY;DTSTART=20200101',
    'FREQ=DAILY;EXDATE=20260101',
    'FREQ=DAILY;RSCALE=HEBREW',
    'FREQ=DAILY;X-A=1',
    'FREQ=DAILY ',
    ' FREQ=DAILY',
    'FREQ=DAILY;__proto__=1',
    'FREQ=DAILY;constructor=1',
    'FREQ=YEARLY;BYWEEKNO=20',
    'FREQ=YEARLY;BYYEARDAY=1;BYMONTH=1',
    'FREQ=MONTHLY;BYYEARDAY=1',
    'FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=1',
    `FREQ=DAILY;BYMONTH=${'9'.repeat(400)}`,
  ])('%j is malformed', (rrule) => {
    const found = codes([rule(rrule)])
    expect(found.length).toBeGreaterThan(0)
    expect(new Set(found)).toEqual(new Set(['0 rrule rrule-malformed']))
  })

  test.each([
    'FREQ=HOURLY',
    'FREQ=MINUTELY',
    'FREQ=SECONDLY;INTERVAL=5',
    'FREQ=DAILY;BYHOUR=9,10',
    'FREQ=DAILY;BYMINUTE=1',
    'FREQ=DAILY;BYSECOND=1',
  ])('%s is too frequent', (rrule) => expect(codes([rule(rrule)])).toEqual(['0 rrule rule-too-frequent']))

  test.each<[string, Partial<AvailabilityRule>]>([
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', {}],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', { startDate: '1900-01-01' }],
    ['FREQ=MONTHLY;BYDAY=6MO', {}],
    ['FREQ=WEEKLY;BYDAY=MO;BYSETPOS=5', {}],
    ['FREQ=DAILY;UNTIL=20251231', {}],
    ['FREQ=WEEKLY;BYDAY=MO', { endDate: '2026-01-04' }],
    ['FREQ=YEARLY;INTERVAL=10000;BYMONTH=2;BYMONTHDAY=29', {}],
  ])('%s %j never matches', (rrule, more) => {
    expect(codes([rule(rrule, more)])).toEqual(['0 rrule rule-never-matches'])
  })

  test.each<[string, Partial<AvailabilityRule>]>([
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', {}],
    // The longest wait of the calendar: 40 years.
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', { startDate: '2072-03-01' }],
    ['FREQ=DAILY;INTERVAL=10000', { startDate: '1900-01-01' }],
    ['FREQ=DAILY;COUNT=9999999', { startDate: '1900-01-01' }],
    ['FREQ=DAILY', { startDate: '2299-12-31' }],
    ['FREQ=WEEKLY;BYDAY=MO', { endDate: '9999-12-31', endTime: '24:00' }],
    ['FREQ=DAILY;UNTIL=20260101T000000', {}],
  ])('%s %j is sound', (rrule, more) => expect(codes([rule(rrule, more)])).toEqual([]))

  test('all are told, each with its rule and member', () => {
    const broken = {
      rrule: 'FREQ=DAILY;COUNT=0;BYHOUR=1',
      startTime: '24:00',
      endTime: '9:00',
      startDate: '2026-02-30',
      endDate: 'x',
    }
    expect(codes([rule('FREQ=DAILY'), broken])).toEqual([
      '1 rrule rrule-malformed',
      '1 rrule rule-too-frequent',
      '1 startTime time-malformed',
      '1 endTime time-malformed',
      '1 startDate date-malformed',
      '1 endDate date-malformed',
    ])
    expect(codes([rule('FREQ=DAILY', { startTime: '12:00', endDate: '2025-12-31' })])).toEqual([
      '0 endTime times-reversed',
      '0 endDate dates-reversed',
    ])
    expect(codes([rule('FREQ=DAILY', { startDate: '1899-12-31' })])).toEqual(['0 startDate date-malformed'])
  })

  test('hostile rules, from 1900 on, are judged and expanded in bounded time', () => {
    const hostile = [
      'FREQ=DAILY;INTERVAL=1',
      'FREQ=DAILY;COUNT=46000',
      'FREQ=DAILY;BYMONTHDAY=3;COUNT=46000',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYSETPOS=5',
      'FREQ=DAILY;INTERVAL=10000;BYDAY=MO',
      `FREQ=YEARLY;BYMONTHDAY=${Array.from({ length: 31 }, (_, i) => i + 1)};COUNT=46000`,
      `FREQ=YEARLY;BYDAY=MO,TU;BYSETPOS=${Array.from({ length: 60 }, (_, i) => i + 1)}`,
    ]
    for (const rrule of hostile) {
      const one = rule(rrule, { startDate: '1900-01-01' })
      const startedMs = performance.now()
      const fit = codes(
        [one, { ...one, startTime: '12:00', endTime: '13:00' }, { ...one, startTime: '11:00' }],
        'UTC',
        '2026-11-20',
      )
      if (!fit.some((code) => code.endsWith('rule-never-matches')))
        windows([one], 'UTC', dayRange('2026-11-20', '2027-11-20', 'UTC'))
      const tookMs = performance.now() - startedMs
      console.log(`${rrule.slice(0, 50)}: ${tookMs} ms`)
      expect(tookMs, rrule).toBeLessThan(5000)
    }
  })
})

describe('rules that overlap', () => {
  const overlap = (
    a: [string, Partial<AvailabilityRule>],
    b: [string, Partial<AvailabilityRule>],
    today?: string,
  ) => codes([rule(...a), rule(...b)], 'UTC', today)
  const CLASH = ['1 rrule rules-overlap']

  test('share a date on which their times meet', () => {
    expect(overlap(['FREQ=DAILY', {}], ['FREQ=WEEKLY', { startTime: '11:59', endTime: '13:00' }])).toEqual(
      CLASH,
    )
    expect(overlap(['FREQ=DAILY', {}], ['FREQ=DAILY', { startTime: '12:00', endTime: '15:00' }])).toEqual([])
    expect(overlap(['FREQ=WEEKLY;BYDAY=MO', {}], ['FREQ=MONTHLY;BYMONTHDAY=13', {}])).toEqual(CLASH)
    expect(overlap(['FREQ=WEEKLY;BYDAY=MO', {}], ['FREQ=WEEKLY;BYDAY=TU', {}])).toEqual([])
  })

  test('alternate weeks do not', () => {
    const even: [string, Partial<AvailabilityRule>] = [
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO',
      { startDate: '2026-01-05' },
    ]
    const odd = (startDate: string): [string, Partial<AvailabilityRule>] => [even[0], { startDate }]
    expect(overlap(even, odd('2026-01-12'))).toEqual([])
    expect(overlap(even, odd('2026-01-19'))).toEqual(CLASH)
    expect(overlap(even, odd('2029-01-01'))).toEqual(CLASH)
  })

  test('neither do those whose common dates have passed, or do not come within bounds', () => {
    const ended: [string, Partial<AvailabilityRule>] = ['FREQ=DAILY', { endDate: '2026-03-01' }]
    expect(overlap(ended, ['FREQ=DAILY', {}], '2026-03-01')).toEqual(CLASH)
    expect(overlap(ended, ['FREQ=DAILY', {}], '2026-03-02')).toEqual([])
    expect(overlap(ended, ['FREQ=DAILY', { startDate: '2026-03-02' }])).toEqual([])
  })

  test('each rule that overlaps one before it is told, once', () => {
    const one = rule('FREQ=DAILY')
    expect(codes([one, one, one])).toEqual(['1 rrule rules-overlap', '2 rrule rules-overlap'])
  })
})
