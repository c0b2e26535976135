/**
 * Approving, rejecting, cancelling, starting, completing, noting a no-show: one command each, one rule for all.
 * What gives an interval back changes memory only in the turn that receives D1's yes, so all of them do.
 */
import type { EventType } from '#db/event'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import { updateStatuses } from './appointment-rows'
import { refuse } from './book-appointment'
import type { CalendarKeeper } from './calendar-keeper'
import {
  answer,
  type Command,
  type CommandContext,
  change,
  changeCalendar,
  type Decision,
  waitFor,
} from './change-calendar'
import { type Appointment, type AppointmentCommand, decide, type Party } from './core/appointment'
import type { Calendar } from './core/calendar'
import { freedBy } from './core/offers'
import { loadAppointment } from './load-calendar'

/** A command on one appointment: who gives it, and what they have seen. */
export interface OnAppointment {
  readonly actor: Actor
  readonly appointmentId: string
  /** The versions that the caller's If-Match names; undefined where any will do. */
  readonly versions: readonly number[] | undefined
}

export interface ActCommand extends OnAppointment {
  readonly command: AppointmentCommand
}

const EVENTS = {
  approve: 'appointment.approved',
  reject: 'appointment.rejected',
  cancel: 'appointment.cancelled',
  start: 'appointment.started',
  complete: 'appointment.completed',
  'no-show': 'appointment.no-show',
} as const satisfies Record<AppointmentCommand['action'], EventType>

/** What gives back time that nobody has used. */
const GIVING_BACK: readonly AppointmentCommand['action'][] = ['cancel', 'reject']

export const actOnAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { command, ...on }: ActCommand,
): Promise<Outcome<Appointment>> =>
  changeAppointment(keeper, context, on, (calendar, known, party, nowMs) => {
    const decision = decide(known, command, party, nowMs)
    if (decision.kind === 'unchanged') return answer(done(known))
    if (decision.kind === 'refusal') return answer(refuse(decision.refusal))
    const { appointment } = decision
    return change({
      subjectIds: [known.id],
      ...(GIVING_BACK.includes(command.action) && { frees: freedBy([known]) }),
      statements: [updateStatuses([appointment])],
      events: [
        {
          type: EVENTS[command.action],
          actorId: on.actor.userId,
          subjectId: known.id,
          atMs: nowMs,
          data: { doctorId: known.doctorId, patientId: known.patientId, by: party },
          note: noteOf(command),
        },
      ],
      answer: () => appointment,
      keep: () => calendar.put(appointment),
    })
  })

/** The words of a command. */
function noteOf(command: AppointmentCommand): string | null {
  if (command.action === 'cancel') return command.reason
  return command.action === 'reject' ? command.remarks : null
}

type Decide = (calendar: Calendar, known: Appointment, party: Party, nowMs: number) => Decision<Appointment>

/** A change of one appointment by one of its parties, once whatever else is under way on it has been settled. */
export const changeAppointment = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, appointmentId, versions }: OnAppointment,
  decideOn: Decide,
  refusedBy?: Command<Appointment>['refusedBy'],
): Promise<Outcome<Appointment>> =>
  changeCalendar<Appointment, Appointment | undefined>(keeper, context, {
    read: async (calendar) =>
      calendar.appointment(appointmentId) ??
      (await loadAppointment(context.database, keeper.doctorId, appointmentId)),
    decide(calendar, nowMs, read) {
      const wait = waitFor(keeper, [appointmentId])
      if (wait !== undefined) return wait
      // What memory has is newer than what was read, if both have it.
      const known = calendar.appointment(appointmentId) ?? read
      const party = known === undefined ? undefined : partyOf(known, actor)
      if (known === undefined || party === undefined) return answer(refused('not-found'))
      if (versions !== undefined && !versions.includes(known.version))
        return answer(refused('precondition-failed'))
      return decideOn(calendar, known, party, nowMs)
    },
    async happened() {
      const found = await loadAppointment(context.database, keeper.doctorId, appointmentId)
      if (found === undefined) throw new Error('An appointment whose event is written has a row')
      return found
    },
    ...(refusedBy !== undefined && { refusedBy }),
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
