/** Time off over HTTP: what it takes, whom it concerns, and what comes back with it. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { dayFromNow, expectProblem } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import {
  book,
  bookManyPast,
  bookPast,
  eventsOf,
  expectAgreement,
  HALF_HOUR_MS,
  openSlots,
  rows,
  seedClinic,
} from '../support/clinic'
import { costOf } from '../support/cost'
import { calendarObject, hold, injectFaults, loseAnswer } from '../support/faults'

const PATH = '/v1/doctors/me/time-off'
const at = (days: number, time: string): string => `${dayFromNow(days)}T${time}:00Z`
const off = (days: number, from: string, to: string, onConflict: 'keep' | 'cancel' = 'keep') => ({
  start: at(days, from),
  end: at(days, to),
  onConflict,
})

const take = ({ token }: SeededUser, body: object, key?: string) =>
  call('POST', PATH, { token, body, headers: key === undefined ? {} : { 'Idempotency-Key': key } })
const withdraw = ({ token }: SeededUser, id: string) => call('DELETE', `${PATH}/${id}`, { token })
const startsOn = async (doctor: SeededUser, day: string): Promise<string[]> =>
  (await openSlots(doctor.userId, `&from=${day}&to=${day}`)).map(({ start }) => start.slice(11, 16))
const seen = async ({ token }: SeededUser, id: string) =>
  (await call('GET', `/v1/appointments/${id}`, { token })).body
const holdSlot = ({ token }: SeededUser, doctorId: string, start: string, visitTypeId?: string) =>
  call('POST', '/v1/holds', { token, body: { doctorId, start, visitTypeId } })
const reschedule = ({ token }: SeededUser, id: string, start: string) =>
  call('POST', `/v1/appointments/${id}/reschedule`, { token, body: { start } })
const idsOf = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id)
const timesOff = (doctor: SeededUser) =>
  rows<{ id: string }>('SELECT id FROM time_off WHERE doctor_id = ?', doctor.userId)

/** Events of appointments that a time off has cancelled. */
const cancelledBy = (timeOffId: string) =>
  rows<{ subject_id: string; data: string; note: string | null }>(
    `SELECT subject_id, data, note FROM event LEFT JOIN event_note ON event_id = event.id
     WHERE type = 'appointment.cancelled' AND data ->> 'timeOffId' = ? ORDER BY sequence`,
    timeOffId,
  )

describe('time off', () => {
  it('closes its range to whoever wants it, until it is withdrawn', async () => {
    const doctor = await seedClinic()
    const [patient, another] = [await seedUser(env, 'patient'), await seedUser(env, 'patient')]
    const day = dayFromNow(3)
    const { body: elsewhere } = await book(patient, doctor.userId, at(4, '10:00'))
    const all = await startsOn(doctor, day)
    const start = `${day}T15:15:00+06:00`
    const taken = await take(doctor, { start, end: at(3, '11:00'), onConflict: 'cancel' })
    expect([taken.status, taken.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^tof_/),
        start: at(3, '09:15'),
        end: at(3, '11:00'),
        reason: null,
        affected: [],
        calendarVersion: expect.any(Number),
      },
    ])
    const closed = ['09:00', '09:30', '10:00', '10:30']
    expect(await startsOn(doctor, day)).toEqual(all.filter((time) => !closed.includes(time)))
    const atLeast = await call(
      'GET',
      `/v1/doctors/${doctor.userId}/slots?from=${day}&to=${day}&atLeast=${taken.body.calendarVersion}`,
    )
    expect(atLeast.body.slots).toHaveLength(all.length - closed.length)
    for (const time of closed) {
      const wanted = at(3, time)
      for (const answer of [
        await book(another, doctor.userId, wanted),
        await holdSlot(another, doctor.userId, wanted),
        await reschedule(patient, elsewhere.id, wanted),
      ]) {
        expectProblem(answer, 422, 'slot-not-offered', time)
        expect(answer.body.reasons).toEqual(['time-off'])
      }
    }
    await evictDurableObject(calendarObject(doctor.userId))
    expectProblem(await book(another, doctor.userId, at(3, '10:00')), 422, 'slot-not-offered')
    expect([(await withdraw(doctor, taken.body.id)).status, await startsOn(doctor, day)]).toEqual([204, all])
    expect((await book(another, doctor.userId, at(3, '10:00'))).status).toBe(201)
    expectProblem(await withdraw(doctor, taken.body.id), 404, 'not-found')
    expect(await eventsOf(taken.body.id)).toEqual(['time-off.taken', 'time-off.withdrawn'])
    await expectAgreement(doctor.userId)
  })

  it('that keeps what is booked shows it, and leaves it as it was', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient', { fullName: 'Nadia Haque' })
    const booked = []
    for (const time of ['10:30', '08:30', '09:00', '11:00']) {
      booked.push((await book(patient, doctor.userId, at(3, time), undefined, { notes: 'Pain' })).body)
    }
    const { body: taken } = await take(doctor, { ...off(3, '08:45', '11:00'), reason: 'A conference' })
    expect(idsOf(taken.affected)).toEqual([booked[1].id, booked[2].id, booked[0].id])
    expect(taken).toMatchObject({ reason: 'A conference' })
    expect(taken.affected[0]).toMatchObject({
      patient: { fullName: 'Nadia Haque' },
      status: 'confirmed',
      notes: 'Pain',
      allowedActions: ['reschedule', 'cancel'],
      version: 1,
    })
    for (const { id } of booked) expect((await seen(patient, id)).status).toBe('confirmed')
    expect(await cancelledBy(taken.id)).toEqual([])
    await expectAgreement(doctor.userId)
  })

  it('that cancels what is booked shows it cancelled, tells why, and gives nothing back to others', async () => {
    const doctor = await seedClinic({ approval: 'manual', cancellationNoticeMinutes: 43_200 })
    const [patient, another] = [await seedUser(env, 'patient'), await seedUser(env, 'patient')]
    const inside = (await book(patient, doctor.userId, at(3, '10:00'))).body
    const approved = (await book(another, doctor.userId, at(3, '10:30'))).body
    const outside = (await book(another, doctor.userId, at(3, '11:00'))).body
    await call('POST', `/v1/appointments/${approved.id}/approve`, { token: doctor.token })
    const { body: taken } = await take(doctor, {
      ...off(3, '10:00', '11:00', 'cancel'),
      reason: 'The bus strike',
    })
    expect(idsOf(taken.affected)).toEqual([inside.id, approved.id])
    for (const appointment of taken.affected) {
      expect(appointment).toMatchObject({
        status: 'cancelled',
        cancellationReason: 'The bus strike',
        allowedActions: [],
      })
    }
    expect(await seen(patient, inside.id)).toMatchObject({
      status: 'cancelled',
      cancellationReason: 'The bus strike',
      version: 2,
    })
    expect((await seen(another, outside.id)).status).toBe('pending')
    const told = (patientId: string) =>
      JSON.stringify({ doctorId: doctor.userId, patientId, by: 'doctor', timeOffId: taken.id })
    expect(await cancelledBy(taken.id)).toEqual([
      { subject_id: inside.id, data: told(patient.userId), note: 'The bus strike' },
      { subject_id: approved.id, data: told(another.userId), note: 'The bus strike' },
    ])
    expectProblem(await book(patient, doctor.userId, at(3, '10:00')), 422, 'slot-not-offered')
    await withdraw(doctor, taken.id)
    expect((await seen(patient, inside.id)).status).toBe('cancelled')
    expect((await book(patient, doctor.userId, at(3, '10:00'))).status).toBe(201)
    await expectAgreement(doctor.userId)
  })

  it('ends the holds in it, and only those: a buffer may lie in time off', async () => {
    const doctor = await seedClinic()
    const [patient, another] = [await seedUser(env, 'patient'), await seedUser(env, 'patient')]
    const buffered = await call('POST', '/v1/doctors/me/visit-types', {
      token: doctor.token,
      body: { name: 'Long', durationMinutes: 30, bufferBeforeMinutes: 60 },
    })
    const inside = await holdSlot(patient, doctor.userId, at(3, '10:00'))
    const beside = await holdSlot(another, doctor.userId, at(3, '11:30'), buffered.body.id)
    expect([inside.status, beside.status]).toEqual([201, 201])
    const { body: taken } = await take(doctor, off(3, '09:30', '11:00'))
    expect(taken.affected).toEqual([])
    expect(await rows('SELECT id, outcome FROM hold WHERE doctor_id = ? ORDER BY id', doctor.userId)).toEqual(
      [
        { id: inside.body.id, outcome: 'time-off' },
        { id: beside.body.id, outcome: null },
      ],
    )
    expect(await eventsOf(inside.body.id)).toEqual(['hold.taken', 'hold.withdrawn'])
    const late = await book(patient, doctor.userId, at(3, '10:00'), undefined, { holdId: inside.body.id })
    expectProblem(late, 410, 'hold-expired')
    const held = { holdId: beside.body.id }
    expect((await book(another, doctor.userId, at(3, '11:30'), undefined, held)).status).toBe(201)
    await expectAgreement(doctor.userId)
  })

  it('leaves a visit that has begun, and what is over; it may have begun itself', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient')
    const minuteMs = Math.floor(Date.now() / 60_000) * 60_000
    for (const minutes of [-60, -10, 60]) await bookPast(doctor, patient, minuteMs + minutes * 60_000)
    await evictDurableObject(calendarObject(doctor.userId))
    const [over, running, ahead] = idsOf(
      await rows('SELECT id FROM appointment WHERE doctor_id = ? ORDER BY start_ms', doctor.userId),
    )
    await call('POST', `/v1/appointments/${running}/start`, { token: doctor.token })
    const iso = (minutes: number): string => new Date(minuteMs + minutes * 60_000).toISOString()
    const { body: taken } = await take(doctor, { start: iso(-120), end: iso(120), onConflict: 'cancel' })
    expect(taken.affected).toMatchObject([
      { id: running, status: 'in-progress', allowedActions: ['complete'] },
      { id: ahead, status: 'cancelled' },
    ])
    expect((await seen(patient, over ?? '')).status).toBe('confirmed')
    const completed = await call('POST', `/v1/appointments/${running}/complete`, { token: doctor.token })
    expect(completed.body.status).toBe('completed')
    await expectAgreement(doctor.userId)
  })

  it('is refused where it is over, and taken where a minute of it is left', async () => {
    const doctor = await seedClinic()
    const minuteMs = Math.floor(Date.now() / 60_000) * 60_000
    const iso = (ms: number): string => new Date(ms).toISOString()
    const until = (ms: number) => take(doctor, { start: at(-300, '00:00'), end: iso(ms), onConflict: 'keep' })
    for (const endMs of [minuteMs, minuteMs - 60_000, Date.parse(at(-299, '00:00'))]) {
      expectProblem(await until(endMs), 422, 'time-off-in-past', iso(endMs))
    }
    expect((await until(minuteMs + 120_000)).status).toBe(201)
  })

  it('has at most 366 days', async () => {
    const doctor = await seedClinic()
    const start = at(2, '10:00')
    for (const end of [at(368, '10:01'), '9999-12-31T10:00:00Z']) {
      expectProblem(await take(doctor, { start, end, onConflict: 'keep' }), 422, 'range-too-long', end)
    }
    const whole = await take(doctor, { start, end: at(368, '10:00'), onConflict: 'keep' })
    expect(whole.status).toBe(201)
    expect(await openSlots(doctor.userId, `&from=${dayFromNow(3)}&to=${dayFromNow(30)}`)).toEqual([])
  })

  it('may overlap other time off, and ends with its own withdrawal alone', async () => {
    const doctor = await seedClinic()
    const all = await startsOn(doctor, dayFromNow(3))
    const { body: first } = await take(doctor, off(3, '09:00', '11:00'))
    const { body: second } = await take(doctor, off(3, '10:00', '12:00'))
    await withdraw(doctor, first.id)
    const still = all.filter((time) => time < '10:00' || time >= '12:00')
    expect(await startsOn(doctor, dayFromNow(3))).toEqual(still)
    expect(await timesOff(doctor)).toEqual([{ id: second.id }])
  })

  it('of which a doctor may have 200 that have not ended', async () => {
    const doctor = await seedClinic()
    const startMs = Date.parse(at(3, '00:00'))
    await rows(
      `INSERT INTO time_off (id, doctor_id, start_ms, end_ms, created_at)
       SELECT 'tof_' || ?1 || value, ?1, ?2 + value * 60000, ?2 + value * 60000 + 60000, 0 FROM json_each(?3)`,
      doctor.userId,
      startMs,
      JSON.stringify(Array.from({ length: 199 }, (_, index) => index)),
    )
    await evictDurableObject(calendarObject(doctor.userId))
    expect((await take(doctor, off(4, '10:00', '11:00'))).status).toBe(201)
    expectProblem(await take(doctor, off(4, '12:00', '13:00')), 422, 'too-much-time-off')
    expect(await startsOn(doctor, dayFromNow(4))).toContain('12:00')
  })
})

describe('of three hundred appointments', () => {
  it('all are cancelled in one call and one round trip, and told of one by one', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient')
    const startMs = Date.parse(at(2, '00:00'))
    await bookManyPast(doctor, patient, startMs, 300)
    await evictDurableObject(calendarObject(doctor.userId))
    const body = { start: at(1, '00:00'), end: at(30, '00:00'), onConflict: 'cancel', reason: 'Ill' }
    const { outcome: taken, cost } = await costOf(() => take(doctor, body, 'many'))
    expect(taken.status).toBe(201)
    expect(taken.body.affected).toHaveLength(300)
    expect(new Set(taken.body.affected.map(({ status }: { status: string }) => status))).toEqual(
      new Set(['cancelled']),
    )
    // The load, and the one batch.
    expect(cost).toMatchObject({ d1Batches: 2, kvReads: 0, objectCalls: 1 })
    expect(idsOf(taken.body.affected)).toEqual(
      (await cancelledBy(taken.body.id)).map(({ subject_id }) => subject_id),
    )
    await evictDurableObject(calendarObject(doctor.userId))
    const again = await take(doctor, body, 'many')
    expect([again.headers.get('Idempotency-Replayed'), again.body]).toEqual(['true', taken.body])
    await expectAgreement(doctor.userId)
  })

  it('more than one answer can carry are refused, and nothing is taken', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient')
    await bookManyPast(doctor, patient, Date.parse(at(2, '00:00')), 900, 'ব'.repeat(500))
    await evictDurableObject(calendarObject(doctor.userId))
    const whole = { start: at(1, '00:00'), end: at(30, '00:00'), onConflict: 'cancel' }
    const refused = await take(doctor, whole)
    expectProblem(refused, 422, 'range-too-long')
    expect(refused.body.detail).toMatch(/in parts/)
    expect(await timesOff(doctor)).toEqual([])
    expect((await openSlots(doctor.userId, `&from=${dayFromNow(1)}&to=${dayFromNow(1)}`)).length).toBe(48)
    const part = await take(doctor, { ...whole, end: at(12, '00:00') }, 'part')
    expect([part.status, part.body.affected.length]).toEqual([201, 480])
    await expectAgreement(doctor.userId)
  })
})

describe('an Idempotency-Key', () => {
  it('gives twins in flight, and whoever asks later, the very first answer', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient', { fullName: 'Nadia Haque' })
    const { body: booked } = await book(patient, doctor.userId, at(3, '10:00'))
    const body = { ...off(3, '09:00', '12:00'), reason: 'Ill' }
    const twins = await Promise.all([1, 2, 3].map(() => take(doctor, body, 'key-1')))
    const [first] = twins
    expect(first?.body.affected).toMatchObject([{ id: booked.id, patient: { fullName: 'Nadia Haque' } }])
    // What happens afterwards is not what was answered.
    await call('PATCH', '/v1/me', { token: patient.token, body: { fullName: 'Nadia Rahman' } })
    await call('DELETE', `/v1/appointments/${booked.id}`, { token: patient.token })
    const warm = await take(doctor, { ...body, start: `${dayFromNow(3)}T15:00:00+06:00` }, 'key-1')
    await withdraw(doctor, first?.body.id)
    await evictDurableObject(calendarObject(doctor.userId))
    const cold = await take(doctor, body, 'key-1')
    for (const { status, body: answered } of [...twins, warm, cold]) {
      expect([status, JSON.stringify(answered)]).toEqual([201, JSON.stringify(first?.body)])
    }
    expect([...twins, warm, cold].map(({ headers }) => headers.get('Idempotency-Replayed')).sort()).toEqual([
      null,
      'true',
      'true',
      'true',
      'true',
    ])
    expect(await timesOff(doctor)).toEqual([])
    for (const other of [
      { ...body, reason: 'Well' },
      { ...body, onConflict: 'cancel' },
    ]) {
      expectProblem(await take(doctor, other, 'key-1'), 422, 'idempotency-key-reused')
    }
  })

  it('gives the same where the first answer of D1 was lost', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient')
    await book(patient, doctor.userId, at(3, '10:00'))
    await injectFaults(doctor.userId, [loseAnswer])
    const first = await take(doctor, off(3, '09:00', '12:00', 'cancel'), 'key-1')
    expect([first.status, first.body.affected.length]).toEqual([201, 1])
    await evictDurableObject(calendarObject(doctor.userId))
    const again = await take(doctor, off(3, '09:00', '12:00', 'cancel'), 'key-1')
    expect(JSON.stringify(again.body)).toBe(JSON.stringify(first.body))
    await injectFaults(doctor.userId, [loseAnswer])
    const keyless = await take(doctor, off(3, '09:30', '12:00'))
    expect([keyless.status, keyless.body.affected]).toEqual([201, []])
    expect(await timesOff(doctor)).toHaveLength(2)
    await expectAgreement(doctor.userId)
  })
})

it('A booking on its way when time off is taken is affected; one that comes later is refused', async () => {
  const doctor = await seedClinic()
  const [early, late] = await seedUsers('patient', 2)
  const { fault, arrived, release } = hold()
  await injectFaults(doctor.userId, [fault])
  const booking = book(early, doctor.userId, at(3, '10:00'))
  await arrived
  const taking = take(doctor, off(3, '09:00', '12:00', 'cancel'))
  await vi.waitFor(async () => expect(await startsOn(doctor, dayFromNow(3))).not.toContain('11:00'))
  expectProblem(await book(late, doctor.userId, at(3, '11:00')), 422, 'slot-not-offered')
  release()
  const booked = await booking
  expect(booked.status).toBe(201)
  expect((await taking).body.affected).toMatchObject([{ id: booked.body.id, status: 'cancelled' }])
  await expectAgreement(doctor.userId)
})

describe('the list', () => {
  it('has the time off that has not ended, by start, page by page, and only the own', async () => {
    const doctor = await seedClinic()
    const colleague = await seedClinic()
    await take(colleague, off(4, '10:00', '11:00'))
    const ids: string[] = []
    for (const days of [6, 4, 7, 5]) {
      ids[days - 4] = (await take(doctor, { ...off(days, '10:00', '11:00'), reason: 'Ill' })).body.id
    }
    const insert = 'INSERT INTO time_off (id, doctor_id, start_ms, end_ms, created_at) VALUES (?, ?, ?, ?, 0)'
    const now = Date.now()
    await rows(insert, 'tof_ended', doctor.userId, now - 90 * HALF_HOUR_MS, now - 1000)
    await rows(insert, 'tof_going', doctor.userId, now - 9000 * HALF_HOUR_MS, now + HALF_HOUR_MS)
    const found: string[] = []
    let cursor = ''
    do {
      const page = await call('GET', `${PATH}?limit=2&count=true${cursor}`, { token: doctor.token })
      expect([page.status, page.body.total]).toEqual([200, 5])
      found.push(...idsOf(page.body.items))
      cursor = page.body.nextCursor === null ? '' : `&cursor=${page.body.nextCursor}`
    } while (cursor !== '')
    expect(found).toEqual(['tof_going', ...ids])
    const { outcome, cost } = await costOf(() => call('GET', PATH, { token: doctor.token }))
    expect(outcome.body.items[1]).toEqual({
      id: ids[0],
      start: at(4, '10:00'),
      end: at(4, '11:00'),
      reason: 'Ill',
    })
    expect(cost).toMatchObject({ d1Batches: 1, d1RowsWritten: 0, kvReads: 0, objectCalls: 0 })
    await evictDurableObject(calendarObject(doctor.userId))
    expectProblem(await withdraw(doctor, 'tof_ended'), 404, 'not-found', 'it is history')
    expectProblem(await withdraw(colleague, ids[0] ?? ''), 404, 'not-found', 'somebody else’s')
    expect((await withdraw(doctor, 'tof_going')).status).toBe(204)
  })
})

it('Taking and withdrawing time off cost one round trip each', async () => {
  const doctor = await seedClinic()
  const taking = await costOf(() => take(doctor, off(3, '10:00', '11:00'), 'cost'))
  expect(taking.cost).toMatchObject({ status: 201, d1Batches: 1, kvReads: 0, objectCalls: 1 })
  expect(taking.cost.d1RowsWritten).toBeLessThanOrEqual(14)
  const again = await costOf(() => take(doctor, off(3, '10:00', '11:00'), 'cost'))
  expect(again.cost).toMatchObject({ status: 201, d1Batches: 1, d1RowsWritten: 0, objectCalls: 1 })
  const { id } = taking.outcome.body
  const withdrawing = await costOf(() => withdraw(doctor, id))
  expect(withdrawing.cost).toMatchObject({ status: 204, d1Batches: 1, kvReads: 0, objectCalls: 1 })
  const unknown = await costOf(() => withdraw(doctor, id))
  expect(unknown.cost).toMatchObject({ status: 404, d1Batches: 0, objectCalls: 1 })
})
