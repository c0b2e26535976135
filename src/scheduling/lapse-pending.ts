/** Time alone rejects an appointment that nobody approved before its start. */
import { statement } from '#db/database'
import { insertEvent } from '#db/event'
import { done, type Outcome } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar } from './change-calendar'

export const lapsePending = (
  keeper: CalendarKeeper,
  context: CommandContext,
  appointmentId: string,
): Promise<Outcome<null>> =>
  changeCalendar<null>(keeper, context, {
    decide(calendar, nowMs) {
      const pending = calendar.lapsedPending(nowMs).find(({ id }) => id === appointmentId)
      if (pending === undefined) return answer(done(null))
      const rejected = {
        ...pending,
        status: 'rejected',
        version: pending.version + 1,
        updatedAt: nowMs,
      } as const
      return change({
        subjectId: appointmentId,
        statements: [
          statement(
            'UPDATE appointment SET status = ?, version = ?, updated_at = ? WHERE id = ?',
            rejected.status,
            rejected.version,
            nowMs,
            appointmentId,
          ),
          insertEvent({
            type: 'appointment.rejected',
            actorId: null,
            subjectId: appointmentId,
            atMs: nowMs,
            data: { doctorId: pending.doctorId, patientId: pending.patientId, by: 'time' },
          }),
        ],
        answer: () => null,
        keep: () => calendar.put(rejected),
      })
    },
    // A fresh load decides it anew: the object looks for lapsed ones after each.
    happened: async () => null,
  })
