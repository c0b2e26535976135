/** Visit types over HTTP: what is offered, what a change leaves as it was, and what buffers keep free. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { dayFromNow, expectProblem } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, eventsOf, expectAgreement, openSlots, overlapping, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'
import { calendarObject, injectFaults, loseAnswer } from '../support/faults'

const PATH = '/v1/doctors/me/visit-types'
const MINUTE_MS = 60_000
const DAY = dayFromNow(3)
const at = (time: string): string => `${DAY}T${time}:00Z`
const hours = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '12:00', startDate: '2020-01-01' }

const add = ({ token }: SeededUser, body: object, key?: string) =>
  call('POST', PATH, { token, body, headers: key === undefined ? {} : { 'Idempotency-Key': key } })
const edit = ({ token }: SeededUser, id: string, body: object, headers: Record<string, string> = {}) =>
  call('PATCH', `${PATH}/${id}`, { token, body, headers })
const archive = ({ token }: SeededUser, id: string, headers: Record<string, string> = {}) =>
  call('DELETE', `${PATH}/${id}`, { token, headers })
const list = async ({ token }: SeededUser, query = '') =>
  (await call('GET', `${PATH}${query}`, { token })).body
const profile = async ({ userId }: SeededUser) => (await call('GET', `/v1/doctors/${userId}`)).body
const namesOf = (visitTypes: readonly { name: string }[]): string[] => visitTypes.map(({ name }) => name)
const startsOf = async ({ userId }: SeededUser, visitTypeId: string): Promise<string[]> =>
  (await openSlots(userId, `&from=${DAY}&to=${DAY}&visitTypeId=${visitTypeId}`)).map(({ start }) =>
    start.slice(11, 16),
  )
const bookType = (patient: SeededUser, doctor: SeededUser, time: string, visitTypeId?: string, others = {}) =>
  book(patient, doctor.userId, at(time), undefined, { visitTypeId, ...others })

const full = {
  name: 'First visit',
  durationMinutes: 45,
  bufferBeforeMinutes: 10,
  bufferAfterMinutes: 15,
  mode: 'video',
  fee: { amountMinor: 120_000, currency: 'BDT' },
}

describe('a visit type', () => {
  it('that is added is offered, as it was sent or without buffers, in person, at the doctor’s fee', async () => {
    const doctor = await seedClinic({ rules: [hours] })
    const consultationFee = { amountMinor: 80_000, currency: 'BDT' }
    await call('PATCH', '/v1/doctors/me', { token: doctor.token, body: { consultationFee } })
    const added = await add(doctor, full)
    expect([added.status, added.headers.get('ETag'), added.body]).toEqual([
      201,
      '"1"',
      { id: expect.stringMatching(/^vis_/), ...full, version: 1 },
    ])
    const plain = await add(doctor, { name: 'Short', durationMinutes: 5 })
    expect(plain.body).toMatchObject({
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      mode: 'in-person',
      fee: null,
    })
    const offered = await list(doctor, '?count=true')
    expect([namesOf(offered.items), offered.total]).toEqual([['Consultation', 'First visit', 'Short'], 3])
    const { visitTypes } = await profile(doctor)
    expect(namesOf(visitTypes)).toEqual(['Consultation', 'First visit', 'Short'])
    expect(visitTypes.map(({ fee }: { fee: object }) => fee)).toEqual([
      consultationFee,
      full.fee,
      consultationFee,
    ])
    const patient = await seedUser(env, 'patient')
    const { body: first } = await bookType(patient, doctor, '10:00', added.body.id)
    expect(first).toMatchObject({ end: at('10:45'), mode: 'video', fee: full.fee })
    const { body: short } = await bookType(patient, doctor, '09:30', plain.body.id)
    expect(short).toMatchObject({ end: at('09:35'), mode: 'in-person', fee: consultationFee })
    expect(await eventsOf(added.body.id)).toEqual(['visit-type.added'])
  })

  it('that is changed leaves what was booked as it was, for good', async () => {
    const doctor = await seedClinic({ rules: [hours] })
    const patient = await seedUser(env, 'patient')
    const { body: added } = await add(doctor, full)
    const { body: booked } = await bookType(patient, doctor, '10:00', added.id)
    const changes = {
      name: 'Visit',
      durationMinutes: 30,
      bufferAfterMinutes: 0,
      mode: 'in-person',
      fee: null,
    }
    const changed = await edit(doctor, added.id, changes)
    expect([changed.status, changed.headers.get('ETag'), changed.body]).toEqual([
      200,
      '"2"',
      { id: added.id, ...full, ...changes, version: 2 },
    ])
    expect((await edit(doctor, added.id, { bufferBeforeMinutes: 0 })).body).toEqual({
      ...changed.body,
      bufferBeforeMinutes: 0,
      version: 3,
    })
    const known = async () =>
      (await call('GET', `/v1/appointments/${booked.id}`, { token: patient.token })).body
    const terms = { start: at('10:00'), end: at('10:45'), mode: 'video', fee: full.fee }
    expect(await known()).toMatchObject(terms)
    // From 09:50 to 11:00 it keeps its buffers.
    expect(await startsOf(doctor, added.id)).toEqual(['09:00', '11:00', '11:30'])
    const path = `/v1/appointments/${booked.id}/reschedule`
    const moved = await call('POST', path, { token: patient.token, body: { start: at('11:00') } })
    expect(moved.body).toMatchObject({ ...terms, start: at('11:00'), end: at('11:45') })
    await evictDurableObject(calendarObject(doctor.userId))
    expect(await startsOf(doctor, added.id)).toEqual(['09:00', '09:30', '10:00'])
    expect(await eventsOf(added.id)).toEqual(['visit-type.added', 'visit-type.changed', 'visit-type.changed'])
    await expectAgreement(doctor.userId)
  })

  it('is changed and archived under If-Match only while it has that version', async () => {
    const doctor = await seedClinic()
    const { body: added } = await add(doctor, full)
    for (const tag of ['"0"', '"2"', 'W/"1"', 'x']) {
      const headers = { 'If-Match': tag }
      expectProblem(await edit(doctor, added.id, { name: 'X' }, headers), 412, 'precondition-failed', tag)
      expectProblem(await archive(doctor, added.id, headers), 412, 'precondition-failed', tag)
    }
    const both = await Promise.all(
      ['A', 'B'].map((name) => edit(doctor, added.id, { name }, { 'If-Match': '"1"' })),
    )
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    expect((await archive(doctor, added.id, { 'If-Match': '"2"' })).status).toBe(204)
  })

  it('that is archived is offered to nobody, and leaves what is booked and what is held', async () => {
    const doctor = await seedClinic({ rules: [hours] })
    const [patient, another] = [await seedUser(env, 'patient'), await seedUser(env, 'patient')]
    const { body: added } = await add(doctor, full)
    const { body: booked } = await bookType(patient, doctor, '09:30', added.id)
    const { body: hold } = await call('POST', '/v1/holds', {
      token: another.token,
      body: { doctorId: doctor.userId, start: at('11:00'), visitTypeId: added.id },
    })
    expect((await archive(doctor, added.id)).status).toBe(204)
    expect(namesOf((await list(doctor)).items)).toEqual(['Consultation'])
    expect(namesOf((await profile(doctor)).visitTypes)).toEqual(['Consultation'])
    const slots = `/v1/doctors/${doctor.userId}/slots?fresh=true&visitTypeId=${added.id}`
    expectProblem(await call('GET', slots), 404, 'visit-type-not-found')
    expectProblem(await bookType(patient, doctor, '10:30', added.id), 404, 'visit-type-not-found')
    for (const gone of [await edit(doctor, added.id, { name: 'X' }), await archive(doctor, added.id)]) {
      expectProblem(gone, 404, 'not-found')
    }
    await evictDurableObject(calendarObject(doctor.userId))
    const held = await bookType(another, doctor, '11:00', undefined, { holdId: hold.id })
    expect([held.status, held.body.end, held.body.visitTypeId]).toEqual([201, at('11:45'), added.id])
    const kept = await call('GET', `/v1/appointments/${booked.id}`, { token: patient.token })
    expect(kept.body).toMatchObject({ status: 'confirmed', visitTypeId: added.id, end: at('10:15') })
    expect(await eventsOf(added.id)).toEqual(['visit-type.added', 'visit-type.archived'])
    await expectAgreement(doctor.userId)
  })

  it('stays where it is the last; the oldest on offer is what a booking gets that names none', async () => {
    const doctor = await seedClinic({ rules: [hours] })
    const patient = await seedUser(env, 'patient')
    expectProblem(await archive(doctor, doctor.visitTypeId), 409, 'last-visit-type')
    const { body: added } = await add(doctor, full)
    const answers = await Promise.all([doctor.visitTypeId, added.id].map((id) => archive(doctor, id)))
    expect(answers.map(({ status }) => status)).toEqual([204, 409])
    const { body: booked } = await bookType(patient, doctor, '10:00')
    expect(booked).toMatchObject({ visitTypeId: added.id, end: at('10:45') })
  })

  it('is one of at most twenty on offer', async () => {
    const doctor = await seedClinic()
    const answers = []
    for (let count = 1; count < 20; count++) {
      answers.push(await add(doctor, { name: `Visit ${count}`, durationMinutes: 10 }))
    }
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    const another = { name: 'One more', durationMinutes: 10 }
    expectProblem(await add(doctor, another), 422, 'too-many-visit-types')
    expect((await archive(doctor, answers[0]?.body.id)).status).toBe(204)
    expect((await add(doctor, another)).status).toBe(201)
    const names: string[] = []
    let cursor = ''
    do {
      const page = await list(doctor, `?limit=7&count=true${cursor}`)
      expect(page.total).toBe(20)
      names.push(...namesOf(page.items))
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`
    } while (cursor !== '')
    expect(names).toEqual([
      'Consultation',
      ...Array.from({ length: 18 }, (_, index) => `Visit ${index + 2}`),
      'One more',
    ])
  })

  it('that is somebody else’s is none', async () => {
    const [doctor, colleague] = [await seedClinic(), await seedClinic()]
    const { body: added } = await add(colleague, full)
    expectProblem(await edit(doctor, added.id, { name: 'Mine' }), 404, 'not-found')
    expectProblem(await archive(doctor, added.id), 404, 'not-found')
    expect((await list(colleague)).items[1]).toEqual(added)
  })
})

describe('an Idempotency-Key', () => {
  it('gives twins in flight, and whoever asks later, the very first answer', async () => {
    const doctor = await seedClinic()
    await injectFaults(doctor.userId, [loseAnswer])
    const twins = await Promise.all([1, 2, 3].map(() => add(doctor, full, 'key-1')))
    const [first] = twins
    await edit(doctor, first?.body.id, { name: 'Another' })
    const warm = await add(doctor, { ...full, bufferBeforeMinutes: 10 }, 'key-1')
    await archive(doctor, first?.body.id)
    await evictDurableObject(calendarObject(doctor.userId))
    const cold = await add(doctor, full, 'key-1')
    for (const { status, headers, body } of [...twins, warm, cold]) {
      expect([status, headers.get('ETag'), JSON.stringify(body)]).toEqual([
        201,
        '"1"',
        JSON.stringify(first?.body),
      ])
    }
    expect([warm, cold].map(({ headers }) => headers.get('Idempotency-Replayed'))).toEqual(['true', 'true'])
    expectProblem(await add(doctor, { ...full, name: 'Else' }, 'key-1'), 422, 'idempotency-key-reused')
    expect(await rows('SELECT id FROM visit_type WHERE doctor_id = ?', doctor.userId)).toHaveLength(2)
  })
})

describe('buffers', () => {
  it('keep neighbours away from either side, and are not sold', async () => {
    const doctor = await seedClinic({ rules: [hours], slotMinutes: 15 })
    const patients = await seedUsers('patient', 3)
    const { body: long } = await add(doctor, { ...full, durationMinutes: 60, bufferBeforeMinutes: 30 })
    const [first, second, third] = patients as [SeededUser, SeededUser, SeededUser]
    // 09:30 to 11:15 with its buffers, of which 10:00 to 11:00 is sold. A buffer may lie outside the hours.
    expect((await bookType(first, doctor, '10:00', long.id)).body).toMatchObject({ end: at('11:00') })
    expect(await startsOf(doctor, doctor.visitTypeId)).toEqual(['09:00', '11:15', '11:30'])
    expect(await startsOf(doctor, long.id)).toEqual([])
    for (const time of ['09:15', '09:30', '11:00']) {
      const taken = await bookType(second, doctor, time)
      expectProblem(taken, 409, 'slot-taken', time)
      expect(taken.body.alternatives.map(({ start }: { start: string }) => start.slice(0, 10))).toContain(DAY)
    }
    expect((await bookType(second, doctor, '09:00')).status).toBe(201)
    expect((await bookType(third, doctor, '11:15')).status).toBe(201)
    // Its own patient may be elsewhere meanwhile: what they did not buy is not theirs.
    const colleague = await seedClinic({ rules: [hours], slotMinutes: 15 })
    expect((await bookType(first, colleague, '11:00')).status).toBe(201)
    await expectAgreement(doctor.userId)
  })

  it('of staggered visits of three lengths never overlap, whoever of sixty patients wins', async () => {
    const doctor = await seedClinic({ rules: [hours], slotMinutes: 5 })
    const kinds = [
      { name: 'Short', durationMinutes: 10, bufferAfterMinutes: 5 },
      { name: 'Middle', durationMinutes: 25, bufferBeforeMinutes: 5, bufferAfterMinutes: 10 },
      { name: 'Long', durationMinutes: 40, bufferBeforeMinutes: 20 },
    ]
    const types: { id: string }[] = []
    for (const kind of kinds) types.push((await add(doctor, kind)).body)
    const patients = await seedUsers('patient', 60)
    const openMs = Date.parse(at('09:00'))
    const answers = await Promise.all(
      patients.map((patient, index) => {
        // Staggered by five minutes over two hours, so that each overlaps several others.
        const start = new Date(openMs + ((index * 35) % 120) * MINUTE_MS).toISOString()
        return book(patient, doctor.userId, start, undefined, { visitTypeId: types[index % 3]?.id })
      }),
    )
    const statuses = answers.map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([201, 409]))
    for (const { status, body } of answers) if (status === 409) expect(body.code).toBe('slot-taken')
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(3)
    expect(await overlapping(doctor.userId)).toEqual([])
    await expectAgreement(doctor.userId)
    // What is still listed can be booked, until nothing is left.
    const [last] = await seedUsers('patient', 1)
    for (const { id } of types) {
      const [time] = await startsOf(doctor, id)
      if (time !== undefined) expect((await bookType(last as SeededUser, doctor, time, id)).status).toBe(201)
    }
    expect(await overlapping(doctor.userId)).toEqual([])
  })
})

it('Adding, changing and archiving cost one round trip each, listing one and no object', async () => {
  const doctor = await seedClinic()
  const adding = await costOf(() => add(doctor, full, 'cost'))
  const { id } = adding.outcome.body
  const editing = await costOf(() => edit(doctor, id, { name: 'Visit' }))
  const archiving = await costOf(() => archive(doctor, id))
  for (const { cost } of [adding, editing, archiving]) {
    expect(cost.status).toBeLessThan(300)
    expect(cost).toMatchObject({ d1Batches: 1, kvReads: 0, objectCalls: 1 })
    expect(cost.d1RowsWritten).toBeLessThanOrEqual(14)
  }
  const last = await costOf(() => archive(doctor, doctor.visitTypeId))
  expect(last.cost).toMatchObject({ status: 409, d1Batches: 0, objectCalls: 1 })
  const listing = await costOf(() => list(doctor))
  expect(listing.cost).toMatchObject({ d1Batches: 1, d1RowsWritten: 0, kvReads: 0, objectCalls: 0 })
})
