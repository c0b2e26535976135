/**
 * Availability rules: an RFC 5545 recurrence over local dates, and a wall-clock time on each of them. A rule
 * becomes windows in two steps: which dates (no zone takes part), then each date's two ends as instants.
 */
import { RRuleTemporal } from 'rrule-temporal'
import { byStart, type Interval, overlaps, subtract, subtractAll } from './interval'
import { readRecurrence } from './recurrence'
import {
  DAY_MS,
  dateOfDay,
  dayNumber,
  isLocalDate,
  localDate,
  parseLocalEndTime,
  parseLocalTime,
  wallToInstant,
} from './time'

/**
 * Dates are `YYYY-MM-DD`, both included; times `HH:mm`, and `24:00` may end a day. `startDate` is the
 * recurrence's DTSTART: what INTERVAL and COUNT count from. It is an occurrence only if it matches the pattern,
 * and COUNT counts the dates that match.
 */
export interface AvailabilityRule {
  readonly rrule: string
  readonly startTime: string
  readonly endTime: string
  readonly startDate: string
  readonly endDate?: string | undefined
}

export type RuleFault = {
  /** The rule's index. */
  readonly rule: number
  readonly member: 'rrule' | 'startTime' | 'endTime' | 'startDate' | 'endDate'
  readonly code:
    | 'rrule-malformed'
    | 'rule-too-frequent'
    | 'rule-never-matches'
    | 'time-malformed'
    | 'times-reversed'
    | 'date-malformed'
    | 'dates-reversed'
    | 'rules-overlap'
  readonly detail: string
}
type Fault = Omit<RuleFault, 'rule'>

/** A rule starts in these years, and nothing after them is looked at: that bounds every search of dates. */
const FIRST_DATE = '1900-01-01'
const LAST_DATE = '2299-12-31'
const LAST_DAY = dayNumber(LAST_DATE)
/** More periods than FIRST_DATE to LAST_DATE has days, so that the library never gives up half-way. */
const MAX_PERIODS = 200_000
/** Periods in which a rule must match once. Days are the shortest; no two dates of the calendar coincide
 * more rarely than every 40 years (29 February on a given weekday), which is 14,610 of them. */
const MAX_PERIODS_TO_FIRST = 20_000
/** How far beyond the last start of a rule they are compared, and how far from today at the most: what meets
 * later still is sold once all the same, for `windows` offers no instant twice. */
const OVERLAP_DAYS = 400
const MAX_OVERLAP_DAYS = 1500
/** Dates on either side of a range whose windows may reach into it, whatever the clocks do. */
const MARGIN_DAYS = 3

/** The faults of each rule by itself, and of its text alone: what costs no search of dates. */
export const readFaults = (rules: readonly AvailabilityRule[], timeZone: string): RuleFault[] =>
  rules.flatMap((rule, index) => readRule(rule, timeZone).faults.map((fault) => ({ rule: index, ...fault })))

/** Every fault of every rule; none means that `windows` takes them. `today` is a local date. */
export function checkRules(rules: readonly AvailabilityRule[], timeZone: string, today: string): RuleFault[] {
  const faults: RuleFault[] = []
  const sound: SoundRule[] = []
  for (const [index, rule] of rules.entries()) {
    const { plan, faults: own } = readRule(rule, timeZone)
    for (const fault of own) faults.push({ rule: index, ...fault })
    if (plan === undefined) continue
    if (matchesEver(plan)) sound.push({ index, plan })
    else faults.push({ rule: index, member: 'rrule', code: 'rule-never-matches', detail: NEVER_MATCHES })
  }
  return [...faults, ...overlapFaults(sound, dayNumber(today))]
}

interface SoundRule {
  readonly index: number
  readonly plan: RulePlan
}

/** Each rule that shares a time with one before it, once; each is expanded once, however many there are. */
function overlapFaults(sound: readonly SoundRule[], today: number): RuleFault[] {
  const lastStart = Math.max(today, ...sound.map(({ plan }) => plan.startDay))
  const lastDay = Math.min(lastStart + OVERLAP_DAYS, today + MAX_OVERLAP_DAYS)
  const expanded = sound.map(({ index, plan }) => ({ index, plan, days: occurrences(plan, today, lastDay) }))
  const faults: RuleFault[] = []
  for (const [later, { index, plan, days }] of expanded.entries()) {
    for (const other of expanded.slice(0, later)) {
      if (plan.startMinute >= other.plan.endMinute || other.plan.startMinute >= plan.endMinute) continue
      const others = new Set(other.days)
      const day = days.find((candidate) => others.has(candidate))
      if (day === undefined) continue
      const detail = `Overlaps rule ${other.index} on ${dateOfDay(day)}, and maybe on other dates`
      faults.push({ rule: index, member: 'rrule', code: 'rules-overlap', detail })
      break
    }
  }
  return faults
}

const NEVER_MATCHES = 'No date matches this rule between its first and its last'

/**
 * All windows that share an instant with the range, whole, sorted and disjoint. Each end is its wall-clock time
 * on its date, resolved by Temporal's `compatible`: 01:00–04:00 is two hours on the short night, four on the
 * long one. Where a clock change makes two windows meet, that with the earlier wall-clock time gives way, so
 * that no instant is offered twice. Throws for rules that `checkRules` would refuse.
 */
export function windows(rules: readonly AvailabilityRule[], timeZone: string, range: Interval): Interval[] {
  const fromDay = dayNumber(localDate(range.startMs, timeZone)) - MARGIN_DAYS
  const toDay = dayNumber(localDate(range.endMs, timeZone)) + MARGIN_DAYS
  const resolved: WallWindow[] = []
  for (const rule of rules) {
    const { plan, faults } = readRule(rule, timeZone)
    if (plan === undefined) throw new Error(`Unchecked availability rule: ${faults[0]?.detail}`)
    for (const day of occurrences(plan, fromDay, toDay)) {
      const date = dateOfDay(day)
      const startMs = wallToInstant(date, plan.startMinute, timeZone)
      const endMs = wallToInstant(date, plan.endMinute, timeZone)
      if (startMs < endMs) resolved.push({ startMs, endMs, wallMinute: day * 1440 + plan.startMinute })
    }
  }
  return settle(resolved).filter((window) => overlaps(window, range))
}

/**
 * The rules' windows and, beside them, the dated openings (plain instants): sorted and disjoint. Where they
 * overlap the rules win, and the earlier of two openings. Windows that abut stay apart: each has its own grid.
 */
export function offeredWindows(ruleWindows: readonly Interval[], openings: readonly Interval[]): Interval[] {
  const beside: Interval[] = []
  for (const opening of subtractAll([...openings].sort(byStart), ruleWindows)) {
    beside.push(...subtract(opening, beside))
  }
  return [...ruleWindows, ...beside].sort(byStart)
}

interface WallWindow extends Interval {
  /** Where it starts by the wall clock, in minutes: what tells earlier from later when instants coincide. */
  readonly wallMinute: number
}

/** Disjoint and sorted: windows that overlap are few and close together, so each such group is settled alone. */
function settle(resolved: WallWindow[]): Interval[] {
  const settled: Interval[] = []
  let group: WallWindow[] = []
  let groupEndMs = -Infinity
  for (const window of resolved.sort(byStart)) {
    if (window.startMs >= groupEndMs) {
      settled.push(...giveWay(group))
      group = []
    }
    group.push(window)
    groupEndMs = Math.max(groupEndMs, window.endMs)
  }
  return [...settled, ...giveWay(group)]
}

function giveWay(group: WallWindow[]): Interval[] {
  const kept: Interval[] = []
  for (const { startMs, endMs } of group.sort((a, b) => b.wallMinute - a.wallMinute)) {
    kept.push(...subtract({ startMs, endMs }, kept))
  }
  return kept.sort(byStart)
}

/** A rule that was read: days are numbered from 1970-01-01, minutes from midnight. */
interface RulePlan {
  readonly pattern: string
  readonly count: number
  readonly startDay: number
  readonly lastDay: number
  readonly startMinute: number
  readonly endMinute: number
}

/** The days on which the rule occurs, from one to another, both included. */
function occurrences(plan: RulePlan, fromDay: number, toDay: number): number[] {
  const from = Math.max(fromDay, plan.startDay)
  const to = Math.min(toDay, plan.lastDay)
  if (from > to) return []
  // A COUNT that cannot be used up by then is left out: without one the library need not count from the start.
  const count = plan.count > to - plan.startDay ? '' : `;COUNT=${plan.count}`
  return recurrence(plan, count, MAX_PERIODS)
    .between(new Date(from * DAY_MS), new Date(to * DAY_MS), true)
    .map((occurrence) => occurrence.epochMilliseconds / DAY_MS)
}

/** Whether the rule has any occurrence at all. */
function matchesEver(plan: RulePlan): boolean {
  if (plan.startDay > plan.lastDay) return false
  try {
    const first = recurrence(plan, '', MAX_PERIODS_TO_FIRST).next(new Date(plan.startDay * DAY_MS), true)
    return first !== null && first.epochMilliseconds <= plan.lastDay * DAY_MS
  } catch {
    // The library throws once it has looked at so many periods: none of them has a date.
    return false
  }
}

/** Dates as midnights in UTC: there every day has one, and the library is fastest. */
function recurrence(plan: RulePlan, count: string, maxIterations: number): RRuleTemporal {
  const start = dateOfDay(plan.startDay).replaceAll('-', '')
  return new RRuleTemporal({
    rruleString: `DTSTART:${start}T000000Z\nRRULE:${plan.pattern}${count}`,
    maxIterations,
    cache: false,
  })
}

function readRule(rule: AvailabilityRule, timeZone: string): { plan?: RulePlan; faults: Fault[] } {
  const faults: Fault[] = []
  const read = readRecurrence(rule.rrule, timeZone)
  if ('faults' in read) for (const fault of read.faults) faults.push({ member: 'rrule', ...fault })

  const { startTime, endTime, startDate, endDate = LAST_DATE } = rule
  const startMinute = parseLocalTime(startTime)
  const endMinute = parseLocalEndTime(endTime)
  const fault = (member: Fault['member'], code: Fault['code'], detail: string) =>
    faults.push({ member, code, detail })
  if (startMinute === undefined) fault('startTime', 'time-malformed', 'Not a local time from 00:00 to 23:59')
  if (endMinute === undefined) fault('endTime', 'time-malformed', 'Not a local time from 00:00 to 24:00')
  else if (startMinute !== undefined && endMinute <= startMinute)
    fault('endTime', 'times-reversed', 'Not after the start time')

  const startsWell = isLocalDate(startDate) && startDate >= FIRST_DATE && startDate <= LAST_DATE
  if (!startsWell) fault('startDate', 'date-malformed', `Not a date from ${FIRST_DATE} to ${LAST_DATE}`)
  if (!isLocalDate(endDate)) fault('endDate', 'date-malformed', 'Not a date')
  else if (startsWell && endDate < startDate) fault('endDate', 'dates-reversed', 'Before the start date')

  if (faults.length > 0 || startMinute === undefined || endMinute === undefined || 'faults' in read)
    return { faults }
  const { pattern, count, untilDay } = read.recurrence
  const lastDay = Math.min(dayNumber(endDate), untilDay, LAST_DAY)
  return { plan: { pattern, count, startDay: dayNumber(startDate), lastDay, startMinute, endMinute }, faults }
}
