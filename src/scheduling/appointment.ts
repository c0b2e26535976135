/** An appointment as the API shows it. */
import * as z from 'zod'
import type { Actor } from '#db/right'
import { APPOINTMENT_STATUSES } from '#db/schema'
import { Money, moneyFrom } from '#http/money'
import { ShownInstant } from '#http/shown'
import type { NamedAppointment } from './book-appointment'
import { partyOf } from './cancel-appointment'
import { allowedActions } from './core/appointment'
import { formatInstant } from './core/time'

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
    allowedActions: z.array(z.string()),
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
  allowedActions: ['cancel'],
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

/** The appointment as this actor sees it at `nowMs`. */
export function viewAppointment(appointment: NamedAppointment, actor: Actor, nowMs: number): AppointmentView {
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
    meetingUrl: null,
    cancellableUntil: formatInstant(appointment.cancellableUntilMs),
    allowedActions: party === undefined ? [] : allowedActions(appointment, party, nowMs),
    version: appointment.version,
    createdAt: formatInstant(appointment.createdAt),
  }
}
