/**
 * A doctor's hours. Narrower hours take and wider ones give back, and one change may do both: while it is on
 * its way, only what the old and the new schedule both offer is offered.
 */
import { statement } from '#db/database'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import { type NamedAppointment, namedFrom, selectNamed } from './appointment-rows'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar, waitFor } from './change-calendar'
import type { Schedule } from './core/schedule'

export interface SetScheduleCommand {
  readonly actor: Actor
  readonly schedule: Omit<Schedule, 'version'>
  /** The versions that the caller's If-Match names; undefined where any will do. */
  readonly versions: readonly number[] | undefined
}

/** Appointments outside the new hours that an answer shows; it tells how many there are. */
export const MAX_OUTSIDE_SHOWN = 100

export interface ChangedSchedule {
  readonly schedule: Schedule
  /** Appointments still to come that now lie outside the hours, by start: they stay. The first of them. */
  readonly outside: readonly NamedAppointment[]
  readonly outsideCount: number
}

export async function setSchedule(
  keeper: CalendarKeeper,
  context: CommandContext,
  command: SetScheduleCommand,
): Promise<Outcome<ChangedSchedule>> {
  const outcome = await changeCalendar<ChangedSchedule>(keeper, context, {
    decide(calendar, nowMs) {
      const { version: seen } = calendar.hours.schedule
      if (command.versions !== undefined && !command.versions.includes(seen)) {
        return answer(refused('precondition-failed'))
      }
      const next: Schedule = { ...command.schedule, version: seen + 1 }
      // From here on nothing new lands outside; what is on its way there decides itself first.
      calendar.hours.announceSchedule(next)
      const outside = calendar.outside(next, nowMs)
      const wait = waitFor(
        keeper,
        outside.map(({ id }) => id),
      )
      if (wait !== undefined) return wait
      return change({
        subjectIds: [keeper.doctorId],
        statements: [
          updateSchedule(keeper.doctorId, next, nowMs),
          selectNamed(outside.slice(0, MAX_OUTSIDE_SHOWN)),
        ],
        events: [
          {
            type: 'schedule.changed',
            actorId: command.actor.userId,
            subjectId: keeper.doctorId,
            atMs: nowMs,
            data: { doctorId: keeper.doctorId, scheduleVersion: next.version },
          },
        ],
        giveBack: () => calendar.hours.announceSchedule(undefined),
        answer: (rows) => ({ schedule: next, outside: namedFrom(rows[1]), outsideCount: outside.length }),
        keep: () => calendar.setSchedule(next),
      })
    },
    async happened(calendar) {
      const { schedule } = calendar.hours
      const outside = calendar.outside(schedule, context.nowMs())
      const [named] = await context.database.run([selectNamed(outside.slice(0, MAX_OUTSIDE_SHOWN))])
      return { schedule, outside: namedFrom(named?.results), outsideCount: outside.length }
    },
  })
  // It was announced before D1 was asked, and D1 may never have been.
  if (!outcome.ok) giveBackHours(keeper)
  return outcome
}

function giveBackHours(keeper: CalendarKeeper): void {
  const calendar = keeper.inMemory
  if (calendar === undefined) return
  calendar.hours.announceSchedule(undefined)
  keeper.changed(calendar)
}

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
