/**
 * Wall clocks and instants. Instants are epoch milliseconds, UTC; local dates are `YYYY-MM-DD` (years 0001 to
 * 9999, proleptic Gregorian); time zones are IANA names that `isTimeZone` accepted.
 *
 * Listings ask for thousands of local dates, so offsets come from Intl by way of a small memory: a call costs
 * a tenth of a microsecond, where the Temporal polyfill's took ten to eighteen in workerd. The tests hold the
 * answers against Temporal's, zone by zone.
 */
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const MINUTES_OF_DAY = 1440

const MAX_TIME_ZONE_LENGTH = 64
const MAX_INSTANT_LENGTH = 64

/** The first instant of year 1 and the first after year 9999: what four digits of a year can say. */
const MIN_INSTANT_MS = -62_135_596_800_000
const END_INSTANT_MS = 253_402_300_800_000

/** What one isolate remembers: so many zones, and so many days of each (a horizon is at most 366). */
const MAX_CACHED_ZONES = 128
const MAX_CACHED_DAYS = 1024

const TIME_ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/
/** Names that ICU still takes though IANA never had them; its `BST`, for one, is Dhaka. */
const ICU_ONLY =
  /^(SystemV\/.*|ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST)$/i

/** True for a time zone of the IANA database, by its name or a link to it; false for offsets. Never throws. */
export function isTimeZone(id: string): boolean {
  if (id.length > MAX_TIME_ZONE_LENGTH || !TIME_ZONE.test(id) || ICU_ONLY.test(id)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: id })
    return true
  } catch {
    return false
  }
}

const INSTANT =
  /^(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * The instant of an RFC 3339 date-time (section 5.6: the seconds and an offset are required), in epoch ms, or
 * undefined. A fraction beyond milliseconds is cut off; a leap second (`:60`) has no epoch ms and is refused,
 * as is a date that does not exist, or whose year in UTC is not 0001 to 9999.
 */
export function parseInstant(text: string): number | undefined {
  const match = text.length > MAX_INSTANT_LENGTH ? null : INSTANT.exec(text)
  if (match === null) return undefined
  const [, date = '', hours, minutes, seconds, fraction = '.', offset = ''] = match
  if (!isLocalDate(date)) return undefined
  const milliseconds = Number(fraction.slice(1, 4).padEnd(3, '0'))
  const time = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * 1000 + milliseconds
  const ms = dayNumber(date) * DAY_MS + time - parseOffset(offset)
  return ms >= MIN_INSTANT_MS && ms < END_INSTANT_MS ? ms : undefined
}

/** `YYYY-MM-DDTHH:MM:SSZ`: RFC 3339 in UTC, milliseconds left out. */
export function formatInstant(ms: number): string {
  const day = Math.floor(ms / DAY_MS)
  if (day !== lastDay.day) {
    const text = new Date(day * DAY_MS).toISOString()
    lastDay = { day, text: text.slice(0, text.indexOf('T')) }
  }
  const seconds = Math.floor((ms - day * DAY_MS) / 1000)
  const [hour, minute] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${lastDay.text}T${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(seconds % 60)}Z`
}

/** A listing words hundreds of instants, most of a day with the one before: the platform words each day once. */
let lastDay = { day: Number.NaN, text: '' }

const twoDigits = (number: number): string => (number < 10 ? `0${number}` : String(number))

/** True for `YYYY-MM-DD` that names a date of the calendar, years 0001 to 9999. */
export function isLocalDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false
  // Date.parse rolls 30 February over into March: only a date that exists comes back as it was.
  const ms = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** Minutes since midnight of an `HH:mm` between 00:00 and 23:59, or undefined. */
export function parseLocalTime(text: string): number | undefined {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text)
    ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
    : undefined
}

/** As `parseLocalTime`, and `24:00`, the end of the day, is 1440. */
export function parseLocalEndTime(text: string): number | undefined {
  return text === '24:00' ? MINUTES_OF_DAY : parseLocalTime(text)
}

/** Days from 1970-01-01 to the date, which `isLocalDate` accepted. */
export const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS

/** The date so many days after 1970-01-01; throws a RangeError outside the years 0001 to 9999. */
export function dateOfDay(day: number): string {
  const ms = day * DAY_MS
  if (!(ms >= MIN_INSTANT_MS && ms < END_INSTANT_MS)) throw new RangeError(`No four-digit year: day ${day}`)
  return new Date(ms).toISOString().slice(0, 10)
}

/** The date `days` later, or earlier if negative. */
export const addDays = (date: string, days: number): string => dateOfDay(dayNumber(date) + days)

/**
 * The instant of a wall-clock time, `minuteOfDay` after midnight (0 to 1440, where 1440 is the next date's
 * 00:00), by Temporal's `compatible` rule: of a time that occurs twice, the earlier; a time that is skipped
 * counts on from before the gap, so that 02:30 in a gap of an hour is 03:30.
 */
export function wallToInstant(date: string, minuteOfDay: number, timeZone: string): number {
  const wallMs = dayNumber(date) * DAY_MS + minuteOfDay * MINUTE_MS
  const { before, after } = offsetsAround(wallMs, timeZone)
  // Of the two, the greater offset gives the earlier instant. In a gap neither is valid.
  if (offsetAt(wallMs - before, timeZone) === before) return wallMs - before
  if (offsetAt(wallMs - after, timeZone) === after) return wallMs - after
  return wallMs - before
}

/** The local date of an instant. */
export function localDate(ms: number, timeZone: string): string {
  return new Date(ms + offsetAt(ms, timeZone)).toISOString().slice(0, 10)
}

/**
 * The first instant of a local date: 00:00, or the end of the gap where midnight is skipped. A date that does
 * not exist at all (2011-12-30 in Apia) starts, and ends, where the next one starts.
 */
export function startOfDay(date: string, timeZone: string): number {
  const wallMs = dayNumber(date) * DAY_MS
  const ms = wallToInstant(date, 0, timeZone)
  if (ms + offsetAt(ms, timeZone) === wallMs) return ms
  // Midnight is skipped. The gap may have begun before it, so the date may start before `compatible` says.
  const { before, after } = offsetsAround(wallMs, timeZone)
  let low = wallMs - after
  let high = wallMs - before
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle, timeZone) === before) low = middle
    else high = middle
  }
  return high
}

/** From the first instant of one local date to the end of another, both included. */
export function dayRange(
  fromDate: string,
  toDate: string,
  timeZone: string,
): { startMs: number; endMs: number } {
  return { startMs: startOfDay(fromDate, timeZone), endMs: startOfDay(addDays(toDate, 1), timeZone) }
}

/** The offsets in force a day before and a day after a wall-clock time, whichever of them it turns out to have. */
function offsetsAround(wallMs: number, timeZone: string): { before: number; after: number } {
  return { before: offsetAt(wallMs - DAY_MS, timeZone), after: offsetAt(wallMs + DAY_MS, timeZone) }
}

interface Zone {
  readonly formatter: Intl.DateTimeFormat
  /** Day number (UTC) → the offset, in ms, at that day's first instant. */
  readonly offsets: Map<number, number>
}

const zones = new Map<string, Zone>()

/** Milliseconds to add to an instant for the zone's wall clock. Throws a RangeError for an unknown zone. */
function offsetAt(ms: number, timeZone: string): number {
  const zone = zoneOf(timeZone)
  const day = Math.floor(ms / DAY_MS)
  const offset = offsetAtDay(zone, day)
  // A zone never changes its offset twice within one UTC day, so equal ends mean no change between.
  return offset === offsetAtDay(zone, day + 1) ? offset : readOffset(zone, ms)
}

function offsetAtDay(zone: Zone, day: number): number {
  const known = zone.offsets.get(day)
  if (known !== undefined) return known
  if (zone.offsets.size >= MAX_CACHED_DAYS) zone.offsets.clear()
  const offset = readOffset(zone, day * DAY_MS)
  zone.offsets.set(day, offset)
  return offset
}

/** Intl writes `GMT`, `GMT+05:45` or, before standard time, `GMT-04:56:02`. */
function readOffset(zone: Zone, ms: number): number {
  const text = zone.formatter.format(ms)
  return parseOffset(text.slice(text.indexOf('GMT') + 3))
}

/** `±hh:mm` or `±hh:mm:ss` in ms; anything without a sign (`Z`, nothing) is zero. */
function parseOffset(text: string): number {
  const sign = text[0] === '-' ? -1 : text[0] === '+' ? 1 : 0
  if (sign === 0) return 0
  const [hours, minutes, seconds] = text.slice(1).split(':').map(Number)
  return sign * ((hours ?? 0) * HOUR_MS + (minutes ?? 0) * MINUTE_MS + (seconds ?? 0) * 1000)
}

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone)
  if (known !== undefined) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone,
    timeZoneName: 'longOffset',
    second: 'numeric',
  })
  if (zones.size >= MAX_CACHED_ZONES) {
    const oldest = zones.keys().next().value
    if (oldest !== undefined) zones.delete(oldest)
  }
  const zone = { formatter, offsets: new Map<number, number>() }
  zones.set(timeZone, zone)
  return zone
}
