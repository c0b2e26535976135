/** Booking, cancelling and reading appointments. */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { newId, newSecret } from '#db/id'
import { APPOINTMENT_STATUSES } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { CURSOR_FAULT, decodeCursor, PageOf, pageExample, pageFrom, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { paragraphs } from '#http/text'
import { invalid, validate } from '#http/validate'
import {
  AppointmentView,
  exampleAppointment,
  exampleCancelled,
  type Viewing,
  viewAppointment,
} from './appointment'
import { answerRefusal, callCalendar } from './call-calendar'
import { DAY_MS, startOfDay } from './core/time'
import { Bound, Instant, REVERSED_FAULT } from './fields'
import { findAppointment, findAppointments } from './find-appointments'

/** The longest notes of a patient, in characters. */
const MAX_NOTES = 500
const MAX_REASON = 500
const MAX_ID = 64

/** Why staff pass over the minimum notice and the grid. */
const Override = z.strictObject({ reason: paragraphs(MAX_REASON) }).meta({ id: 'Override' })

const Booking = z
  .strictObject({
    doctorId: z.string().min(1).max(MAX_ID),
    start: Instant,
    visitTypeId: z.string().min(1).max(MAX_ID).optional(),
    holdId: z.string().min(1).max(MAX_ID).optional(),
    override: Override.optional(),
    notes: paragraphs(MAX_NOTES).nullable().optional(),
    patientId: z.string().min(1).max(MAX_ID).optional().meta({ description: 'For administrators alone.' }),
  })
  .meta({ id: 'Booking' })

const Cancellation = z
  .strictObject({ reason: paragraphs(MAX_REASON).optional() })
  .meta({ id: 'Cancellation' })

/** One status, or several with commas between them. */
const Statuses = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(APPOINTMENT_STATUSES)).min(1).max(APPOINTMENT_STATUSES.length))

const AppointmentQuery = z.strictObject({
  ...pageQuery,
  status: Statuses.optional(),
  doctorId: z.string().max(MAX_ID).optional(),
  patientId: z.string().max(MAX_ID).optional(),
  from: Bound.optional(),
  to: Bound.optional(),
  sort: z.enum(['start', '-start']).default('start'),
})

const Cursor = z.tuple([z.int(), z.string().max(MAX_ID)])

const AppointmentId = z.object({ id: z.string() })

const BOOK_PROBLEMS = [
  'doctor-not-found',
  'patient-not-found',
  'visit-type-not-found',
  'slot-taken',
  'patient-busy',
  'already-booked',
  'slot-not-offered',
  'idempotency-key-reused',
  'rate-limited',
  'overloaded',
] as const

const CANCEL_PROBLEMS = [
  'not-found',
  'illegal-transition',
  'too-late-to-cancel',
  'precondition-failed',
  'overloaded',
] as const

export const appointmentRoutes = new Hono<AppEnv>()
  .post(
    '/appointments',
    operation('bookAppointment', {
      tag: 'Appointments',
      summary: 'Books a slot',
      headers: ['Idempotency-Key'],
      description: 'Send an Idempotency-Key: a retry with the same key gives the first answer again.',
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
      const view = viewAppointment(value, { ...viewing(c), nowMs: value.updatedAt })
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
        (row) => viewAppointment(row, viewing(c)),
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
      return c.json(viewAppointment(found, viewing(c)), 200)
    },
  )
  .post(
    '/appointments/:id/cancel',
    operation('cancelAppointment', {
      tag: 'Appointments',
      summary: 'Cancels; the slot is free at once. Again is 200',
      headers: ['If-Match'],
      answers: { 200: shows(AppointmentView, 'The cancelled appointment', exampleCancelled, ['ETag']) },
      problems: CANCEL_PROBLEMS,
    }),
    validate('param', AppointmentId),
    validate('json', Cancellation, { example: { reason: 'The bus strike' }, presence: 'optional' }),
    (c) => cancel(c, c.req.valid('param').id, c.req.valid('json').reason ?? null),
  )
  .delete(
    '/appointments/:id',
    operation('deleteAppointment', {
      tag: 'Appointments',
      summary: 'The same as cancelling without a reason',
      headers: ['If-Match'],
      answers: { 200: shows(AppointmentView, 'The cancelled appointment', exampleCancelled, ['ETag']) },
      problems: CANCEL_PROBLEMS,
    }),
    validate('param', AppointmentId),
    (c) => cancel(c, c.req.valid('param').id, null),
  )

/** Dates are whole days of UTC, the last included; instants are half-open. */
function rangeOf(from: string | number | undefined, to: string | number | undefined) {
  const fromMs = typeof from === 'string' ? startOfDay(from, 'UTC') : from
  const toMs = typeof to === 'string' ? startOfDay(to, 'UTC') + DAY_MS : to
  const lengthMs = fromMs === undefined || toMs === undefined ? Infinity : toMs - fromMs
  if (lengthMs < 0 || (lengthMs === 0 && typeof to === 'string')) return 'reversed'
  return { fromMs, toMs }
}

/** Finds out which doctor's object decides, and asks it. */
async function cancel(c: Context<AppEnv>, id: string, reason: string | null) {
  const actor = c.get('actor')
  const found = await findAppointment(databaseOf(c, 'first-primary'), actor, id)
  if (typeof found === 'string') return problem(c, found)
  const { doctorName, patientName } = found
  const versions = versionsInIfMatch(c.req.header('If-Match'))
  const cancelled = await callCalendar(c, found.doctorId, (object) =>
    object.act({ actor, appointmentId: id, versions, command: { action: 'cancel', reason } }),
  )
  if (!cancelled.ok) return answerRefusal(c, cancelled.refusal, CANCEL_PROBLEMS)
  const { value } = cancelled
  c.header('ETag', etagOf(value.version))
  const view = viewAppointment({ ...value, doctorName, patientName }, viewing(c))
  return c.json({ ...view, calendarVersion: cancelled.version }, 200)
}

/** How the caller sees appointments now. */
const viewing = (c: Context<AppEnv>): Viewing => ({
  actor: c.get('actor'),
  nowMs: Date.now(),
  meetingBaseUrl: c.env.MEETING_BASE_URL,
})
