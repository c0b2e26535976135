/** Money, as every route takes and shows it. */
import * as z from 'zod'

/** Money in minor units of an ISO 4217 currency. */
export const Money = z
  .strictObject({
    amountMinor: z.int().min(0).max(1_000_000_000),
    currency: z.string().regex(/^[A-Z]{3}$/, 'Send a code of ISO 4217, such as BDT'),
  })
  .meta({ id: 'Money' })

/** Money from its two columns. */
export const moneyFrom = (
  amountMinor: number | null,
  currency: string | null,
): z.infer<typeof Money> | null =>
  amountMinor === null || currency === null ? null : { amountMinor, currency }
