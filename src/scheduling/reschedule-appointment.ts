/**
 * Moving an appointment. Both intervals stay taken until D1 has agreed to the one batch that moves it, or
 * nothing changes.
 */

import { changeAppointment, type OnAppointment } from './act-on-appointment'
import type { Outcome } from './answer'
import { done } from './answer'
import { answeredFrom, keptOf, moveAppointment, selectAnswer } from './appointment-rows'
import { afterRefusal, refuse } from './book-appointment'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, waitFor } from './change-calendar'
import type { Appointment } from './core/appointment'
import { freedBy } from './core/offers'
import { decideReschedule, type RescheduleRequest } from './core/reschedule'
import { endAnyHolds } from './hold-rows'

export interface RescheduleCommand extends OnAppointment, Omit<RescheduleRequest, 'override'> {
  /** Why staff pass over the minimum notice and the grid; undefined where they do not. */
  readonly override: string | undefined
}

export const rescheduleAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: RescheduleCommand,
): Promise<Outcome<Appointment>> =>
  changeAppointment(
    keeper,
    context,
    command,
    (calendar, known, party, nowMs) => {
      const request = { ...command, override: command.override !== undefined }
      const decision = decideReschedule(calendar, known, request, party, nowMs)
      if (decision.kind === 'unchanged') return answer(done(known))
      if (decision.kind === 'refusal') {
        const { refusal } = decision
        const own = refusal.code === 'already-booked' ? [refusal.appointmentId] : []
        return waitFor(keeper, own) ?? answer(refuse(refusal))
      }
      const { appointment: moved, holds } = decision
      const wait = waitFor(
        keeper,
        holds.map(({ id }) => id),
      )
      if (wait !== undefined) return wait
      const ended = endAnyHolds(holds, 'booked', nowMs)
      return change<Appointment>({
        subjectIds: [known.id, ...holds.map(({ id }) => id)],
        frees: freedBy([known], holds),
        endsHolds: { holds, outcome: 'booked' },
        statements: [...ended, moveAppointment(moved), selectAnswer(moved)],
        events: [
          {
            type: 'appointment.rescheduled',
            actorId: command.actor.userId,
            subjectId: known.id,
            atMs: nowMs,
            data: {
              doctorId: known.doctorId,
              patientId: known.patientId,
              by: party,
              fromMs: known.startMs,
              toMs: moved.startMs,
              status: moved.status,
              ...(command.override !== undefined && { override: true }),
            },
            note: command.override ?? null,
          },
        ],
        take() {
          for (const hold of holds) calendar.passHold(hold.id)
          calendar.beginMove(moved)
        },
        giveBack() {
          calendar.endMove(known.id)
          for (const hold of holds) calendar.putHold(hold)
        },
        answer: (rows) => keptOf(answeredFrom(rows[ended.length + 1]?.[0])),
        keep(kept) {
          for (const hold of holds) calendar.removeHold(hold.id)
          calendar.put(kept)
        },
      })
    },
    (refusal) => afterRefusal(context, { actor: command.actor, key: undefined }, refusal),
  )
