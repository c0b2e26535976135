/** A visit type as the API shows it. */
import * as z from 'zod'
import type { visitType } from '#db/schema'
import { Money, moneyFrom } from '#http/money'

export const VisitTypeView = z
  .object({
    id: z.string(),
    name: z.string(),
    durationMinutes: z.int(),
    bufferBeforeMinutes: z.int(),
    bufferAfterMinutes: z.int(),
    mode: z.enum(['in-person', 'video']),
    fee: Money.nullable(),
  })
  .meta({ id: 'VisitType' })

/** The visit type of a row, with its own fee or none. */
export const viewVisitType = (row: typeof visitType.$inferSelect): z.infer<typeof VisitTypeView> => ({
  id: row.id,
  name: row.name,
  durationMinutes: row.durationMinutes,
  bufferBeforeMinutes: row.bufferBeforeMinutes,
  bufferAfterMinutes: row.bufferAfterMinutes,
  mode: row.mode,
  fee: moneyFrom(row.feeMinor, row.feeCurrency),
})
