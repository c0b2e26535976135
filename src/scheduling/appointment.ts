/** An appointment as the API shows it, and the members of requests that concern one. */
import type { Context } from 'hono'
import * as z from 'zod'
import type { Actor } from '#db/right'
import { APPOINTMENT_STATUSES } from '#db/schema'
import type { AppEnv } from '#http/context'
import { Money, moneyFrom } from '#http/money'
import { ShownInstant } from '#http/shown'
import { paragraphs } from '#http/text'
import { partyOf } from './act-on-appointment'
import type { NamedAppointment } from './appointment-rows'
import { ACTIONS, allowedActions, isActive } from './core/appointment'
import { formatInstant, MINUTE_MS } from './core/time'

/** Milliseconds before its start from which a video visit's address is shown to its parties. */
const MEETING_SHOWN_MS = 10 * MINUTE_MS

/** Lengths of what people write about an appointment, in characters. */
const MAX_NOTES = 500
export const MAX_REASON = 500

/** The patient's own words for the doctor; null for none. */
export const Notes = paragraphs(MAX_NOTES).nullable()

/** Why staff pass over the minimum notice and the grid. */
export const Override = z.strictObject({ reason: paragraphs(MAX_REASON).min(1) }).meta({ id: 'Override' })

export const AppointmentId = z.object({ id: z.string() })

const SECOND_MS = 1000

export const AppointmentView = z
  .object({
    id: z.string(),
    doctorId: z.string(),
    patientId: z.string(),
    doctor: z.object({ fullName: z.string() }),
    patient: z.object({ fullName: z.string() }),
    start: ShownInstant,
    end: ShownInstant,
    status: z.enum(APPOINTMENT_STATUSES),
    visitTypeId: z.string(),
    mode: z.enum(['in-person', 'video']),
    fee: Money.nullable(),
    notes: z.string().nullable(),
    remarks: z.string().nullable(),
    cancellationReason: z.string().nullable(),
    meetingUrl: z.string().nullable(),
    cancellableUntil: ShownInstant,
    allowedActions: z.array(z.enum(ACTIONS)).meta({ description: 'What the caller may do with it now' }),
    version: z.int(),
    createdAt: ShownInstant,
    calendarVersion: z
      .int()
      .optional()
      .meta({ description: 'After a change: the version that a listing of slots may ask `atLeast`.' }),
  })
  .meta({ id: 'Appointment' })

export type AppointmentView = z.infer<typeof AppointmentView>

export const exampleAppointment: AppointmentView = {
  id: 'apt_019aa1c2d3e47f5a8b9c0d1e2f3a4b5c',
  doctorId: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
  patientId: 'usr_019a9f0b6b7a7c3e8d2f4a5b6c7d8e9f',
  doctor: { fullName: 'Farida Khan' },
  patient: { fullName: 'Nadia Haque' },
  start: '2026-12-01T04:00:00Z',
  end: '2026-12-01T04:30:00Z',
  status: 'confirmed',
  visitTypeId: 'vis_019a9f0d2e3f7a4b8c5d6e7f8a9b0c1d',
  mode: 'in-person',
  fee: { amountMinor: 80_000, currency: 'BDT' },
  notes: 'Chest pain when climbing stairs',
  remarks: null,
  cancellationReason: null,
  meetingUrl: null,
  cancellableUntil: '2026-12-01T04:00:00Z',
  allowedActions: ['reschedule', 'cancel'],
  version: 1,
  createdAt: '2026-11-20T09:30:00Z',
  calendarVersion: 12,
}

export const exampleCancelled: AppointmentView = {
  ...exampleAppointment,
  status: 'cancelled',
  cancellationReason: 'The bus strike',
  allowedActions: [],
  version: 2,
  calendarVersion: 13,
}

/** Who looks, when, and where video visits take place. */
export interface Viewing {
  readonly actor: Actor
  readonly nowMs: number
  /** The address that rooms are below; empty where there are none. */
  readonly meetingBaseUrl: string
}

/** How the caller sees appointments now. */
export const viewingOf = (c: Context<AppEnv>): Viewing => ({
  actor: c.get('actor'),
  nowMs: Date.now(),
  meetingBaseUrl: c.env.MEETING_BASE_URL,
})

/** The appointment as it is seen. */
export function viewAppointment(appointment: NamedAppointment, viewing: Viewing): AppointmentView {
  const { actor, nowMs } = viewing
  const party = partyOf(appointment, actor)
  return {
    id: appointment.id,
    doctorId: appointment.doctorId,
    patientId: appointment.patientId,
    doctor: { fullName: appointment.doctorName },
    patient: { fullName: appointment.patientName },
    start: formatInstant(appointment.startMs),
    end: formatInstant(appointment.endMs),
    status: appointment.status,
    visitTypeId: appointment.visitTypeId,
    mode: appointment.mode,
    fee: moneyFrom(appointment.feeMinor, appointment.feeCurrency),
    notes: appointment.notes,
    remarks: appointment.remarks,
    cancellationReason: appointment.cancellationReason,
    meetingUrl: meetingUrlOf(appointment, viewing),
    cancellableUntil: formatInstant(appointment.cancellableUntilMs),
    allowedActions: party === undefined ? [] : allowedActions(appointment, party, nowMs),
    version: appointment.version,
    createdAt: formatInstant(appointment.createdAt),
  }
}

/** The address of a video visit: for its patient and its doctor alone, while it is about to be or under way. */
function meetingUrlOf(
  appointment: NamedAppointment,
  { actor, nowMs, meetingBaseUrl }: Viewing,
): string | null {
  const { meetingRoom, status, startMs } = appointment
  if (meetingRoom === null || meetingBaseUrl === '' || status === 'pending' || !isActive(appointment))
    return null
  if (nowMs < startMs - MEETING_SHOWN_MS || partyOf(appointment, actor) === 'admin') return null
  return `${meetingBaseUrl.replace(/\/+$/, '')}/${meetingRoom}`
}

/** Whether a start that staff choose beside the grid is what it is shown as: times are shown to the second. */
export const isShownWhole = ({ start, override }: { start: number; override?: unknown }): boolean =>
  override === undefined || start % SECOND_MS === 0

export const NOT_WHOLE = { path: ['start'], error: 'Send a whole second' }
