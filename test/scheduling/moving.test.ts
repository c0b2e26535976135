/** Rescheduling over HTTP: by whom, whereto, on what terms; and what staff may pass over, here and in booking. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { dayFromNow, expectProblem, writingNothing } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import {
  book,
  eventsOf,
  HALF_HOUR_MS,
  isOpen,
  openStart,
  overlapping,
  rows,
  seedClinic,
} from '../support/clinic'
import { answered, ask } from '../support/commands'
import { costOf } from '../support/cost'
import { act, historyOf, readVisit, reschedule, takeHold } from '../support/visits'

/** Rows that a move may read (right and appointment twice, the triggers of both places) and write. */
const MAX_MOVE_ROWS_READ = 35
const MAX_MOVE_ROWS_WRITTEN = 18

const day = dayFromNow(3)
const at = (time: string) => `${day}T${time}:00Z`
const minutesOn = (start: string, minutes: number) =>
  `${new Date(Date.parse(start) + minutes * 60_000).toISOString().slice(0, 19)}Z`

let admin: SeededUser

beforeAll(async () => {
  admin = await seedUser(env, 'admin')
})

/** From eight to six, as the doctor sets them. */
async function seedHours({ token }: SeededUser, policy: object): Promise<void> {
  const rule = { rrule: 'FREQ=DAILY', startTime: '08:00', endTime: '18:00', startDate: '2020-01-01' }
  const body = { timeZone: 'UTC', rules: [rule], ...policy }
  expect((await call('PUT', '/v1/doctors/me/schedule', { token, body })).status).toBe(200)
}

/** A doctor, with visit types before their object has heard of them, and a patient's visit at ten. */
async function visit(policy: object = {}) {
  const doctor = await seedUser(env, 'doctor')
  const video = newId('vis')
  await rows(
    `INSERT INTO visit_type (id, doctor_id, name, duration_minutes, buffer_before_minutes, buffer_after_minutes,
       mode, fee_minor, fee_currency, created_at) VALUES (?, ?, 'Video', 45, 0, 15, 'video', 7000, 'BDT', ?)`,
    video,
    doctor.userId,
    Date.now() + 1,
  )
  await seedHours(doctor, policy)
  const [patient, other] = await seedUsers('patient', 2)
  const { body: booked } = await book(patient, doctor.userId, at('10:00'))
  return { doctor, video, patient, other, booked, id: String(booked.id) }
}

describe('A visit moves', () => {
  it.each(['patient', 'doctor', 'admin'] as const)('for the %s, in one step', async (party) => {
    const { doctor, patient, other, booked, id } = await visit()
    const by = { patient, doctor, admin }[party]
    const moved = await reschedule(by, id, `${day}T20:00:00+06:00`)
    expect(moved.status).toBe(200)
    expect(moved.body).toEqual({
      ...booked,
      start: at('14:00'),
      end: at('14:30'),
      cancellableUntil: at('14:00'),
      allowedActions: expect.arrayContaining(['reschedule', 'cancel']),
      version: 2,
      calendarVersion: booked.calendarVersion + 1,
    })
    expect(moved.headers.get('ETag')).toBe('"2"')
    expect(moved.headers.get('RateLimit-Policy')).toBe(party === 'patient' ? '"booking";q=10;w=60' : null)
    expect([await isOpen(doctor.userId, at('10:00')), await isOpen(doctor.userId, at('14:00'))]).toEqual([
      true,
      false,
    ])
    expect((await book(other, doctor.userId, at('10:00'))).status).toBe(201)
    const { body } = await historyOf(by, id)
    expect(body.items[1]).toMatchObject({
      type: 'appointment.rescheduled',
      actorId: by?.userId,
      data: { by: party, from: at('10:00'), to: at('14:00'), status: 'confirmed' },
      note: null,
    })
  })

  it('and is a request again where the doctor approves by hand and the patient moves it', async () => {
    const { doctor, patient, id } = await visit({ approval: 'manual' })
    expect((await reschedule(doctor, id, at('11:00'))).body.status).toBe('pending')
    expect((await act(doctor, id, 'approve')).body.status).toBe('confirmed')
    expect((await reschedule(doctor, id, at('12:00'))).body.status).toBe('confirmed')
    expect((await reschedule(admin, id, at('13:00'))).body.status).toBe('confirmed')
    const moved = await reschedule(patient, id, at('14:00'))
    expect(moved.body).toMatchObject({ status: 'pending', allowedActions: ['reschedule', 'cancel'] })
    expect((await reschedule(patient, id, at('15:00'))).body.status).toBe('pending')
    expect((await act(doctor, id, 'approve')).body).toMatchObject({ status: 'confirmed', start: at('15:00') })
  })

  it('to another visit type, on its terms', async () => {
    const { doctor, video, patient, id } = await visit()
    const moved = await reschedule(patient, id, at('10:00'), { visitTypeId: video })
    expect(moved.body).toMatchObject({
      start: at('10:00'),
      end: at('10:45'),
      visitTypeId: video,
      mode: 'video',
      fee: { amountMinor: 7000, currency: 'BDT' },
      version: 2,
    })
    // Forty-five minutes and a buffer of fifteen.
    expect(await isOpen(doctor.userId, at('10:30'))).toBe(false)
    expect(await isOpen(doctor.userId, at('11:00'))).toBe(true)
    const back = await reschedule(patient, id, at('10:00'), { visitTypeId: doctor.visitTypeId })
    expect(back.body).toMatchObject({ end: at('10:30'), mode: 'in-person', fee: null, version: 3 })
    expect(await isOpen(doctor.userId, at('10:30'))).toBe(true)
  })

  it('onto a place that overlaps its own, either way', async () => {
    const { doctor, patient, id } = await visit({ slotMinutes: 15 })
    for (const [time, before, after] of [
      ['10:15', '09:45', '10:45'],
      ['10:00', '09:30', '10:30'],
    ] as const) {
      expect((await reschedule(patient, id, at(time))).body.start).toBe(at(time))
      for (const open of [before, after]) expect(await isOpen(doctor.userId, at(open)), open).toBe(true)
      expect(await isOpen(doctor.userId, at(time))).toBe(false)
    }
    expect(await overlapping(doctor.userId)).toEqual([])
  })

  it('nowhere when it is there already: 200, and nothing has changed', async () => {
    const { doctor, patient, booked, id } = await visit()
    const { calendarVersion: _, ...unchanged } = booked
    await writingNothing(async () => {
      for (const others of [{}, { visitTypeId: doctor.visitTypeId }]) {
        const moved = await reschedule(patient, id, at('10:00'), others)
        expect(moved.status).toBe(200)
        expect(moved.body).toMatchObject(unchanged)
      }
    })
  })

  it('into the patient’s own hold, which passes into it', async () => {
    const { doctor, patient, other, id } = await visit()
    const { body: held } = await takeHold(patient, doctor.userId, at('16:00'))
    expectProblem(await reschedule(other, id, at('16:00')), 404, 'not-found')
    expect((await reschedule(patient, id, at('16:00'))).body.start).toBe(at('16:00'))
    expect(await rows('SELECT outcome FROM hold WHERE id = ?', held.id)).toEqual([{ outcome: 'booked' }])
  })
})

describe('A visit stays where it is', () => {
  it('when the place is taken, held, off, not offered, or the patient is busy, and keeps its own', async () => {
    const { doctor, patient, other, booked, id } = await visit()
    const elsewhere = await seedUser(env, 'doctor')
    await seedHours(elsewhere, {})
    await book(other, doctor.userId, at('11:00'))
    await takeHold(other, doctor.userId, at('12:00'))
    await book(patient, elsewhere.userId, at('13:00'))
    const second = await book(patient, doctor.userId, at('14:00'))
    const offMs = Date.parse(at('15:00'))
    answered(await ask.timeOff(doctor, offMs, offMs + HALF_HOUR_MS))
    await writingNothing(async () => {
      for (const taken of ['11:00', '12:00']) {
        const refused = await reschedule(patient, id, at(taken))
        expectProblem(refused, 409, 'slot-taken')
        expect(refused.body.alternatives).toHaveLength(5)
        for (const { start } of refused.body.alternatives) {
          expect(await isOpen(doctor.userId, start), start).toBe(true)
        }
      }
      expectProblem(await reschedule(patient, id, at('13:00')), 409, 'patient-busy')
      const own = await reschedule(patient, id, at('14:00'))
      expectProblem(own, 409, 'already-booked')
      expect(own.body.appointmentId).toBe(second.body.id)
      for (const [start, reasons] of [
        [at('15:00'), ['time-off']],
        [at('10:07'), ['off-grid']],
        [at('20:00'), ['outside-hours']],
        [`${dayFromNow(300)}T10:00:00Z`, ['beyond-horizon']],
        [`${dayFromNow(-1)}T10:00:00Z`, ['in-the-past']],
      ] as const) {
        const refused = await reschedule(doctor, id, start)
        expectProblem(refused, 422, 'slot-not-offered', start)
        expect(refused.body.reasons, start).toEqual(reasons)
      }
      const foreign = await reschedule(doctor, id, at('16:00'), { visitTypeId: elsewhere.visitTypeId })
      expectProblem(foreign, 404, 'visit-type-not-found')
    })
    const { calendarVersion: _, ...unchanged } = booked
    expect((await readVisit(patient, id)).body).toEqual(unchanged)
    expect((await book(other, doctor.userId, at('10:00'))).body.code).toBe('slot-taken')
    expect(await eventsOf(id)).toEqual(['appointment.booked'])
  })

  it('once it has begun, or is over', async () => {
    const doctor = await seedClinic({ slotMinutes: 5 })
    const [patient] = await seedUsers('patient', 1)
    const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
    await act(doctor, body.id, 'start')
    for (const action of ['complete', undefined]) {
      const late = await reschedule(doctor, body.id, at('10:00'))
      expectProblem(late, 409, 'illegal-transition')
      if (action !== undefined) await act(doctor, body.id, action)
    }
  })

  it('after ten attempts of a patient in a minute; staff have no limit, and strangers no attempt', async () => {
    const { doctor, patient, other, id } = await visit()
    for (let attempt = 1; attempt < 10; attempt++) {
      const moved = await reschedule(patient, id, at('10:00'))
      expect(moved.headers.get('RateLimit')).toMatch(new RegExp(`^"booking";r=${9 - attempt};`))
      expectProblem(await reschedule(other, id, at('11:00')), 404, 'not-found')
    }
    const limited = await reschedule(patient, id, at('11:00'))
    expectProblem(limited, 429, 'rate-limited')
    expect(Number(limited.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await reschedule(doctor, id, at('11:00'))).body.start).toBe(at('11:00'))
    expect((await book(other, doctor.userId, at('10:00'))).status).toBe(201)
  })
})

describe('An override', () => {
  const override = { reason: 'She travels from afar' }

  it('lets staff move a visit off the grid and inside the notice, and nowhere else', async () => {
    const { doctor, patient, id } = await visit({ minNoticeMinutes: 2 * 1440 })
    const soon = minutesOn(`${dayFromNow(1)}T10:00:00Z`, 7)
    expect((await reschedule(doctor, id, soon)).body.reasons.sort()).toEqual(['off-grid', 'too-soon'])
    await writingNothing(async () => {
      expectProblem(await reschedule(patient, id, soon, { override }), 403, 'forbidden')
      const outside = await reschedule(admin, id, `${dayFromNow(1)}T20:00:00Z`, { override })
      expect(outside.body.reasons).toEqual(['outside-hours'])
    })
    expect((await reschedule(doctor, id, soon, { override })).body.start).toBe(soon)
    const sooner = minutesOn(soon, 1)
    expect((await reschedule(admin, id, sooner, { override })).body.start).toBe(sooner)
    const { items } = (await historyOf(patient, id)).body
    for (const [index, by] of [
      [1, 'doctor'],
      [2, 'admin'],
    ] as const) {
      expect(items[index]).toMatchObject({ data: { by, override: true }, note: override.reason })
    }
  })

  it('lets an administrator book so, and its event keeps the reason', async () => {
    const { doctor, patient, other } = await visit({ minNoticeMinutes: 2 * 1440 })
    const soon = minutesOn(`${dayFromNow(1)}T10:00:00Z`, 7)
    const named = { patientId: other?.userId }
    expectProblem(await book(patient, doctor.userId, soon, undefined, { override }), 403, 'forbidden')
    expect((await book(admin, doctor.userId, soon, undefined, named)).body.code).toBe('slot-not-offered')
    const booked = await book(admin, doctor.userId, soon, 'key-override', { ...named, override })
    expect([booked.status, booked.body.start, booked.body.patientId]).toEqual([201, soon, other?.userId])
    const { items } = (await historyOf(other, booked.body.id)).body
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({
      type: 'appointment.booked',
      actorId: admin.userId,
      data: { override: true },
      note: override.reason,
    })
    const taken = await book(admin, doctor.userId, minutesOn(soon, 10), undefined, {
      patientId: patient?.userId,
      override,
    })
    expectProblem(taken, 409, 'slot-taken')
  })
})

it('A move is two round trips, and a lost race only the one that finds the appointment', async () => {
  const { doctor, patient, other, id } = await visit()
  await book(other, doctor.userId, at('11:00'))
  const lost = await costOf(() => reschedule(patient, id, at('11:00')))
  expect(lost.cost).toMatchObject({ status: 409, d1Batches: 1, d1RowsWritten: 0, objectCalls: 1 })
  const { cost } = await costOf(() => reschedule(patient, id, at('12:00')))
  expect(cost).toMatchObject({ status: 200, d1Batches: 2, kvReads: 0, objectCalls: 1 })
  expect(cost.d1RowsRead).toBeLessThanOrEqual(MAX_MOVE_ROWS_READ)
  expect(cost.d1RowsWritten).toBeLessThanOrEqual(MAX_MOVE_ROWS_WRITTEN)
})
