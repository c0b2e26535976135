/** An event of an appointment, as its parties see it. */
import * as z from 'zod'
import { ShownInstant } from '#http/shown'
import { formatInstant } from './core/time'
import type { NotedRow } from './find-history'

const Datum = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const AppointmentEventView = z
  .object({
    id: z.string(),
    sequence: z.int(),
    type: z.string(),
    actorId: z.string().nullable().meta({ description: 'Who did it; null where time alone did' }),
    subjectId: z.string().meta({ description: 'The appointment' }),
    at: ShownInstant,
    data: z.record(z.string(), Datum),
    note: z.string().nullable().meta({ description: 'The reason or the remarks that were given' }),
  })
  .meta({ id: 'AppointmentEvent' })

type AppointmentEventView = z.infer<typeof AppointmentEventView>

export const exampleEvent: AppointmentEventView = {
  id: 'evt_019aa1c2d3e47f5a8b9c0d1e2f3a4b5d',
  sequence: 311,
  type: 'appointment.cancelled',
  actorId: 'usr_019a9f0b6b7a7c3e8d2f4a5b6c7d8e9f',
  subjectId: 'apt_019aa1c2d3e47f5a8b9c0d1e2f3a4b5c',
  at: '2026-11-21T08:15:00Z',
  data: {
    doctorId: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
    patientId: 'usr_019a9f0b6b7a7c3e8d2f4a5b6c7d8e9f',
    by: 'patient',
  },
  note: 'The bus strike',
}

export const viewEvent = ({ at, data, ...row }: NotedRow): AppointmentEventView => ({
  ...row,
  at: formatInstant(at),
  data: wordData(JSON.parse(data)),
})

/** Data as answers show it: the members whose names end in `Ms` are instants. */
const wordData = (data: AppointmentEventView['data']): AppointmentEventView['data'] =>
  Object.fromEntries(
    Object.entries(data).map(([member, value]) =>
      member.endsWith('Ms') && typeof value === 'number'
        ? [member.slice(0, -'Ms'.length), formatInstant(value)]
        : [member, value],
    ),
  )
