/** Booking and reading appointments. */
import { Hono } from 'hono'
import * as z from 'zod'
import { newId, newSecret } from '#db/id'
import { APPOINTMENT_STATUSES } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { CURSOR_FAULT, decodeCursor, PageOf, pageExample, pageFrom, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import {
  AppointmentId,
  AppointmentView,
  exampleAppointment,
  isShownWhole,
  NOT_WHOLE,
  Notes,
  Override,
  viewAppointment,
  viewingOf,
} from './appointment'
import { answerRefusal, callCalendar } from './call-calendar'
import { DAY_MS, startOfDay } from './core/time'
import { Bound, Id, Instant, MAX_ID_LENGTH, REVERSED_FAULT } from './fields'
import { findAppointment, findAppointments } from './find-appointments'
import { findHistory } from './find-history'
import { AppointmentEventView, exampleEvent, viewEvent } from './history'

const Booking = z
  .strictObject({
    doctorId: Id,
    start: Instant,
    visitTypeId: Id.optional(),
    holdId: Id.optional(),
    override: Override.optional().meta({ description: 'For administrators alone.' }),
    notes: Notes.optional(),
    patientId: Id.optional().meta({ description: 'For administrators alone.' }),
  })
  .refine(isShownWhole, NOT_WHOLE)
  .meta({ id: 'Booking' })

/** One status, or several with commas between them. */
const Statuses = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(APPOINTMENT_STATUSES)).min(1).max(APPOINTMENT_STATUSES.length))

const AppointmentQuery = z.strictObject({
  ...pageQuery,
  status: Statuses.optional(),
  doctorId: z.string().max(MAX_ID_LENGTH).optional(),
  patientId: z.string().max(MAX_ID_LENGTH).optional(),
  from: Bound.optional(),
  to: Bound.optional(),
  sort: z.enum(['start', '-start']).default('start'),
})

const Cursor = z.tuple([z.int(), z.string().max(MAX_ID_LENGTH)])
const HistoryCursor = z.tuple([z.int()])

const BOOK_PROBLEMS = [
  'doctor-not-found',
  'patient-not-found',
  'visit-type-not-found',
  'slot-taken',
  'patient-busy',
  'already-booked',
  'slot-not-offered',
  'hold-expired',
  'hold-mismatch',
  'idempotency-key-reused',
  'rate-limited',
  'overloaded',
] as const

export const appointmentRoutes = new Hono<AppEnv>()
  .post(
    '/appointments',
    operation('bookAppointment', {
      tag: 'Appointments',
      summary: 'Books a slot',
      headers: ['Idempotency-Key'],
      description:
        'Send an Idempotency-Key: a retry with the same key gives the first answer again. With a `holdId` the hold passes into the appointment. An administrator’s `override` passes over the minimum notice and the grid, and its reason stays in the history.',
      answers: {
        201: shows(AppointmentView, 'Booked: `confirmed`, or `pending` until approved', exampleAppointment, [
          'ETag',
          'Location',
        ]),
      },
      problems: BOOK_PROBLEMS,
      rateLimited: true,
    }),
    validate('json', Booking, {
      example: {
        doctorId: exampleAppointment.doctorId,
        start: exampleAppointment.start,
        notes: 'Chest pain when climbing stairs',
      },
    }),
    async (c) => {
      const body = c.req.valid('json')
      const actor = c.get('actor')
      const patientId = body.patientId ?? (actor.role === 'patient' ? actor.userId : undefined)
      if (patientId === undefined) return invalid(c, [{ pointer: '/patientId', detail: 'Name the patient' }])
      if (actor.role === 'patient' && patientId !== actor.userId) {
        return problem(c, 'forbidden', { detail: 'A patient books for themselves' })
      }
      if (actor.role === 'patient' && body.override !== undefined) {
        return problem(c, 'forbidden', { detail: 'A patient overrides nothing' })
      }
      const key = await keyedRequest(c, 'POST /v1/appointments', body)
      if (key === 'malformed') return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      const booked = await callCalendar(c, body.doctorId, (object) =>
        object.book({
          actor,
          key,
          appointmentId: newId('apt'),
          patientId,
          startMs: body.start,
          visitTypeId: body.visitTypeId,
          holdId: body.holdId,
          notes: body.notes ?? null,
          meetingRoom: newSecret(),
          override: body.override?.reason,
        }),
      )
      if (!booked.ok) return answerRefusal(c, booked.refusal, BOOK_PROBLEMS)
      if (booked.replayed) markReplayed(c)
      const { value } = booked
      c.header('Location', `/v1/appointments/${value.id}`)
      c.header('ETag', etagOf(value.version))
      // As of the booking, so that a repeated request gets the very first answer.
      const view = viewAppointment(value, { ...viewingOf(c), nowMs: value.updatedAt })
      return c.json({ ...view, calendarVersion: value.calendarVersion }, 201)
    },
  )
  .get(
    '/appointments',
    operation('listAppointments', {
      tag: 'Appointments',
      summary: 'The own appointments; an administrator’s all',
      answers: {
        200: shows(PageOf(AppointmentView), 'A page, ordered by start', pageExample(exampleAppointment)),
      },
    }),
    validate('query', AppointmentQuery),
    async (c) => {
      const query = c.req.valid('query')
      const actor = c.get('actor')
      const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, Cursor)
      if (query.cursor !== undefined && after === undefined) return invalid(c, [CURSOR_FAULT])
      const range = rangeOf(query.from, query.to)
      if (range === 'reversed') return invalid(c, [REVERSED_FAULT])
      const found = await findAppointments(databaseOf(c, 'first-primary'), actor, {
        statuses: query.status,
        doctorId: query.doctorId,
        patientId: query.patientId,
        ...range,
        descending: query.sort === '-start',
        after,
        rows: query.limit + 1,
        counted: query.count === 'true',
      })
      if (found === undefined) return problem(c, 'session-ended')
      const page = pageFrom(
        found.rows,
        query.limit,
        ({ startMs, id }) => [startMs, id],
        (row) => viewAppointment(row, viewingOf(c)),
      )
      return c.json({ ...page, ...(found.total !== undefined && { total: found.total }) }, 200)
    },
  )
  .get(
    '/appointments/:id',
    operation('getAppointment', {
      tag: 'Appointments',
      summary: 'One appointment',
      answers: { 200: shows(AppointmentView, 'The appointment', exampleAppointment, ['ETag']) },
      problems: ['not-found'],
    }),
    validate('param', AppointmentId),
    async (c) => {
      const actor = c.get('actor')
      const found = await findAppointment(databaseOf(c, 'first-primary'), actor, c.req.valid('param').id)
      if (typeof found === 'string') return problem(c, found)
      c.header('ETag', etagOf(found.version))
      return c.json(viewAppointment(found, viewingOf(c)), 200)
    },
  )
  .get(
    '/appointments/:id/history',
    operation('getAppointmentHistory', {
      tag: 'Appointments',
      summary: 'What happened to an appointment, oldest first',
      answers: {
        200: shows(PageOf(AppointmentEventView), 'A page of its events', pageExample(exampleEvent)),
      },
      problems: ['not-found'],
    }),
    validate('param', AppointmentId),
    validate('query', z.strictObject(pageQuery)),
    async (c) => {
      const { limit, cursor, count } = c.req.valid('query')
      const after = cursor === undefined ? undefined : decodeCursor(cursor, HistoryCursor)
      if (cursor !== undefined && after === undefined) return invalid(c, [CURSOR_FAULT])
      const found = await findHistory(
        databaseOf(c, 'first-primary'),
        c.get('actor'),
        c.req.valid('param').id,
        {
          after: after?.[0],
          rows: limit + 1,
          counted: count === 'true',
        },
      )
      if (typeof found === 'string') return problem(c, found)
      const page = pageFrom(found.rows, limit, ({ sequence }) => [sequence], viewEvent)
      return c.json({ ...page, ...(found.total !== undefined && { total: found.total }) }, 200)
    },
  )

/** Dates are whole days of UTC, the last included; instants are half-open. */
function rangeOf(from: string | number | undefined, to: string | number | undefined) {
  const fromMs = typeof from === 'string' ? startOfDay(from, 'UTC') : from
  const toMs = typeof to === 'string' ? startOfDay(to, 'UTC') + DAY_MS : to
  const lengthMs = fromMs === undefined || toMs === undefined ? Infinity : toMs - fromMs
  if (lengthMs < 0 || (lengthMs === 0 && typeof to === 'string')) return 'reversed'
  return { fromMs, toMs }
}
