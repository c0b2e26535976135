/** Time alone rejects an appointment that nobody approved before its start. */
import { statement } from '#db/database'
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
      if (keeper.isUnderWay(appointmentId)) return { kind: 'wait', subjectId: appointmentId }
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
        ],
        event: {
          type: 'appointment.rejected',
          actorId: null,
          subjectId: appointmentId,
          atMs: nowMs,
          data: { doctorId: pending.doctorId, patientId: pending.patientId, by: 'time' },
        },
        answer: () => null,
        keep: () => calendar.put(rejected),
      })
    },
    happened: () => null,
  })
