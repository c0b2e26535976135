/** Dated openings beside the rules. */
import { and, eq, gt } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { opening } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { PageOf, pageExample } from '#http/page'
import { invalid, validate } from '#http/validate'
import { answerRefusal, callCalendar } from './call-calendar'
import { MAX_OPENING_MS } from './load-calendar'
import { exampleOpening, NewOpening, OpeningChanges, OpeningView, viewOpening } from './opening'
import { answerOwnPage, OwnPageQuery } from './own-page'

const ADD_PROBLEMS = [
  'opening-in-past',
  'opening-overlaps',
  'too-many-openings',
  'idempotency-key-reused',
  'overloaded',
] as const
const EDIT_PROBLEMS = [
  'not-found',
  'precondition-failed',
  'opening-booked',
  'opening-in-past',
  'opening-length',
  'opening-overlaps',
  'overloaded',
] as const
const REMOVE_PROBLEMS = ['not-found', 'opening-booked', 'overloaded'] as const

const OpeningId = z.object({ id: z.string() })

export const openingRoutes = new Hono<AppEnv>()
  .get(
    '/doctors/me/availability',
    operation('listOpenings', {
      tag: 'Scheduling',
      summary: 'The own dated openings that have not ended',
      answers: { 200: shows(PageOf(OpeningView), 'A page, ordered by start', pageExample(exampleOpening)) },
    }),
    validate('query', OwnPageQuery),
    (c) => {
      const nowMs = Date.now()
      return answerOwnPage(c, c.req.valid('query'), {
        table: opening,
        by: 'startMs',
        where: and(
          eq(opening.doctorId, c.get('actor').userId),
          gt(opening.startMs, nowMs - MAX_OPENING_MS),
          gt(opening.endMs, nowMs),
        ),
        view: viewOpening,
      })
    },
  )
  .post(
    '/doctors/me/availability',
    operation('addOpening', {
      tag: 'Scheduling',
      summary: 'Adds a dated opening beside the rules',
      headers: ['Idempotency-Key'],
      answers: { 201: shows(OpeningView, 'The opening', exampleOpening, ['ETag']) },
      problems: ADD_PROBLEMS,
    }),
    validate('json', NewOpening, { example: { start: exampleOpening.start, end: exampleOpening.end } }),
    async (c) => {
      const body = c.req.valid('json')
      const actor = c.get('actor')
      const key = await keyedRequest(c, 'POST /v1/doctors/me/availability', body)
      if (key === 'malformed') return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      const added = { id: newId('opn'), startMs: body.start, endMs: body.end, version: 1 }
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.addOpening({ actor, key, opening: added }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, ADD_PROBLEMS)
      if (answer.replayed) markReplayed(c)
      c.header('ETag', etagOf(answer.value.version))
      return c.json(viewOpening(answer.value), 201)
    },
  )
  .patch(
    '/doctors/me/availability/:id',
    operation('editOpening', {
      tag: 'Scheduling',
      summary: 'Moves an opening in which nothing is booked',
      headers: ['If-Match'],
      answers: { 200: shows(OpeningView, 'The changed opening', exampleOpening, ['ETag']) },
      problems: EDIT_PROBLEMS,
    }),
    validate('param', OpeningId),
    validate('json', OpeningChanges, { example: { end: exampleOpening.end } }),
    async (c) => {
      const { start: startMs, end: endMs } = c.req.valid('json')
      const actor = c.get('actor')
      const openingId = c.req.valid('param').id
      const versions = versionsInIfMatch(c.req.header('If-Match'))
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.editOpening({ actor, openingId, startMs, endMs, versions }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, EDIT_PROBLEMS)
      c.header('ETag', etagOf(answer.value.version))
      return c.json(viewOpening(answer.value), 200)
    },
  )
  .delete(
    '/doctors/me/availability/:id',
    operation('removeOpening', {
      tag: 'Scheduling',
      summary: 'Removes an opening in which nothing is booked',
      answers: { 204: { description: 'Removed' } },
      problems: REMOVE_PROBLEMS,
    }),
    validate('param', OpeningId),
    async (c) => {
      const actor = c.get('actor')
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.removeOpening({ actor, openingId: c.req.valid('param').id }),
      )
      return answer.ok ? c.body(null, 204) : answerRefusal(c, answer.refusal, REMOVE_PROBLEMS)
    },
  )
