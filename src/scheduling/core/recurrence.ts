/**
 * Reads the text of a recurrence rule (RFC 5545, section 3.3.10) for rules over dates. Stricter than any
 * library, since what passes here is handed on as text: nothing but the parts below, each at most once. Of
 * the RFC's rules over dates five forms are refused because rrule-temporal 2.2.7 gets them wrong (it drops a
 * part, or counts into the year before): BYWEEKNO, BYYEARDAY beside other days, numbered weekdays beside
 * BYMONTHDAY in a year, numbered weekdays beside plain ones, the 53rd weekday of a year.
 */
import { DAY_MS, dayNumber, isLocalDate, localDate, parseInstant } from './time'

export interface Recurrence {
  /** The rule without COUNT and UNTIL, in capitals. */
  readonly pattern: string
  /** How many dates it has; Infinity where it does not say. */
  readonly count: number
  /** The last day it may have, numbered from 1970-01-01; Infinity where it does not say. */
  readonly untilDay: number
}

export interface RecurrenceFault {
  readonly code: 'rrule-malformed' | 'rule-too-frequent'
  readonly detail: string
}

/** Steps longer than this (27 years of days) are refused. */
export const MAX_INTERVAL = 10_000
/** More dates than the calendar has between years 0001 and 9999. */
const MAX_COUNT = 9_999_999

const FREQUENCY = /^(DAILY|WEEKLY|MONTHLY|YEARLY)$/
const TOO_FREQUENT = /^(HOURLY|MINUTELY|SECONDLY)$/
const WEEKDAY = /^(MO|TU|WE|TH|FR|SA|SU)$/
const NUMBERED_WEEKDAY = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/
const UNTIL = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/

/** What each part may say. */
const PARTS: Readonly<Record<string, (value: string) => boolean>> = {
  FREQ: (value) => FREQUENCY.test(value),
  INTERVAL: (value) => isCount(value, MAX_INTERVAL),
  COUNT: (value) => isCount(value, MAX_COUNT),
  UNTIL: (value) => readUntil(value, 'UTC') !== undefined,
  BYDAY: (value) => value.split(',').every(isNumberedWeekday),
  BYMONTHDAY: (value) => value.split(',').every((day) => isOrdinal(day, 31)),
  BYYEARDAY: (value) => value.split(',').every((day) => isOrdinal(day, 366)),
  BYMONTH: (value) => value.split(',').every((month) => isCount(month, 12)),
  BYSETPOS: (value) => value.split(',').every((position) => isOrdinal(position, 366)),
  WKST: (value) => WEEKDAY.test(value),
}
const NO_SUCH_PART = `Only ${Object.keys(PARTS).join(', ')} are parts of a rule, each NAME=value, with semicolons between`
const TIME_PARTS = ['BYHOUR', 'BYMINUTE', 'BYSECOND']

/**
 * The recurrence, or every fault found. UNTIL is compared by its date: a date, or a date-time's date; a
 * date-time in UTC is first brought to the zone, and its local date counts.
 */
export function readRecurrence(
  text: string,
  timeZone: string,
): { recurrence: Recurrence } | { faults: RecurrenceFault[] } {
  const faults: RecurrenceFault[] = []
  const malformed = (detail: string) => faults.push({ code: 'rrule-malformed', detail })
  const parts = new Map<string, string>()
  for (const part of text.toUpperCase().split(';')) {
    const equals = part.indexOf('=')
    const [name, value] = [part.slice(0, Math.max(equals, 0)), part.slice(equals + 1)]
    if (parts.has(name)) malformed(`${name} occurs twice`)
    else if (TIME_PARTS.includes(name) || (name === 'FREQ' && TOO_FREQUENT.test(value))) {
      faults.push({
        code: 'rule-too-frequent',
        detail: `A rule gives dates, not times: ${name} goes too far`,
      })
    } else if (!Object.hasOwn(PARTS, name)) malformed(NO_SUCH_PART)
    else if (!PARTS[name]?.(value)) malformed(`${name} is not what RFC 5545 allows there`)
    parts.set(name, value)
  }
  if (!parts.has('FREQ')) malformed('FREQ is missing')
  for (const detail of contradictions(parts)) malformed(detail)
  if (faults.length > 0) return { faults }

  const until = parts.get('UNTIL')
  const count = Number(parts.get('COUNT') ?? Infinity)
  const untilDay = until === undefined ? Infinity : (readUntil(until, timeZone) ?? Infinity)
  parts.delete('COUNT')
  parts.delete('UNTIL')
  const byDay = parts.get('BYDAY')
  if (byDay !== undefined) parts.set('BYDAY', withoutSubsumed(byDay))
  const pattern = [...parts].map(([name, value]) => `${name}=${value.replaceAll('+', '')}`).join(';')
  return { recurrence: { pattern, count, untilDay } }
}

/** What RFC 5545 forbids of parts that are right by themselves. */
function contradictions(parts: ReadonlyMap<string, string>): string[] {
  const frequency = parts.get('FREQ')
  const has = (name: string) => parts.has(name)
  const byDay = withoutSubsumed(parts.get('BYDAY') ?? '')
  const numbered = /\d/.test(byDay)
  const mixed = numbered && byDay.split(',').some((day) => WEEKDAY.test(day))
  const found: [boolean, string][] = [
    [has('COUNT') && has('UNTIL'), 'COUNT and UNTIL exclude each other'],
    [has('BYMONTHDAY') && frequency === 'WEEKLY', 'BYMONTHDAY has no meaning in a weekly rule'],
    [has('BYYEARDAY') && frequency !== 'YEARLY', 'BYYEARDAY belongs in a yearly rule'],
    [
      has('BYYEARDAY') && ['BYDAY', 'BYMONTHDAY', 'BYMONTH'].some(has),
      'BYYEARDAY is not supported beside BYDAY, BYMONTHDAY or BYMONTH',
    ],
    [
      numbered && frequency !== 'MONTHLY' && frequency !== 'YEARLY',
      'Numbered weekdays belong in a monthly or yearly rule',
    ],
    [
      numbered && has('BYMONTHDAY') && frequency === 'YEARLY',
      'Numbered weekdays are not supported beside BYMONTHDAY in a yearly rule',
    ],
    [
      frequency === 'YEARLY' && byDay.split(',').some((day) => /^[+-]?53/.test(day)),
      'The 53rd weekday of a year is not supported',
    ],
    [mixed, 'Numbered and plain weekdays are not supported together: write two rules'],
    [
      has('BYSETPOS') && ![...parts.keys()].some((name) => name !== 'BYSETPOS' && name.startsWith('BY')),
      'BYSETPOS chooses from what another BY part gives, and there is none',
    ],
  ]
  return found.filter(([holds]) => holds).map(([, detail]) => detail)
}

/** `1SU,SU` says no more than `SU`. */
function withoutSubsumed(byDay: string): string {
  const days = byDay.split(',')
  return days.filter((day) => WEEKDAY.test(day) || !days.includes(day.slice(-2))).join(',')
}

const isCount = (text: string, max: number): boolean =>
  /^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= max

const isOrdinal = (text: string, max: number): boolean => isCount(text.replace(/^[+-]/, ''), max)

function isNumberedWeekday(text: string): boolean {
  const match = NUMBERED_WEEKDAY.exec(text)
  return match !== null && (match[1] === undefined || isOrdinal(match[1], 53))
}

/** The day, numbered from 1970-01-01, of an UNTIL; undefined for one that names no date or time of day. */
function readUntil(text: string, timeZone: string): number | undefined {
  const [, year, month, day, hours, minutes, seconds, utc] = UNTIL.exec(text) ?? []
  const date = `${year}-${month}-${day}`
  if (!isLocalDate(date)) return undefined
  if (hours === undefined) return dayNumber(date)
  const ms = parseInstant(`${date}T${hours}:${minutes}:${seconds}Z`)
  if (ms === undefined) return undefined
  return utc === 'Z' ? dayNumber(localDate(ms, timeZone)) : Math.floor(ms / DAY_MS)
}
