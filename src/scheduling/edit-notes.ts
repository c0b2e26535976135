/** The patient's own words on their appointment, while the visit is still to come or under way. */

import { changeAppointment, type OnAppointment } from './act-on-appointment'
import type { Outcome } from './answer'
import { refused } from './answer'
import { updateStatuses } from './appointment-rows'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change } from './change-calendar'
import { type Appointment, actionsFrom, isActive } from './core/appointment'

export interface EditNotesCommand extends OnAppointment {
  readonly notes: string | null
}

export const editNotes = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { notes, ...on }: EditNotesCommand,
): Promise<Outcome<Appointment>> =>
  changeAppointment(keeper, context, on, (calendar, known, party, nowMs) => {
    if (party === 'doctor') return answer(refused('forbidden'))
    if (!isActive(known)) {
      const { status } = known
      return answer(refused('illegal-transition', { from: status, allowed: actionsFrom(status) }))
    }
    const edited: Appointment = { ...known, notes, version: known.version + 1, updatedAt: nowMs }
    return change({
      subjectIds: [known.id],
      statements: [updateStatuses([edited])],
      events: [
        {
          type: 'appointment.updated',
          actorId: on.actor.userId,
          subjectId: known.id,
          atMs: nowMs,
          data: { doctorId: known.doctorId, patientId: known.patientId, by: party },
        },
      ],
      answer: () => edited,
      keep: () => calendar.put(edited),
    })
  })
