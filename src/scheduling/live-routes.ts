/** Listening to a doctor: a WebSocket that tells when their calendar has changed. */
import { Hono } from 'hono'
import type { TypedResponse } from 'hono/types'
import * as z from 'zod'
import type { AppEnv } from '#http/context'
import { operation } from '#http/operation'
import { problem } from '#http/problem'
import { validate } from '#http/validate'
import { answerRefusal, callCalendar } from './call-calendar'
import { upgradedFrom, upgradeRequest } from './upgrade'

const LIVE_PROBLEMS = ['doctor-not-found', 'upgrade-required', 'overloaded'] as const

export const liveRoutes = new Hono<AppEnv>().get(
  '/doctors/:id/slots/live',
  operation('listenToSlots', {
    tag: 'Scheduling',
    summary: 'A WebSocket that tells when the slots of a doctor change',
    description:
      'Send `Upgrade: websocket`. The first message comes at once and one more within a second of every change: `{ "type": "changed", "version": 12 }`, the version of the calendar, which `atLeast` of a listing takes; changes that follow each other closely are told by the newest. Say `ping` each minute (answered `pong`): a listener that is silent for five minutes may be closed, and connects again. Whoever sends anything else above 1 KiB, or more than five messages a second, is closed with 1008. A doctor has at most 1,000 listeners.',
    answers: { 101: { description: 'The connection is a WebSocket from here on' } },
    problems: LIVE_PROBLEMS,
  }),
  validate('param', z.object({ id: z.string() })),
  async (c) => {
    if (c.req.header('Upgrade')?.toLowerCase() !== 'websocket') return problem(c, 'upgrade-required')
    const answer = await callCalendar(c, c.req.valid('param').id, async (object) =>
      upgradedFrom(await object.fetch(upgradeRequest())),
    )
    if (!answer.ok) return answerRefusal(c, answer.refusal, LIVE_PROBLEMS)
    // Made here and not passed on: the headers of an answer that was fetched cannot be added to.
    const upgraded = new Response(null, { status: 101, webSocket: answer.value })
    return upgraded as Response & TypedResponse<null, 101, 'body'>
  },
)
