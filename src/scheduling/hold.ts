/** A hold as the API shows it. */
import * as z from 'zod'
import { HOLD_ORIGINS } from '#db/schema'
import { ShownInstant } from '#http/shown'
import type { Hold } from './core/hold'
import { formatInstant } from './core/time'

export const HoldView = z
  .object({
    id: z.string(),
    doctorId: z.string(),
    start: ShownInstant,
    end: ShownInstant,
    visitTypeId: z.string(),
    expiresAt: ShownInstant.meta({ description: 'From then on the slot is anybody’s' }),
    origin: z
      .enum(HOLD_ORIGINS)
      .meta({ description: 'Who asked for it: the patient, or for them the waiting list or time off' }),
  })
  .meta({ id: 'Hold' })

export type HoldView = z.infer<typeof HoldView>

export const exampleHold: HoldView = {
  id: 'hld_019aa1c1b2d37e4f9a8b7c6d5e4f3a2b',
  doctorId: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
  start: '2026-12-01T04:00:00Z',
  end: '2026-12-01T04:30:00Z',
  visitTypeId: 'vis_019a9f0d2e3f7a4b8c5d6e7f8a9b0c1d',
  expiresAt: '2026-11-20T09:35:00Z',
  origin: 'patient',
}

export const viewHold = (hold: Hold): HoldView => ({
  id: hold.id,
  doctorId: hold.doctorId,
  start: formatInstant(hold.startMs),
  end: formatInstant(hold.endMs),
  visitTypeId: hold.visitTypeId,
  expiresAt: formatInstant(hold.expiresAt),
  origin: hold.origin,
})
