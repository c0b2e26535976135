/** Dated openings beside the rules. */
import { and, asc, count as counted, eq, gt, gte, or } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { readAs } from '#db/right'
import { opening } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { CURSOR_FAULT, decodeCursor, PageOf, pageExample, pageFrom, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { answerRefusal, callCalendar } from './call-calendar'
import { MAX_OPENING_MS } from './load-calendar'
import { exampleOpening, NewOpening, OpeningChanges, OpeningView, viewOpening } from './opening'

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

const OpeningQuery = z.strictObject(pageQuery)

const Cursor = z.tuple([z.int(), z.string().max(64)])

const OpeningId = z.object({ id: z.string() })

export const openingRoutes = new Hono<AppEnv>()
  .get(
    '/doctors/me/availability',
    operation('listOpenings', {
      tag: 'Scheduling',
      summary: 'The own dated openings that have not ended',
      answers: { 200: shows(PageOf(OpeningView), 'A page, ordered by start', pageExample(exampleOpening)) },
    }),
    validate('query', OpeningQuery),
    async (c) => {
      const { limit, cursor, count } = c.req.valid('query')
      const after = cursor === undefined ? undefined : decodeCursor(cursor, Cursor)
      if (cursor !== undefined && after === undefined) return invalid(c, [CURSOR_FAULT])
      const actor = c.get('actor')
      const nowMs = Date.now()
      const database = databaseOf(c)
      const current = and(
        eq(opening.doctorId, actor.userId),
        gt(opening.startMs, nowMs - MAX_OPENING_MS),
        gt(opening.endMs, nowMs),
      )
      const beyond =
        after &&
        and(gte(opening.startMs, after[0]), or(gt(opening.startMs, after[0]), gt(opening.id, after[1])))
      const read = await readAs(database, actor, [
        database.db
          .select()
          .from(opening)
          .where(and(current, beyond))
          .orderBy(asc(opening.startMs), asc(opening.id))
          .limit(limit + 1),
        // At most `MAX_OPENINGS` rows, so that counting them costs little whether it is asked for or not.
        database.db.select({ total: counted() }).from(opening).where(current),
      ])
      if (read === undefined) return problem(c, 'session-ended')
      const page = pageFrom(read[0], limit, ({ startMs, id }) => [startMs, id], viewOpening)
      return c.json({ ...page, ...(count === 'true' && { total: read[1][0]?.total ?? 0 }) }, 200)
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
