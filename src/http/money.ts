/** Money, as every route takes and shows it. */
import * as z from 'zod'

/** Money in minor units of an ISO 4217 currency. */
export const Money = z
  .strictObject({ amountMinor: z.int().min(0).max(1_000_000_000), currency: z.string().regex(/^[A-Z]{3}$/) })
  .meta({ id: 'Money' })

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** What somebody asks for a visit. */
export const Fee = z.strictObject({
  amountMinor: z.int().min(0).max(100_000_000),
  currency: z.string().refine((code) => currencies.has(code), 'Send a code of ISO 4217, such as BDT'),
})

/** Money from its two columns. */
export const moneyFrom = (
  amountMinor: number | null,
  currency: string | null,
): z.infer<typeof Money> | null =>
  amountMinor === null || currency === null ? null : { amountMinor, currency }
