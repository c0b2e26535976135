/** The visit types that a doctor offers: listed, added, changed, archived. */
import { and, eq, isNull } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { visitType } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { PageOf, pageExample } from '#http/page'
import { invalid, validate } from '#http/validate'
import { answerRefusal, callCalendar } from './call-calendar'
import { answerOwnPage, OwnPageQuery } from './own-page'
import {
  changedTermsFrom,
  exampleTerms,
  exampleVisitType,
  NewVisitType,
  termsFrom,
  VisitTypeChanges,
  VisitTypeView,
  viewVisitType,
} from './visit-type'

const ADD_PROBLEMS = ['too-many-visit-types', 'idempotency-key-reused', 'overloaded'] as const
const EDIT_PROBLEMS = ['not-found', 'precondition-failed', 'overloaded'] as const
const ARCHIVE_PROBLEMS = ['not-found', 'last-visit-type', 'precondition-failed', 'overloaded'] as const

const VisitTypeId = z.object({ id: z.string() })

export const visitTypeRoutes = new Hono<AppEnv>()
  .get(
    '/doctors/me/visit-types',
    operation('listVisitTypes', {
      tag: 'Scheduling',
      summary: 'The own visit types on offer, oldest first; the first is what a booking gets that names none',
      answers: { 200: shows(PageOf(VisitTypeView), 'A page', pageExample(exampleVisitType)) },
    }),
    validate('query', OwnPageQuery),
    (c) =>
      answerOwnPage(c, c.req.valid('query'), {
        table: visitType,
        by: 'createdAt',
        where: and(eq(visitType.doctorId, c.get('actor').userId), isNull(visitType.archivedAt)),
        view: viewVisitType,
      }),
  )
  .post(
    '/doctors/me/visit-types',
    operation('addVisitType', {
      tag: 'Scheduling',
      summary: 'Offers another visit type',
      headers: ['Idempotency-Key'],
      answers: { 201: shows(VisitTypeView, 'The visit type', exampleVisitType, ['ETag']) },
      problems: ADD_PROBLEMS,
    }),
    validate('json', NewVisitType, { example: exampleTerms }),
    async (c) => {
      const body = c.req.valid('json')
      const actor = c.get('actor')
      const key = await keyedRequest(c, 'POST /v1/doctors/me/visit-types', body)
      if (key === 'malformed') return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.addVisitType({ actor, key, id: newId('vis'), terms: termsFrom(body) }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, ADD_PROBLEMS)
      if (answer.replayed) markReplayed(c)
      c.header('ETag', etagOf(answer.value.version))
      return c.json(viewVisitType(answer.value), 201)
    },
  )
  .patch(
    '/doctors/me/visit-types/:id',
    operation('editVisitType', {
      tag: 'Scheduling',
      summary: 'Changes the members given; what has been booked stays as it was',
      headers: ['If-Match'],
      answers: { 200: shows(VisitTypeView, 'The changed visit type', exampleVisitType, ['ETag']) },
      problems: EDIT_PROBLEMS,
    }),
    validate('param', VisitTypeId),
    validate('json', VisitTypeChanges, { example: { durationMinutes: 30, bufferAfterMinutes: 10 } }),
    async (c) => {
      const actor = c.get('actor')
      const versions = versionsInIfMatch(c.req.header('If-Match'))
      const { id } = c.req.valid('param')
      const terms = changedTermsFrom(c.req.valid('json'))
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.editVisitType({ actor, visitTypeId: id, versions, terms }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, EDIT_PROBLEMS)
      c.header('ETag', etagOf(answer.value.version))
      return c.json(viewVisitType(answer.value), 200)
    },
  )
  .delete(
    '/doctors/me/visit-types/:id',
    operation('archiveVisitType', {
      tag: 'Scheduling',
      summary: 'Offers it no more; what has been booked or is held stays, and the last one has to',
      headers: ['If-Match'],
      answers: { 204: { description: 'Offered no more' } },
      problems: ARCHIVE_PROBLEMS,
    }),
    validate('param', VisitTypeId),
    async (c) => {
      const actor = c.get('actor')
      const versions = versionsInIfMatch(c.req.header('If-Match'))
      const { id } = c.req.valid('param')
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.archiveVisitType({ actor, visitTypeId: id, versions }),
      )
      return answer.ok ? c.body(null, 204) : answerRefusal(c, answer.refusal, ARCHIVE_PROBLEMS)
    },
  )
