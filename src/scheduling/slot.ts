/** A slot as the API shows it. */
import * as z from 'zod'
import { ShownInstant } from '#http/shown'
import { formatInstant } from './core/time'

export const SlotView = z
  .object({ start: ShownInstant, end: ShownInstant, visitTypeId: z.string() })
  .meta({ id: 'Slot' })
export type SlotView = z.infer<typeof SlotView>

export const exampleSlot: SlotView = {
  start: '2026-12-01T04:00:00Z',
  end: '2026-12-01T04:30:00Z',
  visitTypeId: 'vis_019a9f0d2e3f7a4b8c5d6e7f8a9b0c1d',
}

/** A slot as listings and alternatives show it. */
export const wordSlot = (slot: { startMs: number; endMs: number; visitTypeId: string }) => ({
  start: formatInstant(slot.startMs),
  end: formatInstant(slot.endMs),
  visitTypeId: slot.visitTypeId,
})
