/** An entry of a waiting list as the API shows it. */
import * as z from 'zod'
import { ShownInstant } from '#http/shown'
import { formatInstant } from './core/time'
import type { WaitlistEntry } from './core/waiting-list'

export const WaitlistEntryView = z
  .object({
    id: z.string(),
    doctorId: z.string(),
    visitTypeId: z
      .string()
      .nullable()
      .meta({ description: 'Null for whatever is the doctor’s first when time becomes free' }),
    from: ShownInstant,
    to: ShownInstant.meta({ description: 'The whole visit lies between the two; from then on nobody waits' }),
    holdId: z.string().nullable().meta({ description: 'What is offered now: one of one’s own holds' }),
    createdAt: ShownInstant,
  })
  .meta({ id: 'WaitlistEntry' })

export type WaitlistEntryView = z.infer<typeof WaitlistEntryView>

export const exampleWaitlistEntry: WaitlistEntryView = {
  id: 'wtl_019aa1c1b2d37e4f9a8b7c6d5e4f3a2c',
  doctorId: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
  visitTypeId: null,
  from: '2026-12-01T03:00:00Z',
  to: '2026-12-05T12:00:00Z',
  holdId: null,
  createdAt: '2026-11-20T09:30:00Z',
}

export const viewWaitlistEntry = (entry: WaitlistEntry): WaitlistEntryView => ({
  id: entry.id,
  doctorId: entry.doctorId,
  visitTypeId: entry.visitTypeId,
  from: formatInstant(entry.fromMs),
  to: formatInstant(entry.toMs),
  holdId: entry.offerId,
  createdAt: formatInstant(entry.createdAt),
})
