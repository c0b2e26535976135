/** Money, as every route takes and shows it. */
import * as z from 'zod'

/** The largest amount, in minor units. */
const MAX_AMOUNT_MINOR = 1_000_000_000

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Money in minor units of an ISO 4217 currency. */
export const Money = z
  .strictObject({
    amountMinor: z.int().min(0).max(MAX_AMOUNT_MINOR),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, { error: 'Send a code of ISO 4217, such as BDT', abort: true })
      .refine((code) => currencies.has(code), 'ISO 4217 has no such code'),
  })
  .meta({ id: 'Money' })

/** Money from its two columns. */
export const moneyFrom = (
  amountMinor: number | null,
  currency: string | null,
): z.infer<typeof Money> | null =>
  amountMinor === null || currency === null ? null : { amountMinor, currency }
