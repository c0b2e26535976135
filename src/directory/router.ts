/** The directory: whom you can see. */
import { Hono } from 'hono'
import * as z from 'zod'
import { bodyHashOf } from '#db/idempotency'
import type { AppEnv } from '#http/context'
import { etagOf, hashEtag, ifNoneMatchHits } from '#http/etag'
import { IDEMPOTENCY_KEY_FAULT, markReplayed, readIdempotencyKey } from '#http/idempotency-key'
import { operation } from '#http/operation'
import { CURSOR_FAULT, PageOf, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { nextAvailableOf } from '#scheduling/next-available'
import { Doctor, OwnDoctor } from './doctor'
import { DoctorDetail, findDoctor } from './get-doctor'
import { DoctorsQuery, listDoctors } from './list-doctors'
import { readOwnDoctor } from './own-doctor'
import { createSpecialty, listSpecialties, NewSpecialty, Specialty } from './specialty'
import { DoctorChanges, updateDoctor } from './update-doctor'

const NOT_MODIFIED = { 304: { description: 'The state that If-None-Match names' } }

export const directory = new Hono<AppEnv>()
  .get(
    '/doctors',
    operation('listDoctors', {
      tag: 'Directory',
      summary: 'Finds doctors by name and specialty, ordered by name',
      answers: { 200: { description: 'A page of doctors', schema: PageOf(Doctor) }, ...NOT_MODIFIED },
    }),
    validate('query', DoctorsQuery),
    async (c) => {
      const page = await listDoctors(databaseOf(c), c.req.valid('query'))
      if (page === undefined) return invalid(c, [CURSOR_FAULT])
      const etag = await hashEtag(JSON.stringify(page))
      c.header('ETag', etag)
      return ifNoneMatchHits(c.req.header('If-None-Match'), etag) ? c.body(null, 304) : c.json(page, 200)
    },
  )
  // Before the doctor of an id, which `me` would otherwise be.
  .get(
    '/doctors/me',
    operation('getOwnDoctor', {
      tag: 'Directory',
      summary: 'The own profile, listed or not',
      answers: { 200: { description: 'The profile', schema: OwnDoctor } },
    }),
    async (c) => {
      const read = await readOwnDoctor(databaseOf(c), c.var.actor)
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
      answers: { 200: { description: 'The changed profile', schema: OwnDoctor } },
      problems: ['precondition-failed'],
    }),
    validate('json', DoctorChanges),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const ifMatch = c.req.header('If-Match')
      const result = await updateDoctor(database, c.var.actor, c.req.valid('json'), ifMatch, Date.now())
      if (!result.ok) {
        return result.code === 'unknown-specialty' ? invalid(c, result.faults) : problem(c, result.code)
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
      answers: { 200: { description: 'The doctor', schema: DoctorDetail }, ...NOT_MODIFIED },
      problems: ['doctor-not-found'],
    }),
    validate('param', z.object({ id: z.string() })),
    async (c) => {
      const { id } = c.req.valid('param')
      const doctor = await findDoctor(databaseOf(c), id)
      if (doctor === undefined) return problem(c, 'doctor-not-found')
      const detail = { ...doctor, nextAvailable: await nextAvailableOf(c, id) }
      const etag = await hashEtag(JSON.stringify(detail))
      c.header('ETag', etag)
      return ifNoneMatchHits(c.req.header('If-None-Match'), etag) ? c.body(null, 304) : c.json(detail, 200)
    },
  )
  .get(
    '/specialties',
    operation('listSpecialties', {
      tag: 'Directory',
      summary: 'The specialties, ordered by name',
      answers: { 200: { description: 'A page of specialties', schema: PageOf(Specialty) }, ...NOT_MODIFIED },
    }),
    validate('query', z.strictObject(pageQuery)),
    async (c) => {
      const page = await listSpecialties(databaseOf(c), c.req.valid('query'))
      if (page === undefined) return invalid(c, [CURSOR_FAULT])
      const etag = await hashEtag(JSON.stringify(page))
      c.header('ETag', etag)
      return ifNoneMatchHits(c.req.header('If-None-Match'), etag) ? c.body(null, 304) : c.json(page, 200)
    },
  )
  .post(
    '/specialties',
    operation('createSpecialty', {
      tag: 'Directory',
      summary: 'Adds a specialty',
      description: 'Honours `Idempotency-Key`.',
      answers: { 201: { description: 'The new specialty', schema: Specialty } },
      problems: ['specialty-exists', 'idempotency-key-reused'],
    }),
    validate('json', NewSpecialty),
    async (c) => {
      const key = readIdempotencyKey(c)
      if (key === undefined) return invalid(c, [IDEMPOTENCY_KEY_FAULT])
      const body = c.req.valid('json')
      const route = 'POST /v1/specialties'
      const keyed = key === null ? undefined : { key, route, bodyHash: await bodyHashOf(route, body) }
      const database = databaseOf(c, 'first-primary')
      const result = await createSpecialty(database, c.var.actor, body.name, keyed, Date.now())
      if (!result.ok) return problem(c, result.code)
      if (result.value.replayed) markReplayed(c)
      return c.json(result.value.specialty, 201)
    },
  )
