/**
 * What time alone ends: holds whose time is over, requests that nobody approved before their start, and waiting
 * for what is past.
 */
import type { NewEvent } from '#db/event'
import { done, type Outcome } from './answer'
import { updateStatuses } from './appointment-rows'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar, waitFor } from './change-calendar'
import { type Appointment, lapsedRequest } from './core/appointment'
import { freedBy } from './core/offers'
import { endAnyHolds, holdEvent } from './hold-rows'
import { endEntries, waitlistEvent } from './waitlist-rows'

/** How many of each one batch ends; what is left is due at once again. */
const MAX_LAPSED = 500

/** All that is overdue, in one batch. */
export const lapseOverdue = (keeper: CalendarKeeper, context: CommandContext): Promise<Outcome<null>> =>
  changeCalendar<null>(keeper, context, {
    decide(calendar, nowMs) {
      const overdue = calendar.overdue(nowMs)
      const pending = overdue.pending.slice(0, MAX_LAPSED)
      const holds = overdue.holds.slice(0, MAX_LAPSED)
      const waiting = overdue.waiting.slice(0, MAX_LAPSED)
      const ids = [...pending, ...holds, ...waiting].map(({ id }) => id)
      const wait = waitFor(keeper, ids)
      if (wait !== undefined) return wait
      const rejected = pending.map((request) => lapsedRequest(request, nowMs))
      const [first, ...others] = [
        ...rejected.map((request) => rejectedEvent(request, nowMs)),
        ...holds.map((hold) => holdEvent('hold.lapsed', null, hold, nowMs)),
        ...waiting.map((entry) => waitlistEvent('waitlist.expired', null, entry, nowMs)),
      ]
      if (first === undefined) return answer(done(null))
      return change({
        subjectIds: ids,
        frees: freedBy(pending, holds),
        endsHolds: { holds, outcome: 'lapsed' },
        statements: [
          ...(rejected.length === 0 ? [] : [updateStatuses(rejected)]),
          ...endAnyHolds(holds, 'lapsed', nowMs),
          ...(waiting.length === 0 ? [] : [endEntries(waiting, 'expired', nowMs)]),
        ],
        events: [first, ...others],
        answer: () => null,
        keep() {
          for (const request of rejected) calendar.put(request)
          for (const { id } of holds) calendar.removeHold(id)
          for (const { id } of waiting) calendar.held.removeWaiting(id)
        },
      })
    },
    happened: () => null,
  })

const rejectedEvent = ({ id, doctorId, patientId }: Appointment, atMs: number): NewEvent => ({
  type: 'appointment.rejected',
  actorId: null,
  subjectId: id,
  atMs,
  data: { doctorId, patientId, by: 'time' },
})
