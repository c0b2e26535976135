/**
 * What the core is held against: slow and plain, and written without the core's own code, the recurrence library
 * or Temporal. Wall clocks are read minute by minute through Intl; dates of a recurrence are found by asking of
 * every day of a period whether RFC 5545 has it.
 */
const MINUTE = 60_000
const DAY = 86_400_000

/** Zones and dates whose nights are not like others, and some whose are. */
export const NIGHTS: readonly (readonly [zone: string, date: string])[] = [
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Europe/London', '2026-03-29'],
  ['Europe/Dublin', '2026-10-25'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Pacific/Apia', '2011-12-30'],
  ['America/Santiago', '2026-09-06'],
  ['America/Santiago', '2026-04-05'],
  ['Asia/Beirut', '2026-03-29'],
  ['Africa/Cairo', '2026-04-24'],
  ['Africa/Cairo', '2026-10-30'],
  ['America/Havana', '2026-11-01'],
  ['Africa/Casablanca', '2026-02-15'],
  ['Asia/Kathmandu', '2026-01-15'],
  ['Asia/Dhaka', '2026-06-15'],
  ['Asia/Kolkata', '2026-06-15'],
  ['UTC', '2026-06-15'],
]

/** The wall clock of an instant as if it were UTC, to the minute. */
export function wallClock(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  })
  return (ms) => {
    const [, day, month, year, hour, minute] =
      /(\d+)\/(\d+)\/(\d+), (\d+):(\d+)/.exec(format.format(ms))?.map(Number) ?? []
    return Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute)
  }
}

/** The wall clock of each minute of `days` days either side of a date. */
export function minutesAround(timeZone: string, date: string, days: number): { ms: number; wall: number }[] {
  const clock = wallClock(timeZone)
  const middle = Date.parse(`${date}T00:00:00Z`)
  const minutes: { ms: number; wall: number }[] = []
  for (let ms = middle - days * DAY; ms < middle + days * DAY; ms += MINUTE)
    minutes.push({ ms, wall: clock(ms) })
  return minutes
}

/** The first minute that shows `wall`; if none does, `wall` by the clock as it was before the gap. */
export function resolve(minutes: readonly { ms: number; wall: number }[], wall: number): number {
  const shown = minutes.find((minute) => minute.wall === wall)
  if (shown !== undefined) return shown.ms
  for (const [i, { ms, wall: before }] of minutes.entries()) {
    const after = minutes[i + 1]?.wall ?? before
    if (before < wall && wall < after) return ms + (wall - before)
  }
  throw new Error('Outside the minutes walked')
}

export interface Pattern {
  freq: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'
  interval: number
  byDay?: { ordinal: number; weekday: number }[] | undefined
  byMonthDay?: number[] | undefined
  byYearDay?: number[] | undefined
  byMonth?: number[] | undefined
  bySetPos?: number[] | undefined
  weekStart: number
  count?: number | undefined
}

/** Sunday is 0, as in Date. */
export const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

export function patternText(pattern: Pattern): string {
  const list = (name: string, values: readonly (number | string)[] | undefined) =>
    values === undefined ? '' : `;${name}=${values.join(',')}`
  const byDay = pattern.byDay?.map(
    ({ ordinal, weekday }) => `${ordinal === 0 ? '' : ordinal}${WEEKDAYS[weekday]}`,
  )
  return [
    `FREQ=${pattern.freq};INTERVAL=${pattern.interval}`,
    list('BYDAY', byDay),
    list('BYMONTHDAY', pattern.byMonthDay),
    list('BYYEARDAY', pattern.byYearDay),
    list('BYMONTH', pattern.byMonth),
    list('BYSETPOS', pattern.bySetPos),
    `;WKST=${WEEKDAYS[pattern.weekStart]}`,
    pattern.count === undefined ? '' : `;COUNT=${pattern.count}`,
  ].join('')
}

/** The days (from 1970-01-01) of the pattern from `start` to `last`, both included. */
export function daysOf(pattern: Pattern, start: number, last: number): number[] {
  const found: number[] = []
  for (const [first, end] of periods(pattern, start, last)) {
    const set: number[] = []
    for (let day = first; day < end; day++) if (has(pattern, start, day)) set.push(day)
    found.push(...chosen(set, pattern.bySetPos).filter((day) => day >= start))
  }
  return found.slice(0, pattern.count ?? found.length).filter((day) => day <= last)
}

function chosen(set: number[], positions: number[] | undefined): number[] {
  if (positions === undefined) return set
  return set.filter((_, i) => positions.includes(i + 1) || positions.includes(i - set.length))
}

function* periods(
  { freq, interval, weekStart }: Pattern,
  start: number,
  last: number,
): Generator<[number, number]> {
  const date = new Date(start * DAY)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const dayOf = (y: number, m: number) => Date.UTC(y, m, 1) / DAY
  const week = start - ((date.getUTCDay() - weekStart + 7) % 7)
  for (let n = 0; ; n += interval) {
    const period: [number, number] = {
      DAILY: (): [number, number] => [start + n, start + n + 1],
      WEEKLY: (): [number, number] => [week + n * 7, week + n * 7 + 7],
      MONTHLY: (): [number, number] => [dayOf(year, month + n), dayOf(year, month + n + 1)],
      YEARLY: (): [number, number] => [dayOf(year + n, 0), dayOf(year + n + 1, 0)],
    }[freq]()
    if (period[0] > last) return
    yield period
  }
}

/** Whether a day of a period belongs to its set, before BYSETPOS (RFC 5545, the table of section 3.3.10). */
function has(pattern: Pattern, start: number, day: number): boolean {
  const { freq, byDay, byMonthDay, byMonth, byYearDay } = pattern
  const date = new Date(day * DAY)
  const origin = new Date(start * DAY)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const monthStart = Date.UTC(year, month, 1) / DAY
  const monthEnd = Date.UTC(year, month + 1, 1) / DAY
  const yearStart = Date.UTC(year, 0, 1) / DAY
  const yearEnd = Date.UTC(year + 1, 0, 1) / DAY
  const among = (values: number[], from: number, to: number) =>
    values.includes(day - from + 1) || values.includes(day - to)

  if (byMonth !== undefined && !byMonth.includes(month + 1)) return false
  if (byYearDay !== undefined && !among(byYearDay, yearStart, yearEnd)) return false
  if (byMonthDay !== undefined && !among(byMonthDay, monthStart, monthEnd)) return false
  if (byDay !== undefined) {
    const whole = freq === 'YEARLY' && byMonth === undefined
    const [from, to] = whole ? [yearStart, yearEnd] : [monthStart, monthEnd]
    const fromFirst = Math.floor((day - from) / 7) + 1
    const fromLast = -Math.floor((to - 1 - day) / 7) - 1
    const fits = ({ ordinal, weekday }: { ordinal: number; weekday: number }) =>
      weekday === date.getUTCDay() && (ordinal === 0 || ordinal === fromFirst || ordinal === fromLast)
    if (!byDay.some(fits)) return false
  }
  // What the rule leaves open, DTSTART decides.
  if (byDay !== undefined || byMonthDay !== undefined || byYearDay !== undefined || freq === 'DAILY')
    return true
  if (freq === 'WEEKLY') return date.getUTCDay() === origin.getUTCDay()
  if (date.getUTCDate() !== origin.getUTCDate()) return false
  return freq === 'MONTHLY' || byMonth !== undefined || month === origin.getUTCMonth()
}
