/** What D1 is asked to write and to answer of appointments. */
import { type Statement, statement } from '#db/database'
import type { KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import type { Appointment } from './core/appointment'

/** An appointment with the names of its parties. */
export interface NamedAppointment extends Appointment {
  readonly doctorName: string
  readonly patientName: string
}

/** What a change of an appointment answers, the first time and every time it is asked again with the same key. */
export interface AnsweredAppointment extends NamedAppointment {
  /** The version of the calendar that has it: what a listing may ask for at least. */
  readonly calendarVersion: number
}

/**
 * The fee is the visit type's, or the doctor's consultation fee where that has none. Its one row has what only D1
 * knows: the fee and the parties' names.
 */
export const insertAppointment = (a: Appointment): Statement =>
  statement(
    `INSERT INTO appointment (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, status, mode, fee_minor, fee_currency, notes, remarks, cancellable_until_ms, meeting_room,
       version, created_at, updated_at)
     SELECT ?1, user_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, coalesce(?10, fee_minor), coalesce(?11, fee_currency),
       ?12, NULL, ?13, ?14, ?15, ?16, ?16 FROM doctor WHERE user_id = ?17
     RETURNING fee_minor AS feeMinor, fee_currency AS feeCurrency,
       (SELECT full_name FROM user WHERE id = doctor_id) AS doctorName,
       (SELECT full_name FROM user WHERE id = patient_id) AS patientName,
       (SELECT version FROM calendar WHERE calendar.doctor_id = appointment.doctor_id) AS calendarVersion`,
    a.id,
    a.patientId,
    a.visitTypeId,
    a.startMs,
    a.endMs,
    a.blockedStartMs,
    a.blockedEndMs,
    a.status,
    a.mode,
    a.feeMinor,
    a.feeCurrency,
    a.notes,
    a.cancellableUntilMs,
    a.meetingRoom,
    a.version,
    a.createdAt,
    a.doctorId,
  )

/** Moves the row, with its terms; a fee of null is the doctor's own. */
export const moveAppointment = (a: Appointment): Statement =>
  statement(
    `UPDATE appointment SET visit_type_id = ?2, start_ms = ?3, end_ms = ?4, blocked_start_ms = ?5,
       blocked_end_ms = ?6, status = ?7, mode = ?8,
       fee_minor = coalesce(?9, (SELECT fee_minor FROM doctor WHERE user_id = doctor_id)),
       fee_currency = coalesce(?10, (SELECT fee_currency FROM doctor WHERE user_id = doctor_id)),
       cancellable_until_ms = ?11, meeting_room = ?12, version = ?13, updated_at = ?14
     WHERE id = ?1`,
    a.id,
    a.visitTypeId,
    a.startMs,
    a.endMs,
    a.blockedStartMs,
    a.blockedEndMs,
    a.status,
    a.mode,
    a.feeMinor,
    a.feeCurrency,
    a.cancellableUntilMs,
    a.meetingRoom,
    a.version,
    a.updatedAt,
  )

/** Writes what a command may change of appointments that stay where they are: status and words. */
export const updateStatuses = (appointments: readonly Appointment[]): Statement =>
  statement(
    `UPDATE appointment SET status = value ->> 'status', remarks = value ->> 'remarks',
       cancellation_reason = value ->> 'cancellationReason', notes = value ->> 'notes',
       version = value ->> 'version', updated_at = value ->> 'updatedAt'
     FROM json_each(?) WHERE appointment.id = value ->> 'id'`,
    JSON.stringify(appointments),
  )

/** What is answered: the appointment with what only D1 knows, its fee and its parties' names. */
const ANSWER = `json_set(?1, '$.feeMinor', appointment.fee_minor, '$.feeCurrency', appointment.fee_currency,
  '$.doctorName', d.full_name, '$.patientName', p.full_name, '$.calendarVersion', calendar.version)`

const PARTIES = `appointment JOIN user AS d ON d.id = appointment.doctor_id
  JOIN user AS p ON p.id = appointment.patient_id
  JOIN calendar ON calendar.doctor_id = appointment.doctor_id WHERE appointment.id = ?2`

/** Its one row has the `answer`, as JSON. */
export const selectAnswer = (appointment: Appointment): Statement =>
  statement(`SELECT ${ANSWER} AS answer FROM ${PARTIES}`, JSON.stringify(appointment), appointment.id)

/** The same, kept under the key. */
export const insertAnswer = (
  actor: Actor,
  { key, route, bodyHash }: KeyedRequest,
  appointment: Appointment,
): Statement =>
  statement(
    `INSERT OR REPLACE INTO idempotency (answer, user_id, key, route, body_hash, doctor_id, created_at)
     SELECT ${ANSWER}, ?3, ?4, ?5, ?6, ?7, ?8 FROM ${PARTIES} RETURNING answer`,
    JSON.stringify(appointment),
    appointment.id,
    actor.userId,
    key,
    route,
    bodyHash,
    appointment.doctorId,
    appointment.createdAt,
  )

/** The answer in such a row. */
export const answeredFrom = (row: Record<string, unknown> | undefined): AnsweredAppointment =>
  JSON.parse(String(row?.answer)) as AnsweredAppointment

/** The appointment as memory keeps it: without what is answered beside it. */
export const keptOf = ({
  doctorName: _doctor,
  patientName: _patient,
  calendarVersion: _version,
  ...appointment
}: AnsweredAppointment): Appointment => appointment

/** Appointments with their parties' names, by start: one `answer` a row. */
export const selectNamed = (appointments: readonly Appointment[]): Statement =>
  statement(
    `SELECT json_set(value, '$.doctorName', d.full_name, '$.patientName', p.full_name) AS answer
     FROM json_each(?) JOIN user AS d ON d.id = value ->> 'doctorId' JOIN user AS p ON p.id = value ->> 'patientId'
     ORDER BY key`,
    JSON.stringify(appointments),
  )

export const namedFrom = (rows: readonly Record<string, unknown>[] | undefined): NamedAppointment[] =>
  (rows ?? []).map((row) => JSON.parse(String(row.answer)) as NamedAppointment)
