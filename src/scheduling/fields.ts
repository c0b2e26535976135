/** Fields of requests, as the HTTP contract words them. */
import * as z from 'zod'
import { isLocalDate, isTimeZone, MINUTE_MS, parseInstant } from './core/time'

/** The longest instant that is looked at, in characters. */
const MAX_INSTANT_LENGTH = 40

/** The longest id that is looked at, in characters. */
export const MAX_ID_LENGTH = 64

/** The id of something, which need not exist. */
export const Id = z.string().min(1).max(MAX_ID_LENGTH)

/** An instant of RFC 3339 with any offset, as epoch ms. */
export const Instant = z
  .string()
  .max(MAX_INSTANT_LENGTH)
  .meta({ format: 'date-time', description: 'RFC 3339, with any offset' })
  .transform((text, context) => {
    const ms = parseInstant(text)
    if (ms !== undefined) return ms
    context.addIssue({
      code: 'custom',
      message: 'Send an RFC 3339 instant with an offset: 2026-03-29T01:00:00Z',
    })
    return z.NEVER
  })

/** An end of a doctor's time: slots are shown to the second, and one cut from between seconds could not be booked. */
export const WholeMinute = Instant.refine((ms) => ms % MINUTE_MS === 0, 'Send a whole minute')

export const LocalDate = z.string().refine(isLocalDate, 'Send a date: YYYY-MM-DD').meta({ format: 'date' })

export const TimeZone = z.string().refine(isTimeZone, 'Send an IANA time zone: Asia/Dhaka')

/** An end of a range: a date, which is a whole day, or an instant, as epoch ms. */
export const Bound = z.union([LocalDate, Instant], {
  error: 'Send a date, or an RFC 3339 instant with an offset',
})

/** The fault of a range whose end is before its start. */
export const REVERSED_FAULT = { pointer: '/to', detail: '`to` must not be before `from`' }
