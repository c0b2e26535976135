/** Fields of time, as the HTTP contract words them. */
import * as z from 'zod'
import { isLocalDate, isTimeZone, parseInstant } from './core/time'

/** The longest instant that is looked at, in characters. */
const MAX_INSTANT_LENGTH = 40

/** An instant of RFC 3339 with any offset, as epoch ms. */
export const Instant = z
  .string()
  .max(MAX_INSTANT_LENGTH)
  .transform((text, context) => {
    const ms = parseInstant(text)
    if (ms !== undefined) return ms
    context.addIssue({
      code: 'custom',
      message: 'Send an RFC 3339 instant with an offset: 2026-03-29T01:00:00Z',
    })
    return z.NEVER
  })

export const LocalDate = z.string().refine(isLocalDate, 'Send a date: YYYY-MM-DD')

export const TimeZone = z.string().refine(isTimeZone, 'Send an IANA time zone: Asia/Dhaka')
