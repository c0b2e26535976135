/** A visit type as the API takes and shows it. */
import * as z from 'zod'
import { Money, moneyFrom } from '#http/money'
import { line } from '#http/text'
import type { EditVisitTypeCommand, VisitTypeTerms } from './change-visit-types'
import type { VisitType } from './core/schedule'

/** The longest name of a visit type, in characters. */
const MAX_NAME = 100
/** Lengths in minutes: a blocked interval is thus at most `MAX_BLOCKED_MINUTES`. */
const MIN_DURATION_MINUTES = 5
const MAX_DURATION_MINUTES = 480
const MAX_BUFFER_MINUTES = 120

const Buffer = z.int().min(0).max(MAX_BUFFER_MINUTES)

const members = {
  name: line(1, MAX_NAME),
  durationMinutes: z.int().min(MIN_DURATION_MINUTES).max(MAX_DURATION_MINUTES),
  bufferBeforeMinutes: Buffer.meta({ description: 'Kept free before the visit, and not sold' }),
  bufferAfterMinutes: Buffer.meta({ description: 'Kept free after the visit, and not sold' }),
  mode: z.enum(['in-person', 'video']),
  fee: Money.nullable().meta({ description: 'Null for the consultation fee of the doctor' }),
}

export const NewVisitType = z
  .strictObject({
    ...members,
    bufferBeforeMinutes: members.bufferBeforeMinutes.default(0),
    bufferAfterMinutes: members.bufferAfterMinutes.default(0),
    mode: members.mode.default('in-person'),
    fee: members.fee.default(null),
  })
  .meta({ id: 'NewVisitType' })

export const VisitTypeChanges = z
  .strictObject(members)
  .partial()
  .refine((given) => Object.keys(given).length > 0, 'Send at least one member')
  .meta({ id: 'VisitTypeChanges' })

const feeColumns = (fee: z.infer<typeof Money> | null) => ({
  feeMinor: fee?.amountMinor ?? null,
  feeCurrency: fee?.currency ?? null,
})

export const termsFrom = ({ fee, ...others }: z.output<typeof NewVisitType>): VisitTypeTerms => ({
  ...others,
  ...feeColumns(fee),
})

/** The terms that are to be otherwise: a fee that is not named stays. */
export const changedTermsFrom = ({
  fee,
  ...others
}: z.output<typeof VisitTypeChanges>): EditVisitTypeCommand['terms'] => ({
  ...others,
  ...(fee !== undefined && feeColumns(fee)),
})

export const VisitTypeView = z
  .object({
    id: z.string(),
    name: z.string(),
    durationMinutes: z.int(),
    bufferBeforeMinutes: z.int(),
    bufferAfterMinutes: z.int(),
    mode: z.enum(['in-person', 'video']),
    fee: Money.nullable(),
    version: z.int().meta({ description: 'In quotes, its ETag' }),
  })
  .meta({ id: 'VisitType' })

export const exampleTerms = {
  name: 'Consultation',
  durationMinutes: 30,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  mode: 'in-person' as const,
  fee: { amountMinor: 80_000, currency: 'BDT' },
} satisfies z.input<typeof NewVisitType>

export const exampleVisitType: z.infer<typeof VisitTypeView> = {
  id: 'vis_019a9f0d2e3f7a4b8c5d6e7f8a9b0c1d',
  ...exampleTerms,
  version: 1,
}

/** The visit type with its own fee or none. */
export const viewVisitType = (visitType: VisitType): z.infer<typeof VisitTypeView> => ({
  id: visitType.id,
  name: visitType.name,
  durationMinutes: visitType.durationMinutes,
  bufferBeforeMinutes: visitType.bufferBeforeMinutes,
  bufferAfterMinutes: visitType.bufferAfterMinutes,
  mode: visitType.mode,
  fee: moneyFrom(visitType.feeMinor, visitType.feeCurrency),
  version: visitType.version,
})
