/** What answers show in a form of their own. */
import * as z from 'zod'

/** An instant: RFC 3339, in UTC, without milliseconds. */
export const ShownInstant = z.string().meta({ format: 'date-time' })
