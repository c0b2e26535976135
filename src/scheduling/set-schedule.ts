/**
 * A doctor's hours. Narrower hours take and wider ones give back, and one change may do both: while it is on
 * its way, only what the old and the new schedule both offer is offered.
 */
import { statement } from '#db/database'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar } from './change-calendar'
import type { Schedule } from './core/schedule'

export interface SetScheduleCommand {
  readonly actor: Actor
  readonly schedule: Omit<Schedule, 'version'>
  /** The versions that the caller's If-Match names; undefined where any will do. */
  readonly versions: readonly number[] | undefined
}

export const setSchedule = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: SetScheduleCommand,
): Promise<Outcome<Schedule>> =>
  changeCalendar<Schedule>(keeper, context, {
    decide(calendar, nowMs) {
      const { version: seen } = calendar.schedule
      if (command.versions !== undefined && !command.versions.includes(seen)) {
        return answer(refused('precondition-failed'))
      }
      const next: Schedule = { ...command.schedule, version: seen + 1 }
      return change({
        subjectId: keeper.doctorId,
        statements: [updateSchedule(keeper.doctorId, next, nowMs)],
        event: {
          type: 'schedule.changed',
          actorId: command.actor.userId,
          subjectId: keeper.doctorId,
          atMs: nowMs,
          data: { doctorId: keeper.doctorId, scheduleVersion: next.version },
        },
        take: () => calendar.announceSchedule(next),
        giveBack: () => calendar.announceSchedule(undefined),
        answer: () => next,
        keep: () => calendar.setSchedule(next),
      })
    },
    happened: ({ schedule }) => schedule,
  })

/** Every doctor has a schedule from their registration on. */
const updateSchedule = (doctorId: string, schedule: Schedule, nowMs: number) =>
  statement(
    `UPDATE schedule SET time_zone = ?, rules = ?, slot_minutes = ?, min_notice_minutes = ?, horizon_days = ?,
       approval = ?, cancellation_notice_minutes = ?, daily_limit = ?, version = ?, updated_at = ?
     WHERE doctor_id = ?`,
    schedule.timeZone,
    JSON.stringify(schedule.rules),
    schedule.slotMinutes,
    schedule.minNoticeMinutes,
    schedule.horizonDays,
    schedule.approval,
    schedule.cancellationNoticeMinutes,
    schedule.dailyLimit,
    schedule.version,
    nowMs,
    doctorId,
  )
