/** Fields that several routes take, each validated in one way. */
import * as z from 'zod'
import { type IdPrefix, idPattern } from '#db/id'

/** An id of this type; whether it exists is for the route to find out. */
export const Id = (prefix: IdPrefix) =>
  z.string().regex(idPattern(prefix), `This is no id that begins with ${prefix}_`)

/** Control characters that have no place in a text: all but tab, line feed and carriage return. */
const CONTROL = /[^\P{Cc}\t\n\r]/u

/** A text of people, kept as it was sent. A lone surrogate would not be: it has no UTF-8. */
export const Text = (minimum: number, maximum: number) =>
  z
    .string()
    .min(minimum)
    .max(maximum)
    .refine((text) => !CONTROL.test(text), 'Control characters are not allowed')
    .refine((text) => text.isWellFormed(), 'This is not well-formed Unicode')

/** Money in minor units of an ISO 4217 currency. */
export const Money = z
  .strictObject({ amountMinor: z.int().min(0).max(1_000_000_000), currency: z.string().regex(/^[A-Z]{3}$/) })
  .meta({ id: 'Money' })

/** Money from its two columns. */
export const moneyFrom = (
  amountMinor: number | null,
  currency: string | null,
): z.infer<typeof Money> | null =>
  amountMinor === null || currency === null ? null : { amountMinor, currency }
