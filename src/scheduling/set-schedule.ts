/**
 * A doctor's hours. Narrower hours take and wider ones give back, and one change may do both: while it is on
 * its way, only what the old and the new schedule both offer is offered.
 */
import { statement } from '#db/database'
import { insertEvent } from '#db/event'
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
): Promise<Outcome<Schedule>> => {
  let written: Schedule | undefined
  return changeCalendar<Schedule>(keeper, context, {
    decide(calendar, nowMs) {
      const { version: seen } = calendar.schedule
      if (command.versions !== undefined && !command.versions.includes(seen)) {
        return answer(refused('precondition-failed'))
      }
      const next: Schedule = { ...command.schedule, version: seen + 1 }
      written = next
      return change({
        subjectId: keeper.doctorId,
        statements: [
          upsertSchedule(keeper.doctorId, next, nowMs),
          insertEvent({
            type: 'schedule.changed',
            actorId: command.actor.userId,
            subjectId: keeper.doctorId,
            atMs: nowMs,
            data: { doctorId: keeper.doctorId, scheduleVersion: next.version },
          }),
        ],
        take: () => calendar.announceSchedule(next),
        giveBack: () => calendar.announceSchedule(undefined),
        answer: () => next,
        keep: () => calendar.setSchedule(next),
      })
    },
    async happened({ schedule }) {
      return JSON.stringify(withoutVersion(schedule)) === JSON.stringify(withoutVersion(written))
        ? schedule
        : undefined
    },
  })
}

/** For comparison, member by member in one order. */
const withoutVersion = (schedule: Schedule | undefined) =>
  schedule && [
    schedule.timeZone,
    schedule.rules,
    schedule.slotMinutes,
    schedule.minNoticeMinutes,
    schedule.horizonDays,
    schedule.approval,
    schedule.cancellationNoticeMinutes,
    schedule.dailyLimit,
  ]

const upsertSchedule = (doctorId: string, schedule: Schedule, nowMs: number) =>
  statement(
    `INSERT INTO schedule (doctor_id, time_zone, rules, slot_minutes, min_notice_minutes, horizon_days, approval,
       cancellation_notice_minutes, daily_limit, version, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
     ON CONFLICT (doctor_id) DO UPDATE SET time_zone = ?2, rules = ?3, slot_minutes = ?4,
       min_notice_minutes = ?5, horizon_days = ?6, approval = ?7, cancellation_notice_minutes = ?8,
       daily_limit = ?9, version = ?10, updated_at = ?11`,
    doctorId,
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
  )
