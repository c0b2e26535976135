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

export const exampleVisitType: z.infer<typeof VisitTypeView> = {
  id: 'vis_019a9f0d2e3f7a4b8c5d6e7f8a9b0c1d',
  name: 'Consultation',
  durationMinutes: 30,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  mode: 'in-person',
  fee: { amountMinor: 80_000, currency: 'BDT' },
}

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
