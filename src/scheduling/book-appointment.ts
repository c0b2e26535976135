/**
 * Booking. Before this runs, the object has looked for the key and asked the rate limit; `changeCalendar`
 * then decides and takes in one turn, and D1 is asked once: right, fence, appointment, event, key.
 */
import { type Statement, statement } from '#db/database'
import { type KeyedRequest, replay } from '#db/idempotency'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type Change, type CommandContext, change, changeCalendar } from './change-calendar'
import { type Appointment, type BookingRefusal, decideBooking } from './core/appointment'
import type { Calendar } from './core/calendar'
import { loadAppointment } from './load-calendar'

export interface BookCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly appointmentId: string
  readonly patientId: string
  readonly startMs: number
  readonly visitTypeId: string | undefined
  readonly notes: string | null
}

/** An appointment with the names of its parties. */
export interface NamedAppointment extends Appointment {
  readonly doctorName: string
  readonly patientName: string
}

/** What a booking answers, the first time and every time that it is asked again with the same key. */
export interface BookedAppointment extends NamedAppointment {
  /** The version of the calendar that has it: what a listing may ask for at least. */
  readonly calendarVersion: number
}

export const bookAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: BookCommand,
): Promise<Outcome<BookedAppointment>> =>
  changeCalendar<BookedAppointment>(keeper, context, {
    decide(calendar, nowMs) {
      const decision = decideBooking(calendar, command, nowMs)
      if (decision.ok) return change(booking(keeper, calendar, command, decision.appointment))
      const { refusal } = decision
      // The patient's own booking of this slot may be on its way: whether they have it is not known yet.
      if (refusal.code === 'already-booked' && keeper.isUnderWay(refusal.appointmentId)) {
        return { kind: 'wait', subjectId: refusal.appointmentId }
      }
      return answer(refuse(refusal))
    },
    async happened(calendar) {
      const booked =
        calendar.appointment(command.appointmentId) ??
        (await loadAppointment(context.database, keeper.doctorId, command.appointmentId))
      if (booked === undefined) throw new Error('An appointment whose event is written has a row')
      const [named] = await context.database.run([selectAnswer(booked)])
      return JSON.parse(String(named?.results[0]?.answer)) as BookedAppointment
    },
    async refusedBy(refusal) {
      if (refusal === 'patient-not-found') return refused(refusal)
      if (refusal !== 'patient-busy' && refusal !== 'idempotency-key-used') {
        throw new Error(`A booking cannot be refused by ${refusal}`)
      }
      // A key that the caller used with another doctor counts before what that booking now collides with.
      const first = command.key && (await replay(context.database, command.actor, command.key))
      if (first?.ok === true) return done(first.answer as BookedAppointment, { replayed: true })
      if (first !== undefined) return refused(first.code)
      return refused(refusal === 'patient-busy' ? refusal : 'idempotency-key-reused')
    },
  })

/** What takes the slot, and how D1 is asked for it. */
function booking(
  keeper: CalendarKeeper,
  calendar: Calendar,
  { actor, key }: BookCommand,
  appointment: Appointment,
): Change<BookedAppointment> {
  return {
    subjectId: appointment.id,
    statements: [
      insertAppointment(appointment),
      key === undefined ? selectAnswer(appointment) : insertAnswer(actor, key, appointment),
    ],
    event: {
      type: appointment.status === 'pending' ? 'appointment.requested' : 'appointment.booked',
      actorId: actor.userId,
      subjectId: appointment.id,
      atMs: appointment.createdAt,
      data: { doctorId: appointment.doctorId, patientId: appointment.patientId },
    },
    take: () => calendar.put(appointment),
    giveBack: () => calendar.remove(appointment.id),
    answer(rows) {
      const text = String(rows[1]?.[0]?.answer)
      if (key !== undefined) keeper.remember(actor, key, text, appointment.createdAt)
      return JSON.parse(text) as BookedAppointment
    },
    keep: ({ doctorName: _doctor, patientName: _patient, calendarVersion: _version, ...booked }) =>
      calendar.put(booked),
  }
}

function refuse(refusal: BookingRefusal): Outcome<never> {
  const { code, ...evidence } = refusal
  return refused(code, evidence)
}

/** The fee is the visit type's, or the doctor's consultation fee where that has none. */
const insertAppointment = (a: Appointment): Statement =>
  statement(
    `INSERT INTO appointment (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, status, mode, fee_minor, fee_currency, notes, remarks, cancellable_until_ms, version,
       created_at, updated_at)
     SELECT ?1, user_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, coalesce(?10, fee_minor), coalesce(?11, fee_currency),
       ?12, NULL, ?13, ?14, ?15, ?15 FROM doctor WHERE user_id = ?16`,
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
    a.version,
    a.createdAt,
    a.doctorId,
  )

/** What is answered: the appointment with what only D1 knows, its fee and its parties' names. */
const ANSWER = `json_set(?1, '$.feeMinor', appointment.fee_minor, '$.feeCurrency', appointment.fee_currency,
  '$.doctorName', d.full_name, '$.patientName', p.full_name, '$.calendarVersion', calendar.version)`

const PARTIES = `appointment JOIN user AS d ON d.id = appointment.doctor_id
  JOIN user AS p ON p.id = appointment.patient_id
  JOIN calendar ON calendar.doctor_id = appointment.doctor_id WHERE appointment.id = ?2`

const selectAnswer = (appointment: Appointment): Statement =>
  statement(`SELECT ${ANSWER} AS answer FROM ${PARTIES}`, JSON.stringify(appointment), appointment.id)

const insertAnswer = (
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
