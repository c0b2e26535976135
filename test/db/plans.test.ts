/** What each query of the program costs: no plan walks a whole table, and no cost grows with history. */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '#db/database'
import { newId } from '#db/id'
import { useRight } from '#db/right'
import { APPOINTMENT_STATUSES } from '#db/schema'
import { doctorQueries } from '#directory/find-doctors'
import { candidateQuery } from '#directory/search-day'
import { findAppointment, findAppointments } from '#scheduling/find-appointments'
import { loadCalendar } from '#scheduling/load-calendar'
import { app } from '../../src/app'
import { everyMinute } from '../../src/minutely'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'
import { declared } from '../support/conformance'
import { type Asked, planOf, recording } from './recording'
import { DAY_MS, insertVisit, rows, sql, updateVisit, write } from './rows'

/** Steps that look at every row of what is a handful, by design. */
const SMALL = [
  /^SCAN json_each (EXISTS )?VIRTUAL TABLE/,
  /^SCAN CONSTANT ROW$/,
  // The readiness probe reads the marks of the installation; there are two.
  /^SCAN setting$/,
  // The full-text index is asked by its own means.
  /^SCAN doctor_search VIRTUAL TABLE INDEX \d+:M/,
]

const walksAll = (step: string): boolean =>
  /^SCAN /.test(step) && !/ USING (COVERING )?INDEX /.test(step) && !SMALL.some((small) => small.test(step))

/** Fails with the statement and its plan where a step walks a whole table. */
async function expectNoScan(asked: readonly Asked[], atLeast: number): Promise<void> {
  const different = new Map(asked.map((one) => [one.sql, one]))
  expect(different.size).toBeGreaterThanOrEqual(atLeast)
  for (const one of different.values()) {
    const plan = await planOf(one)
    expect(plan.filter(walksAll), `${one.sql}\n${plan.join('\n')}`).toEqual([])
  }
}

let doctor: SeededUser
let patient: SeededUser
let admin: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor', { fullName: 'Ada Planner' })
  patient = await seedUser(env, 'patient')
  admin = await seedUser(env, 'admin')
})

it('A whole table is told from an index, so that the tests below can fail', async () => {
  expect((await planOf({ sql: 'SELECT * FROM appointment', params: [] })).some(walksAll)).toBe(true)
  const indexed = { sql: 'SELECT * FROM appointment WHERE id = ?', params: ['x'] }
  expect((await planOf(indexed)).some(walksAll)).toBe(false)
})

describe('No whole table is walked', () => {
  it('to find appointments, whoever asks and whatever for', async () => {
    const { DB, asked } = recording()
    const none = { statuses: undefined, doctorId: undefined, patientId: undefined, after: undefined }
    const filters = [
      {},
      { statuses: ['pending'] as const },
      { statuses: APPOINTMENT_STATUSES },
      { doctorId: doctor.userId },
      { patientId: patient.userId },
      { doctorId: doctor.userId, patientId: patient.userId, statuses: ['confirmed'] as const },
      { fromMs: 1, toMs: 2 },
      { after: [1, 'apt_1'] as const },
    ]
    for (const [role, { userId, sessionId }] of Object.entries({ patient, doctor, admin })) {
      const actor = { userId, sessionId, role: role as 'patient' | 'doctor' | 'admin' }
      const database = openDatabase(DB, 'first-primary')
      for (const filter of filters) {
        for (const descending of [true, false]) {
          const bounds = { fromMs: undefined, toMs: undefined, rows: 21, counted: true, descending }
          expect(await findAppointments(database, actor, { ...none, ...bounds, ...filter })).toBeDefined()
        }
      }
      expect(await findAppointment(database, actor, 'apt_1')).toBe('not-found')
    }
    await expectNoScan(asked, 30)
  })

  it('by any reading over HTTP', async () => {
    const { DB, asked } = recording()
    const visitId = newId('apt')
    expect(await write(insertVisit({ id: visitId, doctor, patient, originMs: 0, start: 0, end: 30 }))).toBe(
      'done',
    )
    const cursor = btoa(JSON.stringify([1, 'apt_1'])).replaceAll('=', '')
    const names = btoa(JSON.stringify(['a', 'usr_1'])).replaceAll('=', '')
    const placeIn = (sort: string) => btoa(JSON.stringify([sort, 1, 'usr_1'])).replaceAll('=', '')
    const soon = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10)
    const paths: Record<string, readonly string[]> = {
      [doctor.token]: [
        '/v1/me',
        '/v1/doctors/me',
        '/v1/doctors/me/schedule',
        '/v1/doctors/me/availability?count=true',
        `/v1/doctors/me/availability?cursor=${cursor}`,
        '/v1/doctors/me/visit-types?count=true',
        `/v1/doctors/me/visit-types?cursor=${cursor}`,
        '/v1/doctors/me/time-off?count=true',
        `/v1/doctors/me/time-off?cursor=${cursor}`,
        `/v1/appointments?count=true&cursor=${cursor}`,
      ],
      [patient.token]: [
        '/v1/holds?count=true',
        `/v1/holds?cursor=${cursor}`,
        '/v1/waitlist?count=true',
        `/v1/waitlist?cursor=${cursor}`,
        `/v1/appointments/${visitId}/history?count=true`,
        `/v1/appointments/${visitId}/history?cursor=${btoa('[1]')}`,
      ],
      '': [
        '/health/ready',
        '/v1/doctors?count=true',
        `/v1/doctors?cursor=${names}`,
        '/v1/doctors?q=ada%20pl&count=true',
        '/v1/doctors?specialty=cardiology&count=true',
        '/v1/doctors?q=ada&specialty=spc_cardiology',
        ...['fee', 'experience', 'nextAvailable'].flatMap((sort) => [
          `/v1/doctors?sort=${sort}&count=true`,
          `/v1/doctors?sort=${sort}&cursor=${placeIn(sort)}`,
          `/v1/doctors?sort=${sort}&q=ada&specialty=cardiology&cursor=${placeIn(sort)}`,
          `/v1/doctors?sort=${sort}&availableOn=${soon}`,
        ]),
        '/v1/doctors?division=Dhaka&district=Dhaka&language=bn&maxFee=500&count=true',
        `/v1/doctors?availableOn=${soon}&cursor=${names}`,
        `/v1/slots?date=${soon}&cursor=${names}`,
        `/v1/slots?date=${soon}&q=ada&specialty=cardiology&division=Dhaka`,
        `/v1/doctors/${doctor.userId}`,
        '/v1/specialties?count=true',
      ],
    }
    for (const [token, list] of Object.entries(paths)) {
      for (const path of list) {
        const context = createExecutionContext()
        const headers: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` }
        const answer = await declared(
          'GET',
          path,
          await app.request(path, { headers }, { ...env, DB }, context),
        )
        expect(answer.status, path).toBe(200)
        await waitOnExecutionContext(context)
      }
    }
    await expectNoScan(asked, 15)
  })

  it('by the cron, neither to publish nor to wake nor to clean up', async () => {
    const { DB, asked } = recording()
    await sql(
      `INSERT INTO event (id, type, subject_id, at, data) VALUES ('evt_due', 'user.updated', 's', 0, '{}')`,
    )
    await everyMinute({ ...env, DB }, Date.now())
    const texts = asked.map(({ sql: text }) => text).join('\n')
    for (const table of ['event', 'appointment', 'waitlist', 'idempotency', 'setting'])
      expect(texts).toContain(table)
    expect(await rows(`SELECT id FROM event WHERE id = 'evt_due' AND published_at IS NULL`)).toEqual([])
    await expectNoScan(asked, 4)
  })

  it('by a doctor’s object: loading, hours, openings, holding, booking, moving, cancelling, verifying', async () => {
    const { DB, asked } = recording()
    const owner = await seedUser(env, 'doctor')
    const admirer = await seedUser(env, 'patient')
    const stub = env.DOCTOR_CALENDAR.getByName(owner.userId)
    await runInDurableObject(stub, (object) => {
      Object.assign(object, { env: { ...env, DB } })
    })
    const everyDay = { rrule: 'FREQ=DAILY', startTime: '00:00', endTime: '12:00', startDate: '2026-01-01' }
    const hours = { timeZone: 'UTC', rules: [everyDay] }
    const day = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10)
    const opening = { start: `${day}T13:00:00Z`, end: `${day}T14:00:00Z` }
    const booking = { doctorId: owner.userId, start: `${day}T09:00:00Z` }
    const send = async (method: string, path: string, token: string, body?: unknown, key?: string) => {
      const headers = key === undefined ? {} : { 'Idempotency-Key': key }
      const answer = await call(method, path, { token, headers, ...(body !== undefined && { body }) })
      expect(answer.status, `${method} ${path}`).toBeLessThan(300)
      return answer.body
    }
    await send('PUT', '/v1/doctors/me/schedule', owner.token, hours)
    const added = await send('POST', '/v1/doctors/me/availability', owner.token, opening, 'plans-1')
    const longer = { end: `${day}T15:00:00Z` }
    await send('PATCH', `/v1/doctors/me/availability/${added.id}`, owner.token, longer)
    await send('DELETE', `/v1/doctors/me/availability/${added.id}`, owner.token)
    const visitTypes = '/v1/doctors/me/visit-types'
    const visit = await send('POST', visitTypes, owner.token, { name: 'X', durationMinutes: 10 }, 'plans-3')
    await send('PATCH', `${visitTypes}/${visit.id}`, owner.token, { name: 'Y' })
    await send('DELETE', `${visitTypes}/${visit.id}`, owner.token)
    const held = await send('POST', '/v1/holds', patient.token, booking, 'plans-5')
    await send('DELETE', `/v1/holds/${held.id}`, patient.token)
    await send('POST', '/v1/holds', patient.token, booking)
    const booked = await send('POST', '/v1/appointments', patient.token, booking, 'plans-2')
    await send('POST', '/v1/appointments', patient.token, booking, 'plans-2')
    const moved = { start: `${day}T10:00:00Z` }
    await send('POST', `/v1/appointments/${booked.id}/reschedule`, patient.token, moved)
    await send('PATCH', `/v1/appointments/${booked.id}`, patient.token, { notes: 'x' })
    await send('POST', `/v1/appointments/${booked.id}/cancel`, patient.token, { reason: 'x' })
    await send('POST', `/v1/appointments/${booked.id}/cancel`, patient.token)
    const wish = { doctorId: owner.userId, from: `${day}T09:00:00Z`, to: `${day}T09:30:00Z` }
    const waiting = await send('POST', '/v1/waitlist', admirer.token, wish, 'plans-6')
    const again = await send('POST', '/v1/appointments', patient.token, booking)
    await send('POST', `/v1/appointments/${again.id}/cancel`, patient.token, {})
    const { items: offers } = await send('GET', '/v1/holds', admirer.token)
    await send('DELETE', `/v1/holds/${offers[0].id}`, admirer.token)
    await send('DELETE', `/v1/waitlist/${waiting.id}`, admirer.token)
    await send('POST', '/v1/appointments', patient.token, booking)
    const timeOff = { start: `${day}T08:00:00Z`, end: `${day}T10:00:00Z` }
    const holding = { doctorId: owner.userId, start: `${day}T08:30:00Z` }
    await send('POST', '/v1/holds', patient.token, holding)
    const kept = { ...timeOff, onConflict: 'keep' }
    const { id } = await send('POST', '/v1/doctors/me/time-off', owner.token, kept)
    await send('DELETE', `/v1/doctors/me/time-off/${id}`, owner.token)
    await send('POST', '/v1/holds', patient.token, holding)
    const cancelling = { ...timeOff, onConflict: 'cancel', reason: 'Ill' }
    await send('POST', '/v1/doctors/me/time-off', owner.token, cancelling, 'plans-4')
    await send('POST', `/v1/admin/doctors/${owner.userId}/verify`, admin.token)
    await expectNoScan(asked, 20)
  })
})

it('A load and the cron seek in the index that was made for them, so that no other doctor’s rows are read', async () => {
  const { DB, asked } = recording()
  await loadCalendar(openDatabase(DB, 'first-primary'), doctor.userId, Date.now())
  await everyMinute({ ...env, DB }, Date.now())
  const steps = (await Promise.all(asked.map(planOf))).flat().join('\n')
  for (const step of [
    'appointment USING INDEX appointment_doctor (doctor_id=? AND start_ms>?)',
    'opening USING INDEX opening_doctor (doctor_id=? AND start_ms>?)',
    'time_off USING INDEX time_off_doctor (doctor_id=? AND start_ms>?)',
    'hold USING INDEX hold_doctor_live (doctor_id=?)',
    'visit_type USING INDEX visit_type_doctor (doctor_id=?)',
    'idempotency USING INDEX idempotency_doctor (doctor_id=? AND created_at>?)',
    'appointment USING INDEX appointment_status (status=? AND start_ms<?)',
    'event USING INDEX event_unpublished',
    'idempotency USING COVERING INDEX idempotency_created (created_at<?)',
    'calendar USING INDEX calendar_next_check (next_check_at<?)',
  ]) {
    expect(steps).toContain(step)
  }
})

it.each([
  ['name', 'doctor USING INDEX doctor_listed ((sort_name,user_id)>(?,?))'],
  ['fee', 'doctor USING INDEX doctor_fee (<expr>>?)'],
  ['experience', 'doctor USING INDEX doctor_experience (<expr>>?)'],
  ['nextAvailable', 'calendar USING INDEX calendar_next_available (<expr>>?)'],
] as const)(
  'The directory by %s is read in the order of its index, with or without a day',
  async (sort, step) => {
    const database = openDatabase(env.DB, 'first-primary')
    const after = sort === 'name' ? (['a', 'usr_1'] as const) : ([1, 'usr_1'] as const)
    const day = { matching: true, date: '2030-01-01', sort, after, limit: 20 } as const
    for (const query of [
      doctorQueries(database, { limit: 20, count: 'false', sort }, true, after).rows,
      candidateQuery(database, day, 41, 0),
    ]) {
      const plan = (await planOf(query.toSQL())).join('\n')
      expect(plan).toContain(step)
      expect(plan).not.toContain('TEMP B-TREE FOR ORDER BY')
    }
  },
)

describe('What a write of an appointment reads', () => {
  /** So many appointments of both, one a day, into the past and the future of the one that is measured. */
  async function withHistory(count: number): Promise<{ insert: number; move: number; cancel: number }> {
    const owner = await seedUser(env, 'doctor')
    const who = await seedUser(env, 'patient')
    const originMs = Date.UTC(2040, 0, 1)
    const one = insertVisit({ doctor: owner, patient: who, originMs: 0, start: 0, end: 30 })
    const placed = (parameter: number): string => `?${parameter} + value * ${DAY_MS}`
    const many = one.sql
      .replace(/VALUES \((.*)\)$/s, 'SELECT $1 FROM json_each(?11)')
      .replace('?1,', `'apt_' || ?1 || value,`)
      .replace(/\?([5-8])/g, (_, parameter) => placed(Number(parameter)))
    const at = [originMs, originMs + 1_800_000, originMs, originMs + 1_800_000, 'confirmed', 0]
    const days = Array.from({ length: count }, (_, index) => index - count / 2)
    const ids = [newId('apt'), owner.userId, who.userId, owner.visitTypeId]
    await env.DB.prepare(many)
      .bind(...ids, ...at, JSON.stringify(days))
      .run()
    expect(await rows('SELECT count(*) AS n FROM appointment WHERE doctor_id = ?', owner.userId)).toEqual([
      { n: count },
    ])

    const id = newId('apt')
    const visit = { id, doctor: owner, patient: who, originMs, start: 60, end: 90 }
    const cost = async (statement: Asked): Promise<number> => {
      const { meta } = await env.DB.prepare(statement.sql)
        .bind(...statement.params)
        .run()
      expect(meta.changes).toBe(1)
      return meta.rows_read
    }
    return {
      insert: await cost(insertVisit(visit)),
      move: await cost(updateVisit(id, 'start_ms = start_ms + 1')),
      cancel: await cost(updateVisit(id, `status = 'cancelled'`)),
    }
  }

  it('is the same with ten appointments and with ten thousand, of the same doctor and patient', async () => {
    const few = await withHistory(10)
    const many = await withHistory(10_000)
    for (const action of ['insert', 'move', 'cancel'] as const) {
      expect(many[action] - few[action], `${action}: ${few[action]} → ${many[action]}`).toBeLessThanOrEqual(2)
      expect(many[action]).toBeLessThan(40)
    }
  })

  it('has one row of the view of rights, however many sessions the user has', async () => {
    const actor = { userId: patient.userId, sessionId: patient.sessionId, role: 'patient' } as const
    const cost = async (): Promise<number> => {
      const { sql: text, params } = useRight(actor, 0)
      return (
        await env.DB.prepare(text)
          .bind(...params)
          .run()
      ).meta.rows_read
    }
    const few = await cost()
    await sql(
      `INSERT INTO session SELECT id || value, user_id, role, 0, 0, 0, NULL FROM session, json_each(?) WHERE id = ?`,
      JSON.stringify(Array.from({ length: 500 }, (_, index) => index)),
      patient.sessionId,
    )
    expect(await cost()).toBe(few)
  })
})
