/** The waiting list: time that becomes free passes to those who wait for it, before anybody else sees it. */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { waitlist } from '#db/schema'
import type { AppEnv } from '#http/context'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { PageOf, pageExample } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { answerRefusal, callCalendar } from './call-calendar'
import { Id, Instant } from './fields'
import { findOwn } from './find-own'
import { answerOwnPage, OwnPageQuery } from './own-page'
import { exampleWaitlistEntry, viewWaitlistEntry, WaitlistEntryView } from './waitlist'

const EMPTY_FAULT = { pointer: '/to', detail: '`to` must be after `from`' }

const NewWaitlistEntry = z
  .strictObject({ doctorId: Id, visitTypeId: Id.optional(), from: Instant, to: Instant })
  .meta({ id: 'NewWaitlistEntry' })

const JOIN_PROBLEMS = [
  'doctor-not-found',
  'visit-type-not-found',
  'already-waiting',
  'too-many-waiting',
  'waitlist-full',
  'waiting-in-past',
  'range-too-long',
  'idempotency-key-reused',
  'overloaded',
] as const

const LEAVE_PROBLEMS = ['not-found', 'overloaded'] as const

export const waitlistRoutes = new Hono<AppEnv>()
  .post(
    '/waitlist',
    operation('joinWaitlist', {
      tag: 'Scheduling',
      summary: 'Waits for a doctor’s time to become free',
      headers: ['Idempotency-Key'],
      description:
        'Time that is freed from now on (by a cancellation, a rejection, a move, a hold that ends unused, time off that is withdrawn) passes to the first in the line whom a slot in it suits, as a hold of 15 minutes with the origin `waitlist`: book with its id. Unused, it passes to the next, and its patient goes to the end of the line. One offer at a time; booking it ends the waiting. At most 20 entries a patient, over all doctors, each of at most 62 days.',
      answers: { 201: shows(WaitlistEntryView, 'The entry', exampleWaitlistEntry, ['Location']) },
      problems: JOIN_PROBLEMS,
    }),
    validate('json', NewWaitlistEntry, {
      example: {
        doctorId: exampleWaitlistEntry.doctorId,
        from: exampleWaitlistEntry.from,
        to: exampleWaitlistEntry.to,
      },
    }),
    async (c) => {
      const body = c.req.valid('json')
      const actor = c.get('actor')
      const key = await keyedRequest(c, 'POST /v1/waitlist', body)
      const faults = [
        ...(key === 'malformed' ? [IDEMPOTENCY_KEY_FAULT] : []),
        ...(body.from < body.to ? [] : [EMPTY_FAULT]),
      ]
      if (key === 'malformed' || faults.length > 0) return invalid(c, faults)
      const { doctorId, visitTypeId = null, from: fromMs, to: toMs } = body
      const wish = { id: newId('wtl'), visitTypeId, fromMs, toMs }
      const joined = await callCalendar(c, doctorId, (object) => object.joinWaitlist({ actor, key, wish }))
      if (!joined.ok) return answerRefusal(c, joined.refusal, JOIN_PROBLEMS)
      if (joined.replayed) markReplayed(c)
      c.header('Location', `/v1/waitlist/${joined.value.id}`)
      return c.json(viewWaitlistEntry(joined.value), 201)
    },
  )
  .get(
    '/waitlist',
    operation('listWaitlist', {
      tag: 'Scheduling',
      summary: 'What one waits for',
      answers: {
        200: shows(PageOf(WaitlistEntryView), 'A page, the oldest first', pageExample(exampleWaitlistEntry)),
      },
    }),
    validate('query', OwnPageQuery),
    (c) =>
      answerOwnPage(c, c.req.valid('query'), {
        table: waitlist,
        by: 'createdAt',
        where: and(
          eq(waitlist.patientId, c.get('actor').userId),
          isNull(waitlist.endedAt),
          gt(waitlist.toMs, Date.now()),
        ),
        view: viewWaitlistEntry,
      }),
  )
  .delete(
    '/waitlist/:id',
    operation('leaveWaitlist', {
      tag: 'Scheduling',
      summary: 'Waits no more; a hold that was offered already stays until it ends',
      answers: { 204: { description: 'The patient waits for it no more' } },
      problems: LEAVE_PROBLEMS,
    }),
    validate('param', z.object({ id: z.string() })),
    async (c) => {
      const actor = c.get('actor')
      const { id } = c.req.valid('param')
      const found = await findOwn(databaseOf(c, 'first-primary'), actor, waitlist, id)
      if (typeof found === 'string') return problem(c, found)
      if (found.endedAt !== null) return c.body(null, 204)
      const left = await callCalendar(c, found.doctorId, (object) =>
        object.leaveWaitlist({ actor, entryId: id }),
      )
      return left.ok ? c.body(null, 204) : answerRefusal(c, left.refusal, LEAVE_PROBLEMS)
    },
  )
