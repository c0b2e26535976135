/** What is done with an appointment once it is booked: each route names its command, `change` asks for all. */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { newSecret } from '#db/id'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { operation, shows } from '#http/operation'
import { problem } from '#http/problem'
import type { ProblemCode } from '#http/problem-codes'
import { databaseOf } from '#http/request'
import { paragraphs } from '#http/text'
import { validate } from '#http/validate'
import type { OnAppointment } from './act-on-appointment'
import type { ObjectAnswer } from './answer'
import {
  AppointmentId,
  AppointmentView,
  exampleAppointment,
  exampleCancelled,
  isShownWhole,
  MAX_REASON,
  NOT_WHOLE,
  Notes,
  Override,
  viewAppointment,
  viewingOf,
} from './appointment'
import { answerRefusal, type CalendarObject, callCalendar } from './call-calendar'
import type { Appointment, AppointmentCommand } from './core/appointment'
import { Id, Instant } from './fields'
import { findAppointment } from './find-appointments'

const Rejection = z.strictObject({ remarks: paragraphs(MAX_REASON).min(1) }).meta({ id: 'Rejection' })

const Cancellation = z
  .strictObject({ reason: paragraphs(MAX_REASON).optional() })
  .meta({ id: 'Cancellation' })

const Move = z
  .strictObject({
    start: Instant,
    visitTypeId: Id.optional().meta({ description: 'As it is, unless another is named' }),
    override: Override.optional().meta({ description: 'For the doctor and administrators.' }),
  })
  .refine(isShownWhole, NOT_WHOLE)
  .meta({ id: 'Move' })

const Edit = z.strictObject({ notes: Notes }).meta({ id: 'AppointmentEdit' })

/** A command that needs no words: its body may be left out, and has no members. */
const nothing = () => validate('json', z.strictObject({}), { example: {}, presence: 'optional' })

const EDIT_PROBLEMS = ['not-found', 'illegal-transition', 'precondition-failed', 'overloaded'] as const
const CANCEL_PROBLEMS = [...EDIT_PROBLEMS, 'too-late-to-cancel'] as const
const TIMED_PROBLEMS = [...EDIT_PROBLEMS, 'too-early'] as const
const MOVE_PROBLEMS = [
  ...CANCEL_PROBLEMS,
  'forbidden',
  'visit-type-not-found',
  'slot-taken',
  'patient-busy',
  'already-booked',
  'slot-not-offered',
  'rate-limited',
] as const

/** What every action answers: the appointment as it is now. */
const answers = (description: string, changes: Partial<AppointmentView>) => ({
  200: shows(
    AppointmentView,
    description,
    { ...exampleAppointment, version: 2, calendarVersion: 13, ...changes },
    ['ETag'],
  ),
})

export const appointmentActionRoutes = new Hono<AppEnv>()
  .patch(
    '/appointments/:id',
    operation('updateAppointment', {
      tag: 'Appointments',
      summary: 'Changes the patient’s notes, while the visit is to come or under way',
      headers: ['If-Match'],
      answers: answers('The appointment', { notes: 'The pain is gone' }),
      problems: EDIT_PROBLEMS,
    }),
    validate('param', AppointmentId),
    validate('json', Edit, { example: { notes: 'The pain is gone' } }),
    (c) =>
      change(c, c.req.valid('param').id, EDIT_PROBLEMS, (object, on) =>
        object.editNotes({ ...on, ...c.req.valid('json') }),
      ),
  )
  .post(
    '/appointments/:id/approve',
    operation('approveAppointment', {
      tag: 'Appointments',
      summary: 'Approves a request',
      headers: ['If-Match'],
      answers: answers('The confirmed appointment', { allowedActions: ['reschedule', 'cancel'] }),
      problems: EDIT_PROBLEMS,
    }),
    validate('param', AppointmentId),
    nothing(),
    (c) => act(c, c.req.valid('param').id, EDIT_PROBLEMS, { action: 'approve' }),
  )
  .post(
    '/appointments/:id/reject',
    operation('rejectAppointment', {
      tag: 'Appointments',
      summary: 'Rejects a request; the slot is free at once',
      headers: ['If-Match'],
      answers: answers('The rejected appointment', {
        status: 'rejected',
        remarks: 'Please see a dentist',
        allowedActions: [],
      }),
      problems: EDIT_PROBLEMS,
    }),
    validate('param', AppointmentId),
    validate('json', Rejection, { example: { remarks: 'Please see a dentist' } }),
    (c) => {
      const { remarks } = c.req.valid('json')
      return act(c, c.req.valid('param').id, EDIT_PROBLEMS, { action: 'reject', remarks })
    },
  )
  .post(
    '/appointments/:id/cancel',
    operation('cancelAppointment', {
      tag: 'Appointments',
      summary: 'Cancels; the slot is free at once. Again is 200',
      headers: ['If-Match'],
      answers: answers('The cancelled appointment', exampleCancelled),
      problems: CANCEL_PROBLEMS,
    }),
    validate('param', AppointmentId),
    validate('json', Cancellation, { example: { reason: 'The bus strike' }, presence: 'optional' }),
    (c) => {
      const { reason = null } = c.req.valid('json')
      return act(c, c.req.valid('param').id, CANCEL_PROBLEMS, { action: 'cancel', reason })
    },
  )
  .delete(
    '/appointments/:id',
    operation('deleteAppointment', {
      tag: 'Appointments',
      summary: 'The same as cancelling without a reason',
      headers: ['If-Match'],
      answers: answers('The cancelled appointment', exampleCancelled),
      problems: CANCEL_PROBLEMS,
    }),
    validate('param', AppointmentId),
    (c) => act(c, c.req.valid('param').id, CANCEL_PROBLEMS, { action: 'cancel', reason: null }),
  )
  .post(
    '/appointments/:id/reschedule',
    operation('rescheduleAppointment', {
      tag: 'Appointments',
      summary: 'Moves it: the old slot is given back and the new one taken in one step, or neither',
      headers: ['If-Match'],
      description:
        'Where a doctor approves by hand, a patient’s move is a new request. The `override` of staff passes over the minimum notice and the grid, and its reason stays in the history.',
      answers: answers('The appointment where it is now', {
        start: '2026-12-02T05:00:00Z',
        end: '2026-12-02T05:30:00Z',
      }),
      problems: MOVE_PROBLEMS,
      rateLimited: true,
    }),
    validate('param', AppointmentId),
    validate('json', Move, { example: { start: '2026-12-02T05:00:00Z' } }),
    async (c) => {
      const { start, visitTypeId, override } = c.req.valid('json')
      if (c.get('actor').role === 'patient' && override !== undefined) {
        return problem(c, 'forbidden', { detail: 'A patient overrides nothing' })
      }
      const request = { startMs: start, visitTypeId, meetingRoom: newSecret(), override: override?.reason }
      return change(c, c.req.valid('param').id, MOVE_PROBLEMS, (object, on) =>
        object.reschedule({ ...on, ...request }),
      )
    },
  )
  .post(
    '/appointments/:id/start',
    operation('startAppointment', {
      tag: 'Appointments',
      summary: 'The visit begins, at most 15 minutes before its time',
      headers: ['If-Match'],
      answers: answers('The appointment in progress', {
        status: 'in-progress',
        allowedActions: ['complete'],
      }),
      problems: TIMED_PROBLEMS,
    }),
    validate('param', AppointmentId),
    nothing(),
    (c) => act(c, c.req.valid('param').id, TIMED_PROBLEMS, { action: 'start' }),
  )
  .post(
    '/appointments/:id/complete',
    operation('completeAppointment', {
      tag: 'Appointments',
      summary: 'The visit is over',
      headers: ['If-Match'],
      answers: answers('The completed appointment', { status: 'completed', allowedActions: [] }),
      problems: EDIT_PROBLEMS,
    }),
    validate('param', AppointmentId),
    nothing(),
    (c) => act(c, c.req.valid('param').id, EDIT_PROBLEMS, { action: 'complete' }),
  )
  .post(
    '/appointments/:id/no-show',
    operation('noteNoShow', {
      tag: 'Appointments',
      summary: 'Nobody came; from the start of the visit on',
      headers: ['If-Match'],
      answers: answers('The appointment', { status: 'no-show', allowedActions: [] }),
      problems: TIMED_PROBLEMS,
    }),
    validate('param', AppointmentId),
    nothing(),
    (c) => act(c, c.req.valid('param').id, TIMED_PROBLEMS, { action: 'no-show' }),
  )

const act = <Code extends ProblemCode>(
  c: Context<AppEnv>,
  id: string,
  declared: readonly Code[],
  command: AppointmentCommand,
) => change(c, id, declared, (object, on) => object.act({ ...on, command }))

/** Finds out which doctor's object decides, asks it, and answers with what became of the appointment. */
async function change<Code extends ProblemCode>(
  c: Context<AppEnv>,
  id: string,
  declared: readonly Code[],
  ask: (object: CalendarObject, on: OnAppointment) => Promise<ObjectAnswer<Appointment>>,
) {
  const actor = c.get('actor')
  const found = await findAppointment(databaseOf(c, 'first-primary'), actor, id)
  if (typeof found === 'string') return problem(c, found)
  const { doctorId, doctorName, patientName } = found
  const versions = versionsInIfMatch(c.req.header('If-Match'))
  const answer = await callCalendar(c, doctorId, (object) =>
    ask(object, { actor, appointmentId: id, versions }),
  )
  if (!answer.ok) return answerRefusal(c, answer.refusal, declared)
  const { value } = answer
  c.header('ETag', etagOf(value.version))
  const view = viewAppointment({ ...value, doctorName, patientName }, viewingOf(c))
  return c.json({ ...view, calendarVersion: answer.version }, 200)
}
