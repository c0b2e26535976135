/** Time off: taken, listed, given back. */
import { and, eq, gt } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { timeOff } from '#db/schema'
import type { AppEnv } from '#http/context'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { PageOf, pageExample } from '#http/page'
import { problem } from '#http/problem'
import { invalid, validate } from '#http/validate'
import { viewingOf } from './appointment'
import { answerRefusal, callCalendar } from './call-calendar'
import { MAX_TIME_OFF_MS } from './load-calendar'
import { answerOwnPage, OwnPageQuery } from './own-page'
import {
  exampleTakenTimeOff,
  exampleTimeOff,
  NewTimeOff,
  TakenTimeOffView,
  TimeOffView,
  viewTakenTimeOff,
  viewTimeOff,
} from './time-off'

const TAKE_PROBLEMS = [
  'range-too-long',
  'time-off-in-past',
  'too-much-time-off',
  'idempotency-key-reused',
  'overloaded',
] as const
const WITHDRAW_PROBLEMS = ['not-found', 'overloaded'] as const

export const timeOffRoutes = new Hono<AppEnv>()
  .get(
    '/doctors/me/time-off',
    operation('listTimeOff', {
      tag: 'Scheduling',
      summary: 'The own time off that has not ended',
      answers: { 200: shows(PageOf(TimeOffView), 'A page, ordered by start', pageExample(exampleTimeOff)) },
    }),
    validate('query', OwnPageQuery),
    (c) => {
      const nowMs = Date.now()
      return answerOwnPage(c, c.req.valid('query'), {
        table: timeOff,
        by: 'startMs',
        where: and(
          eq(timeOff.doctorId, c.get('actor').userId),
          gt(timeOff.startMs, nowMs - MAX_TIME_OFF_MS),
          gt(timeOff.endMs, nowMs),
        ),
        view: viewTimeOff,
      })
    },
  )
  .post(
    '/doctors/me/time-off',
    operation('takeTimeOff', {
      tag: 'Scheduling',
      summary: 'Takes time off, whatever the hours and openings say',
      description:
        'Nothing is offered in it from then on, and slots held in it are held no more. What is booked in it is `affected`: it stays, or is cancelled as far as it has not begun.',
      headers: ['Idempotency-Key'],
      answers: { 201: shows(TakenTimeOffView, 'The time off', exampleTakenTimeOff) },
      problems: TAKE_PROBLEMS,
    }),
    validate('json', NewTimeOff, {
      example: {
        start: exampleTimeOff.start,
        end: exampleTimeOff.end,
        reason: exampleTimeOff.reason,
        onConflict: 'keep',
      },
    }),
    async (c) => {
      const body = c.req.valid('json')
      const { start: startMs, end: endMs, reason, onConflict } = body
      const actor = c.get('actor')
      const key = await keyedRequest(c, 'POST /v1/doctors/me/time-off', body)
      if (key === 'malformed') return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      if (endMs - startMs > MAX_TIME_OFF_MS) return problem(c, 'range-too-long')
      const taken = { id: newId('tof'), startMs, endMs, reason }
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.takeTimeOff({ actor, key, timeOff: taken, onConflict }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, TAKE_PROBLEMS)
      if (answer.replayed) markReplayed(c)
      return c.json(viewTakenTimeOff(answer.value, viewingOf(c)), 201)
    },
  )
  .delete(
    '/doctors/me/time-off/:id',
    operation('withdrawTimeOff', {
      tag: 'Scheduling',
      summary: 'Gives the time back; what was cancelled in it stays cancelled',
      answers: { 204: { description: 'Given back' } },
      problems: WITHDRAW_PROBLEMS,
    }),
    validate('param', z.object({ id: z.string() })),
    async (c) => {
      const actor = c.get('actor')
      const timeOffId = c.req.valid('param').id
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.withdrawTimeOff({ actor, timeOffId }),
      )
      return answer.ok ? c.body(null, 204) : answerRefusal(c, answer.refusal, WITHDRAW_PROBLEMS)
    },
  )
