/** Booking, cancelling and reading appointments. */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { newId } from '#db/id'
import { APPOINTMENT_STATUSES } from '#db/schema'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation } from '#http/operation'
import { CURSOR_FAULT, decodeCursor, PageOf, pageFrom, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { paragraphs } from '#http/text'
import { invalid, validate } from '#http/validate'
import { AppointmentView, viewAppointment } from './appointment'
import { answerRefusal, callCalendar } from './call-calendar'
import { startOfDay } from './core/time'
import { Instant, LocalDate } from './fields'
import { findAppointment, findAppointments } from './find-appointments'

/** The longest notes of a patient, in characters. */
const MAX_NOTES = 500
const MAX_REASON = 500
const MAX_ID = 64

const Booking = z.strictObject({
  doctorId: z.string().min(1).max(MAX_ID),
  start: Instant,
  visitTypeId: z.string().min(1).max(MAX_ID).optional(),
  notes: paragraphs(MAX_NOTES).nullable().optional(),
  patientId: z.string().min(1).max(MAX_ID).optional().meta({ description: 'For administrators alone.' }),
})

const Cancellation = z.strictObject({ reason: paragraphs(MAX_REASON).optional() })

/** One status, or several with commas between them. */
const Statuses = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(APPOINTMENT_STATUSES)).min(1).max(APPOINTMENT_STATUSES.length))

/** An instant, or a date of UTC. */
const Bound = z.union([LocalDate.transform((date) => startOfDay(date, 'UTC')), Instant])

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

const cancelProblems = [
  'not-found',
  'illegal-transition',
  'too-late-to-cancel',
  'precondition-failed',
  'unavailable',
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
        201: { description: 'Booked: `confirmed`, or `pending` until approved', schema: AppointmentView },
      },
      problems: [
        'doctor-not-found',
        'patient-not-found',
        'visit-type-not-found',
        'slot-taken',
        'patient-busy',
        'already-booked',
        'slot-not-offered',
        'idempotency-key-reused',
        'rate-limited',
        'unavailable',
        'overloaded',
      ],
    }),
    validate('json', Booking),
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
          notes: body.notes ?? null,
        }),
      )
      if (!booked.ok) return answerRefusal(c, booked.refusal)
      if (booked.replayed) markReplayed(c)
      const { value } = booked
      c.header('Location', `/v1/appointments/${value.id}`)
      c.header('ETag', etagOf(value.version))
      const view = viewAppointment(value, actor, Date.now())
      return c.json({ ...view, calendarVersion: booked.version }, 201)
    },
  )
  .get(
    '/appointments',
    operation('listAppointments', {
      tag: 'Appointments',
      summary: 'The own appointments; an administrator’s all',
      answers: { 200: { description: 'A page, ordered by start', schema: PageOf(AppointmentView) } },
    }),
    validate('query', AppointmentQuery),
    async (c) => {
      const query = c.req.valid('query')
      const actor = c.get('actor')
      const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, Cursor)
      if (query.cursor !== undefined && after === undefined) return invalid(c, [CURSOR_FAULT])
      if (query.from !== undefined && query.to !== undefined && query.to < query.from) {
        return invalid(c, [{ pointer: '/to', detail: '`to` must not be before `from`' }])
      }
      const found = await findAppointments(databaseOf(c, 'first-primary'), actor, {
        statuses: query.status,
        doctorId: query.doctorId,
        patientId: query.patientId,
        fromMs: query.from,
        toMs: query.to,
        descending: query.sort === '-start',
        after,
        rows: query.limit + 1,
        counted: query.count === 'true',
      })
      if (found === undefined) return problem(c, 'session-ended')
      const nowMs = Date.now()
      const page = pageFrom(
        found.rows,
        query.limit,
        ({ startMs, id }) => [startMs, id],
        (row) => viewAppointment(row, actor, nowMs),
      )
      return c.json({ ...page, ...(found.total !== undefined && { total: found.total }) }, 200)
    },
  )
  .get(
    '/appointments/:id',
    operation('getAppointment', {
      tag: 'Appointments',
      summary: 'One appointment',
      answers: { 200: { description: 'The appointment', schema: AppointmentView } },
      problems: ['not-found'],
    }),
    validate('param', AppointmentId),
    async (c) => {
      const actor = c.get('actor')
      const found = await findAppointment(databaseOf(c, 'first-primary'), actor, c.req.valid('param').id)
      if (typeof found === 'string') return problem(c, found)
      c.header('ETag', etagOf(found.version))
      return c.json(viewAppointment(found, actor, Date.now()), 200)
    },
  )
  .post(
    '/appointments/:id/cancel',
    operation('cancelAppointment', {
      tag: 'Appointments',
      summary: 'Cancels; the slot is free at once. Again is 200',
      headers: ['If-Match'],
      answers: { 200: { description: 'The cancelled appointment', schema: AppointmentView } },
      problems: cancelProblems,
    }),
    validate('param', AppointmentId),
    validate('json', Cancellation, 'optional'),
    (c) => cancel(c, c.req.valid('param').id, c.req.valid('json').reason ?? null),
  )
  .delete(
    '/appointments/:id',
    operation('deleteAppointment', {
      tag: 'Appointments',
      summary: 'The same as cancelling without a reason',
      headers: ['If-Match'],
      answers: { 200: { description: 'The cancelled appointment', schema: AppointmentView } },
      problems: cancelProblems,
    }),
    validate('param', AppointmentId),
    (c) => cancel(c, c.req.valid('param').id, null),
  )

/** Finds out which doctor's object decides, and asks it. */
async function cancel(c: Context<AppEnv>, id: string, reason: string | null) {
  const actor = c.get('actor')
  const found = await findAppointment(databaseOf(c, 'first-primary'), actor, id)
  if (typeof found === 'string') return problem(c, found)
  const { doctorName, patientName } = found
  const versions = versionsInIfMatch(c.req.header('If-Match'))
  const cancelled = await callCalendar(c, found.doctorId, (object) =>
    object.cancel({ actor, appointmentId: id, reason, versions }),
  )
  if (!cancelled.ok) return answerRefusal(c, cancelled.refusal)
  const { value } = cancelled
  c.header('ETag', etagOf(value.version))
  const view = viewAppointment({ ...value, doctorName, patientName }, actor, Date.now())
  return c.json({ ...view, calendarVersion: cancelled.version }, 200)
}
