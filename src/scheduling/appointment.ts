/** An appointment as the API shows it. */
import * as z from 'zod'
import type { Actor } from '#db/right'
import { APPOINTMENT_STATUSES } from '#db/schema'
import { Money, moneyFrom } from '#http/money'
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
    start: z.string(),
    end: z.string(),
    status: z.enum(APPOINTMENT_STATUSES),
    visitTypeId: z.string(),
    mode: z.enum(['in-person', 'video']),
    fee: Money.nullable(),
    notes: z.string().nullable(),
    remarks: z.string().nullable(),
    cancellationReason: z.string().nullable(),
    meetingUrl: z.string().nullable(),
    cancellableUntil: z.string(),
    allowedActions: z.array(z.string()),
    version: z.int(),
    createdAt: z.string(),
    calendarVersion: z
      .int()
      .optional()
      .meta({ description: 'After a change: the version that a listing of slots may ask `atLeast`.' }),
  })
  .meta({ id: 'Appointment' })

export type AppointmentView = z.infer<typeof AppointmentView>

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
