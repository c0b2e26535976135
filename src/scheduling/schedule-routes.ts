/** A doctor's hours, and the verification without which nobody sees them. */
import { eq } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { readAs } from '#db/right'
import { schedule } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { operation, shows } from '#http/operation'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { ShownInstant } from '#http/shown'
import { line, paragraphs } from '#http/text'
import { pointerTo, validate } from '#http/validate'
import { viewAppointment, viewingOf } from './appointment'
import { answerRefusal, callCalendar } from './call-calendar'
import { checkRules } from './core/availability'
import { formatInstant, localDate } from './core/time'
import { scheduleOf } from './load-calendar'
import {
  ChangedScheduleView,
  exampleChangedSchedule,
  exampleSchedule,
  ScheduleBody,
  ScheduleView,
  sortFaults,
  viewSchedule,
} from './schedule'

/** Lengths of an administrator's words, in characters. */
const MAX_LICENSE_NUMBER = 50
const MAX_NOTE = 500

const Verification = z
  .strictObject({
    licenseNumber: line(1, MAX_LICENSE_NUMBER).optional(),
    note: paragraphs(MAX_NOTE).optional(),
  })
  .meta({ id: 'Verification' })

const VerifiedView = z
  .object({
    id: z.string(),
    fullName: z.string(),
    licenseNumber: z.string().nullable(),
    verified: z.literal(true),
    verifiedAt: ShownInstant,
    listed: z.boolean().meta({ description: 'A suspended doctor stays unlisted' }),
  })
  .meta({ id: 'VerifiedDoctor' })

const SCHEDULE_PROBLEMS = ['schedule-refused', 'precondition-failed', 'overloaded'] as const
const VERIFY_PROBLEMS = ['doctor-not-found', 'overloaded'] as const

export const scheduleRoutes = new Hono<AppEnv>()
  .get(
    '/doctors/me/schedule',
    operation('getSchedule', {
      tag: 'Scheduling',
      summary: 'The own hours and booking policy',
      answers: {
        200: shows(ScheduleView, 'The schedule; without rules until one is set', exampleSchedule, ['ETag']),
      },
    }),
    async (c) => {
      const actor = c.get('actor')
      const database = databaseOf(c)
      const read = await readAs(database, actor, [
        database.db.select().from(schedule).where(eq(schedule.doctorId, actor.userId)),
      ])
      const row = read?.[0][0]
      if (row === undefined) return problem(c, 'session-ended')
      const current = scheduleOf(row)
      c.header('ETag', etagOf(current.version))
      return c.json(viewSchedule(current), 200)
    },
  )
  .put(
    '/doctors/me/schedule',
    operation('setSchedule', {
      tag: 'Scheduling',
      summary: 'Sets the own hours and booking policy',
      headers: ['If-Match'],
      answers: {
        200: shows(
          ChangedScheduleView,
          'The schedule, and what now lies outside it',
          exampleChangedSchedule,
          ['ETag'],
        ),
      },
      problems: SCHEDULE_PROBLEMS,
    }),
    validate('json', ScheduleBody, { example: exampleSchedule }),
    async (c) => {
      const body = c.req.valid('json')
      const actor = c.get('actor')
      const today = localDate(Date.now(), body.timeZone)
      const { contradictory } = sortFaults(checkRules(body.rules, body.timeZone, today))
      if (contradictory.length > 0) {
        const errors = contradictory.map(({ rule, member, code, detail }) => ({
          pointer: pointerTo(['rules', rule, member]),
          code,
          detail,
        }))
        return problem(c, 'schedule-refused', { errors })
      }
      const versions = versionsInIfMatch(c.req.header('If-Match'))
      const answer = await callCalendar(c, actor.userId, (object) =>
        object.setSchedule({ actor, schedule: body, versions }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, SCHEDULE_PROBLEMS)
      const { schedule: changed, outside, outsideCount } = answer.value
      const viewing = viewingOf(c)
      const outsideHours = outside.map((appointment) => viewAppointment(appointment, viewing))
      c.header('ETag', etagOf(changed.version))
      return c.json({ ...viewSchedule(changed), outsideHours, outsideHoursCount: outsideCount }, 200)
    },
  )
  .post(
    '/admin/doctors/:id/verify',
    operation('verifyDoctor', {
      tag: 'Accounts',
      summary: 'Verifies a doctor, who is listed and bookable from then on',
      answers: {
        200: shows(VerifiedView, 'The verified doctor', {
          id: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
          fullName: 'Farida Khan',
          licenseNumber: 'A-77120',
          verified: true,
          verifiedAt: '2026-11-20T09:30:00Z',
          listed: true,
        }),
      },
      problems: VERIFY_PROBLEMS,
    }),
    validate('param', z.object({ id: z.string() })),
    validate('json', Verification, { example: { licenseNumber: 'A-77120' }, presence: 'optional' }),
    async (c) => {
      const { licenseNumber = null, note = null } = c.req.valid('json')
      const actor = c.get('actor')
      const answer = await callCalendar(c, c.req.valid('param').id, (object) =>
        object.verify({ actor, licenseNumber, note }),
      )
      if (!answer.ok) return answerRefusal(c, answer.refusal, VERIFY_PROBLEMS)
      const { verifiedAt, ...doctor } = answer.value
      return c.json({ ...doctor, verified: true as const, verifiedAt: formatInstant(verifiedAt) }, 200)
    },
  )
