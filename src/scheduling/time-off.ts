/** Time off as the API takes and shows it. */
import * as z from 'zod'
import { ShownInstant } from '#http/shown'
import { paragraphs } from '#http/text'
import { AppointmentView, exampleAppointment, MAX_REASON, type Viewing, viewAppointment } from './appointment'
import type { TimeOff } from './core/schedule'
import { formatInstant } from './core/time'
import { WholeMinute } from './fields'
import type { TakenTimeOff } from './time-off-rows'

export const NewTimeOff = z
  .strictObject({
    start: WholeMinute,
    end: WholeMinute,
    reason: paragraphs(MAX_REASON)
      .nullish()
      .transform((reason) => reason || null)
      .meta({ description: 'Told to the patients whose appointments are cancelled' }),
    onConflict: z
      .enum(['keep', 'cancel'])
      .meta({ description: 'What becomes of the appointments in it that have not begun' }),
  })
  .refine(({ start, end }) => start < end, { path: ['end'], error: '`end` must be after `start`' })
  .meta({ id: 'NewTimeOff' })

export const TimeOffView = z
  .object({ id: z.string(), start: ShownInstant, end: ShownInstant, reason: z.string().nullable() })
  .meta({ id: 'TimeOff' })

export const TakenTimeOffView = TimeOffView.extend({
  affected: z
    .array(AppointmentView)
    .meta({ description: 'The appointments in it that are not over, by start, as they are now' }),
  calendarVersion: z.int().meta({ description: 'The version that a listing of slots may ask `atLeast`.' }),
}).meta({ id: 'TakenTimeOff' })

export const exampleTimeOff: z.infer<typeof TimeOffView> = {
  id: 'tof_019aa1d4e5f67a8b9c0d1e2f3a4b5c6d',
  start: '2026-11-30T18:00:00Z',
  end: '2026-12-01T18:00:00Z',
  reason: 'A conference',
}

const { calendarVersion, ...affectedAppointment } = exampleAppointment

export const exampleTakenTimeOff: z.infer<typeof TakenTimeOffView> = {
  ...exampleTimeOff,
  affected: [affectedAppointment],
  calendarVersion: 13,
}

export const viewTimeOff = ({ id, startMs, endMs, reason }: TimeOff): z.infer<typeof TimeOffView> => ({
  id,
  start: formatInstant(startMs),
  end: formatInstant(endMs),
  reason,
})

/** As of its taking, so that a repeated request gets the very first answer. */
export function viewTakenTimeOff(taken: TakenTimeOff, viewing: Viewing): z.infer<typeof TakenTimeOffView> {
  const then = { ...viewing, nowMs: taken.createdAt }
  return {
    ...viewTimeOff(taken),
    affected: taken.affected.map((appointment) => viewAppointment(appointment, then)),
    calendarVersion: taken.calendarVersion,
  }
}
