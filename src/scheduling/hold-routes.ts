/** Holds: a slot kept for a patient while they make up their mind. */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { hold } from '#db/schema'
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
import { exampleHold, HoldView, viewHold } from './hold'
import { answerOwnPage, OwnPageQuery } from './own-page'

const NewHold = z
  .strictObject({ doctorId: Id, start: Instant, visitTypeId: Id.optional() })
  .meta({ id: 'NewHold' })

const TAKE_PROBLEMS = [
  'doctor-not-found',
  'visit-type-not-found',
  'slot-taken',
  'patient-busy',
  'already-booked',
  'too-many-holds',
  'slot-not-offered',
  'idempotency-key-reused',
  'rate-limited',
  'overloaded',
] as const

const RELEASE_PROBLEMS = ['not-found', 'overloaded'] as const

export const holdRoutes = new Hono<AppEnv>()
  .post(
    '/holds',
    operation('takeHold', {
      tag: 'Scheduling',
      summary: 'Holds a slot for five minutes, in which nobody else gets it',
      headers: ['Idempotency-Key'],
      description:
        'At most two at once, over all doctors. Book with its id, which is never used again. A hold that overlaps an earlier one of one’s own takes its place.',
      answers: {
        200: shows(
          HoldView,
          'This very slot was held already; the hold ends when it would have',
          exampleHold,
        ),
        201: shows(HoldView, 'The hold', exampleHold, ['Location']),
      },
      problems: TAKE_PROBLEMS,
      rateLimited: true,
    }),
    validate('json', NewHold, { example: { doctorId: exampleHold.doctorId, start: exampleHold.start } }),
    async (c) => {
      const body = c.req.valid('json')
      const actor = c.get('actor')
      const key = await keyedRequest(c, 'POST /v1/holds', body)
      if (key === 'malformed') return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      const answer = await callCalendar(c, body.doctorId, (object) =>
        object.hold({
          actor,
          key,
          holdId: newId('hld'),
          patientId: actor.userId,
          startMs: body.start,
          visitTypeId: body.visitTypeId,
        }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, TAKE_PROBLEMS)
      const { hold: taken, isNew } = answer.value
      if (answer.replayed) markReplayed(c)
      if (!isNew) return c.json(viewHold(taken), 200)
      c.header('Location', `/v1/holds/${taken.id}`)
      return c.json(viewHold(taken), 201)
    },
  )
  .get(
    '/holds',
    operation('listHolds', {
      tag: 'Scheduling',
      summary: 'The own holds that live',
      answers: { 200: shows(PageOf(HoldView), 'A page, the first to end first', pageExample(exampleHold)) },
    }),
    validate('query', OwnPageQuery),
    (c) =>
      answerOwnPage(c, c.req.valid('query'), {
        table: hold,
        by: 'expiresAt',
        where: and(
          eq(hold.patientId, c.get('actor').userId),
          isNull(hold.endedAt),
          gt(hold.expiresAt, Date.now()),
        ),
        view: viewHold,
      }),
  )
  .delete(
    '/holds/:id',
    operation('releaseHold', {
      tag: 'Scheduling',
      summary: 'Gives a hold back; one that has ended stays as it is',
      answers: { 204: { description: 'It holds nothing' } },
      problems: RELEASE_PROBLEMS,
    }),
    validate('param', z.object({ id: z.string() })),
    async (c) => {
      const actor = c.get('actor')
      const { id } = c.req.valid('param')
      const found = await findOwn(databaseOf(c, 'first-primary'), actor, hold, id)
      if (typeof found === 'string') return problem(c, found)
      if (found.endedAt !== null) return c.body(null, 204)
      const released = await callCalendar(c, found.doctorId, (object) =>
        object.release({ actor, holdId: id }),
      )
      return released.ok ? c.body(null, 204) : answerRefusal(c, released.refusal, RELEASE_PROBLEMS)
    },
  )
