/** Cancelling gives an interval back, so memory changes only in the turn that receives D1's yes. */
import { statement } from '#db/database'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar } from './change-calendar'
import { type Appointment, decideAction, type Party } from './core/appointment'
import { loadAppointment } from './load-calendar'

export interface CancelCommand {
  readonly actor: Actor
  readonly appointmentId: string
  readonly reason: string | null
  /** The versions that the caller's If-Match names; undefined where any will do. */
  readonly versions: readonly number[] | undefined
}

export const cancelAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: CancelCommand,
): Promise<Outcome<Appointment>> =>
  changeCalendar<Appointment, Appointment | undefined>(keeper, context, {
    read: async (calendar) =>
      calendar.appointment(command.appointmentId) ??
      (await loadAppointment(context.database, keeper.doctorId, command.appointmentId)),

    decide(calendar, nowMs, known) {
      // A booking whose answer is still on its way would be put into memory after it was cancelled.
      if (keeper.isUnderWay(command.appointmentId)) return { kind: 'wait', subjectId: command.appointmentId }
      const party = known === undefined ? undefined : partyOf(known, command.actor)
      if (known === undefined || party === undefined) return answer(refused('not-found'))
      if (command.versions !== undefined && !command.versions.includes(known.version)) {
        return answer(refused('precondition-failed'))
      }
      if (known.status === 'cancelled') return answer(done(known))
      const decision = decideAction(known, 'cancel', party, nowMs)
      if (!decision.ok) {
        const { code, ...evidence } = decision.refusal
        return answer(refused(code, evidence))
      }
      const version = known.version + 1
      const cancelled: Appointment = {
        ...known,
        status: decision.to,
        cancellationReason: command.reason,
        version,
        updatedAt: nowMs,
      }
      return change({
        subjectId: known.id,
        statements: [
          statement(
            'UPDATE appointment SET status = ?, cancellation_reason = ?, version = ?, updated_at = ? WHERE id = ?',
            cancelled.status,
            // On the row, which can be made anonymous: events are for ever and hold no words of people.
            cancelled.cancellationReason,
            version,
            nowMs,
            known.id,
          ),
        ],
        event: {
          type: 'appointment.cancelled',
          actorId: command.actor.userId,
          subjectId: known.id,
          atMs: nowMs,
          data: { doctorId: known.doctorId, patientId: known.patientId, by: party },
        },
        answer: () => cancelled,
        keep: () => calendar.put(cancelled),
      })
    },

    async happened() {
      const found = await loadAppointment(context.database, keeper.doctorId, command.appointmentId)
      if (found === undefined) throw new Error('An appointment whose event is written has a row')
      return found
    },
  })

/** In what capacity the actor takes part in the appointment; undefined where they do not. */
export function partyOf(
  { patientId, doctorId }: Pick<Appointment, 'patientId' | 'doctorId'>,
  { userId, role }: Actor,
): Party | undefined {
  if (role === 'admin') return 'admin'
  if (userId === patientId && role === 'patient') return 'patient'
  return userId === doctorId && role === 'doctor' ? 'doctor' : undefined
}
