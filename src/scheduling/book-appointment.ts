/**
 * Booking. Before this runs, the object has looked for the key and asked the rate limit; `changeCalendar`
 * then decides and takes in one turn, and D1 is asked once: right, fence, appointment, event, key.
 */
import { type Statement, statement } from '#db/database'
import { insertEvent } from '#db/event'
import { type KeyedRequest, replay } from '#db/idempotency'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type Change, type CommandContext, change, changeCalendar } from './change-calendar'
import { type Appointment, type BookingRefusal, decideBooking } from './core/appointment'
import type { Calendar } from './core/calendar'

export interface BookCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly appointmentId: string
  readonly patientId: string
  readonly startMs: number
  readonly visitTypeId: string | undefined
  readonly notes: string | null
}

/** An appointment with the names of its parties, as it is answered. */
export interface NamedAppointment extends Appointment {
  readonly doctorName: string
  readonly patientName: string
}

export const bookAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: BookCommand,
): Promise<Outcome<NamedAppointment>> =>
  changeCalendar<NamedAppointment>(keeper, context, {
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
      const booked = calendar.appointment(command.appointmentId)
      if (booked === undefined) return undefined
      const [named] = await context.database.run([selectAnswer(booked)])
      return JSON.parse(String(named?.results[0]?.answer)) as NamedAppointment
    },
    refusedBy(refusal) {
      if (refusal === 'patient-busy' || refusal === 'patient-not-found') return refused(refusal)
      if (refusal === 'idempotency-key-used') return replayed(context, command.actor, command.key)
      throw new Error(`A booking cannot be refused by ${refusal}`)
    },
  })

/** What takes the slot, and how D1 is asked for it. */
function booking(
  keeper: CalendarKeeper,
  calendar: Calendar,
  { actor, key }: BookCommand,
  appointment: Appointment,
): Change<NamedAppointment> {
  return {
    subjectId: appointment.id,
    statements: [
      insertAppointment(appointment),
      insertEvent({
        type: appointment.status === 'pending' ? 'appointment.requested' : 'appointment.booked',
        actorId: actor.userId,
        subjectId: appointment.id,
        atMs: appointment.createdAt,
        data: { doctorId: appointment.doctorId, patientId: appointment.patientId },
      }),
      key === undefined ? selectAnswer(appointment) : insertAnswer(actor, key, appointment),
    ],
    take: () => calendar.put(appointment),
    giveBack: () => calendar.remove(appointment.id),
    answer(rows) {
      const text = String(rows[2]?.[0]?.answer)
      if (key !== undefined) keeper.remember(actor, key, text, appointment.createdAt)
      return JSON.parse(text) as NamedAppointment
    },
    keep: ({ doctorName: _doctor, patientName: _patient, ...booked }) => calendar.put(booked),
  }
}

/** D1 knows a key that memory does not: the caller used it with another doctor. */
async function replayed(
  { database }: CommandContext,
  actor: Actor,
  key: KeyedRequest | undefined,
): Promise<Outcome<NamedAppointment>> {
  if (key === undefined) throw new Error('A booking without a key cannot meet a used one')
  const first = await replay(database, actor, key)
  return first.ok ? done(first.answer as NamedAppointment, true) : refused(first.code)
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
  '$.doctorName', d.full_name, '$.patientName', p.full_name)`

const PARTIES = `appointment JOIN user AS d ON d.id = appointment.doctor_id
  JOIN user AS p ON p.id = appointment.patient_id WHERE appointment.id = ?2`

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
