/** Waiting for a doctor's time to become free, and leaving the waiting list. */
import { insertIdempotencyKey, type KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import { done, type Outcome, refused } from './answer'
import { afterRefusal } from './book-appointment'
import type { CalendarKeeper } from './calendar-keeper'
import {
  answer,
  type CommandContext,
  change,
  changeCalendar,
  type Decision,
  waitFor,
} from './change-calendar'
import type { Calendar } from './core/calendar'
import { MAX_WAITING_MS, MAX_WAITLIST_ENTRIES, rangeOf, type WaitlistEntry } from './core/waiting-list'
import { endEntries, insertEntry, waitlistEvent } from './waitlist-rows'

export interface JoinCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly wish: Pick<WaitlistEntry, 'id' | 'visitTypeId' | 'fromMs' | 'toMs'>
}

/** What one patient asks to wait for is decided one after another, so that none of it is there twice. */
export const joinWaitlist = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: JoinCommand,
): Promise<Outcome<WaitlistEntry>> =>
  keeper.inOrder(`waitlist ${command.actor.userId}`, () => join(keeper, context, command))

function join(
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, key, wish }: JoinCommand,
): Promise<Outcome<WaitlistEntry>> {
  let joined: WaitlistEntry | undefined
  return changeCalendar<WaitlistEntry>(keeper, context, {
    decide(calendar, nowMs) {
      const no = refusalOf(keeper, calendar, actor, wish, nowMs)
      if (no !== undefined) return no
      const entry: WaitlistEntry = {
        ...wish,
        doctorId: calendar.doctorId,
        patientId: actor.userId,
        createdAt: nowMs,
        passedAt: null,
        offerId: null,
        freedAt: null,
      }
      joined = entry
      return change({
        subjectIds: [entry.id],
        statements: [
          insertEntry(entry),
          ...(key === undefined ? [] : [insertIdempotencyKey(actor, key, entry, nowMs, keeper.doctorId)]),
        ],
        events: [waitlistEvent('waitlist.joined', actor.userId, entry, nowMs)],
        answer() {
          if (key !== undefined) keeper.remember(actor, key, JSON.stringify(entry), nowMs)
          return entry
        },
        // After D1: it is nobody's turn who is not in its list.
        keep: () => calendar.held.putWaiting(entry),
      })
    },
    happened() {
      if (joined === undefined) throw new Error('What happened was decided before')
      return joined
    },
    refusedBy(refusal) {
      if (refusal === 'too-many-waiting' || refusal === 'waitlist-full') return refused(refusal)
      return afterRefusal<WaitlistEntry>(context, { actor, key }, refusal)
    },
  })
}

/** Why the patient cannot wait for this, or what must be settled before that is known. */
function refusalOf(
  keeper: CalendarKeeper,
  calendar: Calendar,
  { userId }: Actor,
  { visitTypeId, fromMs, toMs }: JoinCommand['wish'],
  nowMs: number,
): Decision<never> | undefined {
  if (!calendar.bookable) return answer(refused('doctor-not-found'))
  if (calendar.visitType(visitTypeId ?? undefined) === undefined)
    return answer(refused('visit-type-not-found'))
  if (toMs <= nowMs) return answer(refused('waiting-in-past'))
  if (toMs - fromMs > MAX_WAITING_MS) return answer(refused('range-too-long'))
  const same = calendar.held.waiting.same(userId, visitTypeId, rangeOf({ fromMs, toMs }))
  if (same !== undefined)
    return waitFor(keeper, [same.id]) ?? answer(refused('already-waiting', { waitlistId: same.id }))
  if (calendar.held.waiting.size >= MAX_WAITLIST_ENTRIES) return answer(refused('waitlist-full'))
  return undefined
}

export interface LeaveCommand {
  readonly actor: Actor
  readonly entryId: string
}

/** Waiting no more. What the patient is offered already stays theirs until it lapses. */
export const leaveWaitlist = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, entryId }: LeaveCommand,
): Promise<Outcome<null>> =>
  changeCalendar<null>(keeper, context, {
    decide(calendar, nowMs) {
      const wait = waitFor(keeper, [entryId])
      if (wait !== undefined) return wait
      const entry = calendar.held.waiting.entry(entryId)
      if (entry === undefined || entry.patientId !== actor.userId) return answer(done(null))
      return change({
        subjectIds: [entryId],
        statements: [endEntries([entry], 'left', nowMs)],
        events: [waitlistEvent('waitlist.left', actor.userId, entry, nowMs)],
        answer: () => null,
        keep: () => calendar.held.removeWaiting(entryId),
      })
    },
    happened: () => null,
  })
