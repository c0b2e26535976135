/** The directory: whom you can see. */
import { Hono } from 'hono'
import * as z from 'zod'
import type { AppEnv } from '#http/context'
import { answerTagged, etagOf, versionsInIfMatch } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, keyedRequest, markReplayed } from '#http/idempotency-key'
import { operation, shows } from '#http/operation'
import { CURSOR_FAULT, PageOf, pageExample, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { nextAvailableOf } from '#scheduling/next-available'
import { exampleDoctor, exampleListedDoctor, ListedDoctor, OwnDoctorView } from './doctor'
import { DoctorDetail, exampleDoctorDetail, findDoctor } from './find-doctor'
import { COUNT_FAULT, DoctorsQuery, findDoctors } from './find-doctors'
import { findOwnDoctor } from './find-own-doctor'
import { DoctorSlots, exampleDoctorSlots, findSlots, SlotsQuery } from './find-slots'
import { createSpecialty, exampleSpecialty, findSpecialties, NewSpecialty, Specialty } from './specialty'
import { DoctorChanges, updateDoctor } from './update-doctor'

const NOT_MODIFIED = {
  304: { description: 'The state that If-None-Match names', headers: ['ETag'] },
} as const

export const directory = new Hono<AppEnv>()
  .get(
    '/doctors',
    operation('listDoctors', {
      tag: 'Directory',
      summary: 'Finds doctors by what they are and when they are free',
      headers: ['If-None-Match'],
      description:
        'With `availableOn` a page may come out short, or empty, although there is a next one: only `nextCursor` null says the end. In the order of `nextAvailable`, who becomes free at another time between two pages may be shown twice or not at all.',
      answers: {
        200: shows(PageOf(ListedDoctor), 'A page of doctors', pageExample(exampleListedDoctor), ['ETag']),
        ...NOT_MODIFIED,
      },
    }),
    validate('query', DoctorsQuery),
    async (c) => {
      const query = c.req.valid('query')
      if (query.availableOn !== undefined && query.count === 'true') return invalid(c, [COUNT_FAULT])
      const page = await findDoctors(c, query, Date.now())
      if (page === undefined) return invalid(c, [CURSOR_FAULT])
      return answerTagged(c, page)
    },
  )
  .get(
    '/slots',
    operation('searchSlots', {
      tag: 'Directory',
      summary: 'The open slots of one day, over all doctors',
      headers: ['If-None-Match'],
      description:
        'The whole local `date` of each doctor, in their own time zone, for their first visit type; by the doctors’ names. Who has no open slot that day is left out. On a date that no doctor’s horizon reaches, and on one that is over everywhere, there are none. A page may come out short, or empty, although there is a next one: only `nextCursor` null says the end.',
      answers: {
        200: shows(PageOf(DoctorSlots), 'A page of doctors with slots', pageExample(exampleDoctorSlots), [
          'ETag',
        ]),
        ...NOT_MODIFIED,
      },
    }),
    validate('query', SlotsQuery),
    async (c) => {
      const page = await findSlots(c, c.req.valid('query'), Date.now())
      if (page === undefined) return invalid(c, [CURSOR_FAULT])
      return answerTagged(c, page)
    },
  )
  // Before the doctor of an id, which `me` would otherwise be.
  .get(
    '/doctors/me',
    operation('getOwnDoctor', {
      tag: 'Directory',
      summary: 'The own profile, listed or not',
      answers: { 200: shows(OwnDoctorView, 'The profile', { ...exampleDoctor, verified: true }, ['ETag']) },
    }),
    async (c) => {
      const read = await findOwnDoctor(databaseOf(c), c.var.actor)
      if (read === undefined) return problem(c, 'session-ended')
      c.header('ETag', etagOf(read.version))
      return c.json(read.profile, 200)
    },
  )
  .patch(
    '/doctors/me',
    operation('updateOwnDoctor', {
      tag: 'Directory',
      summary: 'Changes the members given; null clears one',
      headers: ['If-Match'],
      answers: {
        200: shows(OwnDoctorView, 'The changed profile', { ...exampleDoctor, verified: true }, ['ETag']),
      },
      problems: ['precondition-failed'],
    }),
    validate('json', DoctorChanges, {
      example: { specialties: ['Cardiology'], consultationFee: { amountMinor: 80_000, currency: 'BDT' } },
    }),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const versions = versionsInIfMatch(c.req.header('If-Match'))
      const result = await updateDoctor(database, c.var.actor, c.req.valid('json'), versions, Date.now())
      if (!result.ok) {
        return result.code === 'validation-failed' ? invalid(c, result.faults ?? []) : problem(c, result.code)
      }
      c.header('ETag', etagOf(result.value.version))
      return c.json(result.value.profile, 200)
    },
  )
  .get(
    '/doctors/:id',
    operation('getDoctor', {
      tag: 'Directory',
      summary: 'A doctor, what they offer, and when they are next free',
      headers: ['If-None-Match'],
      answers: {
        200: shows(DoctorDetail, 'The doctor', exampleDoctorDetail, ['ETag']),
        ...NOT_MODIFIED,
      },
      problems: ['doctor-not-found'],
    }),
    validate('param', z.object({ id: z.string() })),
    async (c) => {
      const { id } = c.req.valid('param')
      const doctor = await findDoctor(databaseOf(c), id)
      if (doctor === undefined) return problem(c, 'doctor-not-found')
      const detail = { ...doctor, nextAvailable: await nextAvailableOf(c, id) }
      return answerTagged(c, detail)
    },
  )
  .get(
    '/specialties',
    operation('listSpecialties', {
      tag: 'Directory',
      summary: 'The specialties, ordered by name',
      headers: ['If-None-Match'],
      answers: {
        200: shows(PageOf(Specialty), 'A page of specialties', pageExample(exampleSpecialty), ['ETag']),
        ...NOT_MODIFIED,
      },
    }),
    validate('query', z.strictObject(pageQuery)),
    async (c) => {
      const page = await findSpecialties(databaseOf(c), c.req.valid('query'))
      if (page === undefined) return invalid(c, [CURSOR_FAULT])
      return answerTagged(c, page)
    },
  )
  .post(
    '/specialties',
    operation('createSpecialty', {
      tag: 'Directory',
      summary: 'Adds a specialty',
      headers: ['Idempotency-Key'],
      answers: { 201: shows(Specialty, 'The new specialty', exampleSpecialty) },
      problems: ['specialty-exists', 'idempotency-key-reused'],
    }),
    validate('json', NewSpecialty, { example: { name: 'Sports medicine' } }),
    async (c) => {
      const body = c.req.valid('json')
      const key = await keyedRequest(c, 'POST /v1/specialties', body)
      if (key === 'malformed') return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      const database = databaseOf(c, 'first-primary')
      const result = await createSpecialty(database, c.var.actor, body.name, key, Date.now())
      if (!result.ok) return problem(c, result.code)
      if (result.value.replayed) markReplayed(c)
      return c.json(result.value.specialty, 201)
    },
  )
