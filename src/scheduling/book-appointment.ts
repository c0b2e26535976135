/**
 * Booking. Before this runs, the object has looked for the key and asked the rate limit; `changeCalendar`
 * then decides and takes in one turn, and D1 is asked once: right, fence, hold, appointment, event, key.
 */
import { type KeyedRequest, replay } from '#db/idempotency'
import type { Refusal } from '#db/refusal'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import {
  type AnsweredAppointment,
  answeredFrom,
  insertAnswer,
  insertAppointment,
  keptOf,
  selectAnswer,
} from './appointment-rows'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type Change, type CommandContext, change, changeCalendar, waitFor } from './change-calendar'
import type { ActionRefusal } from './core/appointment'
import { type Booking, type BookingRefusal, type BookingRequest, decideBooking } from './core/booking'
import type { Calendar } from './core/calendar'
import { freedBy } from './core/offers'
import { endAnyHolds } from './hold-rows'
import { loadAppointment } from './load-calendar'

export interface BookCommand extends Omit<BookingRequest, 'override'> {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  /** Why staff pass over the minimum notice and the grid; undefined where they do not. */
  readonly override: string | undefined
}

export const bookAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: BookCommand,
): Promise<Outcome<AnsweredAppointment>> =>
  changeCalendar<AnsweredAppointment>(keeper, context, {
    decide(calendar, nowMs) {
      const decision = decideBooking(
        calendar,
        { ...command, override: command.override !== undefined },
        nowMs,
      )
      // A change of these may be on its way: whether the patient has the slot, or still holds it, is not known yet.
      const concerned =
        decision.kind === 'booking' ? decision.holds.map(({ id }) => id) : ownIn(decision.refusal, command)
      const wait = waitFor(keeper, concerned)
      if (wait !== undefined) return wait
      if (decision.kind === 'booking') return change(booking(keeper, calendar, command, decision))
      return answer(refuse(decision.refusal))
    },
    async happened() {
      // The first answer to the letter, where it was kept.
      const first = command.key && (await replay(context.database, command.actor, command.key))
      if (first?.ok === true) return first.answer as AnsweredAppointment
      const booked = await loadAppointment(context.database, keeper.doctorId, command.appointmentId)
      if (booked === undefined) throw new Error('An appointment whose event is written has a row')
      const [named] = await context.database.run([selectAnswer(booked)])
      return answeredFrom(named?.results[0])
    },
    refusedBy: (refusal) => afterRefusal<AnsweredAppointment>(context, command, refusal),
  })

/** What a refusal of D1 means to a creating command that takes time of a patient. */
export async function afterRefusal<T>(
  { database }: CommandContext,
  { actor, key }: { readonly actor: Actor; readonly key: KeyedRequest | undefined },
  refusal: Refusal,
): Promise<Outcome<T>> {
  if (refusal === 'patient-not-found') return refused(refusal)
  if (refusal !== 'patient-busy' && refusal !== 'too-many-holds' && refusal !== 'idempotency-key-used') {
    throw new Error(`Nothing that takes a patient's time can be refused by ${refusal}`)
  }
  // A key that the caller used with another doctor counts before what that request now collides with.
  const first = key && (await replay(database, actor, key))
  if (first?.ok === true) return done(first.answer as T, { replayed: true })
  if (first !== undefined) return refused(first.code)
  return refused(refusal === 'idempotency-key-used' ? 'idempotency-key-reused' : refusal)
}

/** What takes the slot, and how D1 is asked for it. */
function booking(
  keeper: CalendarKeeper,
  calendar: Calendar,
  { actor, key, override }: BookCommand,
  { appointment, holds }: Booking,
): Change<AnsweredAppointment> {
  const { id, doctorId, patientId, createdAt } = appointment
  const ended = endAnyHolds(holds, 'booked', createdAt)
  return {
    subjectIds: [id, ...holds.map((hold) => hold.id)],
    frees: freedBy([], holds),
    endsHolds: { holds, outcome: 'booked' },
    statements: [
      ...ended,
      insertAppointment(appointment),
      ...(key === undefined ? [] : [insertAnswer(actor, key, appointment)]),
    ],
    events: [
      {
        type: appointment.status === 'pending' ? 'appointment.requested' : 'appointment.booked',
        actorId: actor.userId,
        subjectId: id,
        atMs: createdAt,
        data: { doctorId, patientId, ...(override !== undefined && { override: true }) },
        note: override ?? null,
      },
    ],
    take() {
      for (const hold of holds) calendar.passHold(hold.id)
      calendar.put(appointment)
    },
    giveBack() {
      calendar.remove(id)
      for (const hold of holds) calendar.putHold(hold)
    },
    answer(rows) {
      const [inserted, kept] = rows.slice(ended.length)
      if (key === undefined) return { ...appointment, ...inserted?.[0] } as AnsweredAppointment
      keeper.remember(actor, key, String(kept?.[0]?.answer), createdAt)
      return answeredFrom(kept?.[0])
    },
    keep(booked) {
      for (const hold of holds) calendar.removeHold(hold.id)
      calendar.put(keptOf(booked))
    },
  }
}

/** What the refusal rests on and may still be on its way: the patient's appointment, or the hold that is gone. */
function ownIn(refusal: BookingRefusal, { holdId }: BookCommand): string[] {
  if (refusal.code === 'already-booked') return [refusal.appointmentId]
  return refusal.code === 'hold-expired' && holdId !== undefined ? [holdId] : []
}

/** A refusal of the core for the wire. */
export function refuse({ code, ...evidence }: BookingRefusal | ActionRefusal): Outcome<never> {
  return refused(code, evidence)
}
