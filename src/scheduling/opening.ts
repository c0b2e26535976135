/** A dated opening as the API takes and shows it. */
import * as z from 'zod'
import { ShownInstant } from '#http/shown'
import type { Opening } from './core/schedule'
import { formatInstant } from './core/time'
import { WholeMinute } from './fields'
import { MAX_OPENING_MS } from './load-calendar'

const BACKWARDS = { path: ['end'], error: '`end` must be after `start`' }

export const NewOpening = z
  .strictObject({ start: WholeMinute, end: WholeMinute })
  .refine(({ start, end }) => start < end, BACKWARDS)
  .refine(({ start, end }) => end - start <= MAX_OPENING_MS, {
    path: ['end'],
    error: 'An opening has at most 24 hours',
  })
  .meta({ id: 'NewOpening' })

export const OpeningChanges = z
  .strictObject({ start: WholeMinute.optional(), end: WholeMinute.optional() })
  .refine((ends) => Object.keys(ends).length > 0, 'Send at least one member')
  .refine(({ start = -Infinity, end = Infinity }) => start < end, BACKWARDS)
  .meta({ id: 'OpeningChanges' })

export const OpeningView = z
  .object({
    id: z.string(),
    start: ShownInstant,
    end: ShownInstant,
    version: z.int().meta({ description: 'In quotes, its ETag' }),
  })
  .meta({ id: 'Opening' })

export const exampleOpening: z.infer<typeof OpeningView> = {
  id: 'opn_019aa1d4e5f67a8b9c0d1e2f3a4b5c6d',
  start: '2026-12-05T08:00:00Z',
  end: '2026-12-05T11:00:00Z',
  version: 1,
}

export const viewOpening = ({ id, startMs, endMs, version }: Opening): z.infer<typeof OpeningView> => ({
  id,
  start: formatInstant(startMs),
  end: formatInstant(endMs),
  version,
})
