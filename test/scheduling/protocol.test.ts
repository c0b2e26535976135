/** The booking protocol, point by point, with D1 failing at the seam and the real thing recovering. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, bookPast, isOpen, openStart, overlapping, rows, seedClinic } from '../support/clinic'
import {
  arriveLate,
  calendarObject,
  failBefore,
  hang,
  hold,
  injectFaults,
  loseAnswer,
} from '../support/faults'

afterEach(() => {
  vi.useRealTimers()
})

const appointmentsOf = (doctorId: string) =>
  rows('SELECT id, status FROM appointment WHERE doctor_id = ?', doctorId)
const eventsOf = (subjectId: string) =>
  rows<{ type: string }>('SELECT type FROM event WHERE subject_id = ? ORDER BY sequence', subjectId)

describe('an unknown outcome is resolved by loading', () => {
  it('the batch committed and its answer was lost: the booking is answered, once', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    await injectFaults(doctor.userId, [loseAnswer])
    const booked = await book(patient, doctor.userId, start, 'key-lost')
    expect(booked.status).toBe(201)
    expect(booked.body.patient.fullName).toBe('Test patient 1')
    expect(await appointmentsOf(doctor.userId)).toEqual([{ id: booked.body.id, status: 'confirmed' }])
    expect(await eventsOf(booked.body.id)).toEqual([{ type: 'appointment.booked' }])
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
    const again = await book(patient, doctor.userId, start, 'key-lost')
    expect([again.status, again.body.id]).toEqual([201, booked.body.id])
    expect(again.headers.get('Idempotency-Replayed')).toBe('true')
  })

  it('the batch never arrived: 503, nothing is written, the slot is open, a retry by key books once', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    await injectFaults(doctor.userId, [failBefore])
    const failed = await book(patient, doctor.userId, start, 'key-503')
    expect([failed.status, failed.body.code]).toEqual([503, 'unavailable'])
    expect(Number(failed.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await appointmentsOf(doctor.userId)).toEqual([])
    expect(await isOpen(doctor.userId, start)).toBe(true)
    const retried = await book(patient, doctor.userId, start, 'key-503')
    expect(retried.status).toBe(201)
    expect(await appointmentsOf(doctor.userId)).toHaveLength(1)
  })

  it('the load fails too: 503 until D1 answers, then all is right without help', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    await injectFaults(doctor.userId, [loseAnswer, failBefore, failBefore])
    expect((await book(patient, doctor.userId, start, 'key-twice')).status).toBe(503)
    expect((await book(other, doctor.userId, start)).status).toBe(503)
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
    const retried = await book(patient, doctor.userId, start, 'key-twice')
    expect(retried.status).toBe(201)
    expect(await appointmentsOf(doctor.userId)).toEqual([{ id: retried.body.id, status: 'confirmed' }])
  })

  it('a batch that arrives late is refused whole by the fence', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const late = arriveLate()
    await injectFaults(doctor.userId, [late.fault])
    expect((await book(patient, doctor.userId, start, 'key-late')).status).toBe(503)
    await expect(late.arrive()).rejects.toThrow('stale-calendar')
    expect(await appointmentsOf(doctor.userId)).toEqual([])
    expect(await rows('SELECT key FROM idempotency WHERE doctor_id = ?', doctor.userId)).toEqual([])
    expect((await book(other, doctor.userId, start)).status).toBe(201)
  })

  it('others decide meanwhile, and what they were refused by is gone when it never happened', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const held = hold()
    const batches = await injectFaults(doctor.userId, [held.fault])
    const first = book(patient, doctor.userId, start)
    await held.arrived
    const loser = await book(other, doctor.userId, start)
    expect([loser.status, loser.body.code]).toEqual([409, 'slot-taken'])
    expect(batches()).toBe(1)
    expect((await book(other, doctor.userId, await openStart(doctor.userId, 5))).status).toBe(201)
    held.release()
    expect((await first).status).toBe(201)
  })
})

describe('an object that dies', () => {
  it('before D1 heard of the booking: the retry by key books once', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    await injectFaults(doctor.userId, [hang])
    const lost = book(patient, doctor.userId, start, 'key-abort').catch(() => undefined)
    await vi.waitFor(async () => expect(await isOpen(doctor.userId, start)).toBe(false))
    await runInDurableObject(calendarObject(doctor.userId), (_, state) => state.abort()).catch(
      () => undefined,
    )
    const answer = await lost
    expect(answer === undefined || answer.status === 503).toBe(true)
    const retried = await book(patient, doctor.userId, start, 'key-abort')
    expect(retried.status).toBe(201)
    expect(await appointmentsOf(doctor.userId)).toEqual([{ id: retried.body.id, status: 'confirmed' }])
  })

  it('after D1 agreed, before it answered: the retry by key gives what happened', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    let committed = false
    await injectFaults(doctor.userId, [
      async (deliver) => {
        await deliver()
        committed = true
        return new Promise(() => undefined)
      },
    ])
    const lost = book(patient, doctor.userId, start, 'key-commit').catch(() => undefined)
    await vi.waitFor(() => expect(committed).toBe(true))
    await runInDurableObject(calendarObject(doctor.userId), (_, state) => state.abort()).catch(
      () => undefined,
    )
    await lost
    const [written] = await appointmentsOf(doctor.userId)
    const retried = await book(patient, doctor.userId, start, 'key-commit')
    expect([retried.status, retried.body.id]).toEqual([201, written?.id])
    expect(retried.headers.get('Idempotency-Replayed')).toBe('true')
    expect(await eventsOf(retried.body.id)).toHaveLength(1)
  })

  it('an evicted object remembers bookings, keys and rate limits', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const booked = await book(patient, doctor.userId, start, 'key-evict')
    for (let attempt = 0; attempt < 9; attempt++) await book(patient, doctor.userId, start)
    await evictDurableObject(calendarObject(doctor.userId))
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
    const limited = await book(patient, doctor.userId, start)
    expect([limited.status, limited.body.code]).toEqual([429, 'rate-limited'])
    expect(Number(limited.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(limited.headers.get('RateLimit-Policy')).toBe('"booking";q=10;w=60')
    const replayed = await book(patient, doctor.userId, start, 'key-evict')
    expect([replayed.status, replayed.body]).toEqual([201, booked.body])
  })
})

describe('one Idempotency-Key, one effect', () => {
  it('twenty twins in flight share one booking', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => book(patient, doctor.userId, start, 'key-twin')),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('Idempotency-Replayed') === 'true')).toHaveLength(19)
    expect(await appointmentsOf(doctor.userId)).toHaveLength(1)
  })

  it('another body, here or at another doctor, is 422, in flight and afterwards', async () => {
    const doctor = await seedClinic()
    const elsewhere = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const held = hold()
    await injectFaults(doctor.userId, [held.fault])
    const first = book(patient, doctor.userId, start, 'key-body')
    await held.arrived
    const twin = await book(patient, doctor.userId, start, 'key-body', { notes: 'other' })
    expect([twin.status, twin.body.code]).toEqual([422, 'idempotency-key-reused'])
    held.release()
    expect((await first).status).toBe(201)
    expect((await book(patient, doctor.userId, start, 'key-body', { notes: 'other' })).status).toBe(422)
    // At another time, and at the same, where the first booking would be in the way as well.
    for (const there of [await openStart(elsewhere.userId, 9), start]) {
      const other = await book(patient, elsewhere.userId, there, 'key-body')
      expect([other.status, other.body.code]).toEqual([422, 'idempotency-key-reused'])
      expect(await isOpen(elsewhere.userId, there)).toBe(true)
    }
    expect(await appointmentsOf(elsewhere.userId)).toEqual([])
  })

  it('is the first answer again, to the letter, and only while the right to it lives', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const first = await book(patient, doctor.userId, await openStart(doctor.userId), 'key-same')
    await call('POST', `/v1/appointments/${first.body.id}/cancel`, { token: patient?.token ?? '' })
    const again = await book(patient, doctor.userId, first.body.start, 'key-same')
    expect([again.status, again.body]).toEqual([201, first.body])
    await env.DB.prepare('UPDATE session SET ended_at = 1 WHERE id = ?').bind(patient?.sessionId).run()
    const ended = await book(patient, doctor.userId, first.body.start, 'key-same')
    expect([ended.status, ended.body.code]).toEqual([401, 'session-ended'])
  })

  it('a key belongs to its user', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const mine = await book(patient, doctor.userId, await openStart(doctor.userId), 'key-mine')
    const theirs = await book(other, doctor.userId, await openStart(doctor.userId, 4), 'key-mine')
    expect([mine.status, theirs.status]).toEqual([201, 201])
    expect(mine.body.id).not.toBe(theirs.body.id)
  })
})

describe('D1 is the last defence', () => {
  it('an appointment written past the object: the loser is refused, and memory and listing are right', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    await bookPast(doctor, other, Date.parse(start))
    const refused = await book(patient, doctor.userId, start)
    expect([refused.status, refused.body.code]).toEqual([409, 'slot-taken'])
    expect(await isOpen(doctor.userId, start)).toBe(false)
    expect(await overlapping(doctor.userId)).toEqual([])
  })

  it('another writer raised the epoch: the command is decided anew and succeeds', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    await env.DB.prepare(
      'UPDATE calendar SET epoch = epoch + 1, writer_epoch = epoch + 1 WHERE doctor_id = ?',
    )
      .bind(doctor.userId)
      .run()
    expect((await book(patient, doctor.userId, start)).status).toBe(201)
  })

  it('a session that ended books nothing, and the slot is open', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    await env.DB.prepare('UPDATE session SET ended_at = 1 WHERE id = ?').bind(patient?.sessionId).run()
    const refused = await book(patient, doctor.userId, start)
    expect([refused.status, refused.body.code]).toEqual([401, 'session-ended'])
    expect(await appointmentsOf(doctor.userId)).toEqual([])
    expect(await isOpen(doctor.userId, start)).toBe(true)
  })
})

describe('cancelling gives back only what D1 has agreed to', () => {
  it('the slot stays taken while the batch is on its way, and is open after it', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const { body } = await book(patient, doctor.userId, start)
    const held = hold()
    const batches = await injectFaults(doctor.userId, [held.fault])
    const cancelling = call('POST', `/v1/appointments/${body.id}/cancel`, { token: patient?.token ?? '' })
    await held.arrived
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
    // Refused by memory: D1 has heard of nothing but the cancelling.
    expect(batches()).toBe(1)
    held.release()
    expect((await cancelling).body.status).toBe('cancelled')
    expect((await book(other, doctor.userId, start)).status).toBe(201)
  })

  it.each([
    ['committed and lost its answer', loseAnswer, 200, 'cancelled'],
    ['never arrived', failBefore, 503, 'confirmed'],
  ] as const)('the batch %s', async (_, fault, status, becomes) => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
    await injectFaults(doctor.userId, [fault])
    const answer = await call('POST', `/v1/appointments/${body.id}/cancel`, { token: patient?.token ?? '' })
    expect(answer.status).toBe(status)
    expect(await appointmentsOf(doctor.userId)).toEqual([{ id: body.id, status: becomes }])
    expect(await isOpen(doctor.userId, body.start)).toBe(becomes === 'cancelled')
  })

  it('waits for a booking whose answer is still on its way, and leaves no ghost of it', async () => {
    const doctor = await seedClinic()
    const [patient, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    let committed = () => {}
    const written = new Promise<void>((resolve) => {
      committed = resolve
    })
    const held = hold()
    await injectFaults(doctor.userId, [
      async (deliver) => {
        const results = await deliver()
        committed()
        return held.fault(async () => results)
      },
    ])
    const booking = book(patient, doctor.userId, start)
    await written
    const [row] = await appointmentsOf(doctor.userId)
    const cancelling = call('POST', `/v1/appointments/${row?.id}/cancel`, { token: patient?.token ?? '' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    held.release()
    expect([(await booking).status, (await cancelling).body.status]).toEqual([201, 'cancelled'])
    expect(await isOpen(doctor.userId, start)).toBe(true)
    expect((await book(other, doctor.userId, start)).status).toBe(201)
  })

  it('needs no body, whatever media type an empty one claims', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
    const cancelled = await call('POST', `/v1/appointments/${body.id}/cancel`, {
      token: patient?.token ?? '',
      headers: { 'Content-Type': 'application/json' },
    })
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled'])
  })

  it('three at once are all 200 with one event, one after another: none proves memory wrong', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
    const cancel = (token: string | undefined) =>
      call('DELETE', `/v1/appointments/${body.id}`, { token: token ?? '' })
    const epoch = () => rows('SELECT epoch FROM calendar WHERE doctor_id = ?', doctor.userId)
    const before = await epoch()
    const held = hold()
    await injectFaults(doctor.userId, [held.fault])
    const cancelling = [cancel(patient?.token), cancel(doctor.token), cancel(patient?.token)]
    await held.arrived
    await new Promise((resolve) => setTimeout(resolve, 50))
    held.release()
    const answers = await Promise.all(cancelling)
    expect(await epoch()).toEqual(before)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await eventsOf(body.id)).toEqual([
      { type: 'appointment.booked' },
      { type: 'appointment.cancelled' },
    ])
  })
})

it('a schedule change on its way offers only what the old and the new one both offer', async () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const hours = (startTime: string, endTime: string) => ({
    timeZone: 'UTC',
    rules: [{ rrule: 'FREQ=DAILY', startTime, endTime, startDate: '2020-01-01' }],
  })
  const doctor = await seedClinic(hours('08:00', '12:00'))
  const patients = await seedUsers('patient', 6)
  const held = hold()
  await injectFaults(doctor.userId, [held.fault])
  const changing = call('PUT', '/v1/doctors/me/schedule', {
    token: doctor.token,
    body: hours('10:00', '14:00'),
  })
  await held.arrived
  const at = (time: string, index: number) => book(patients[index], doctor.userId, `${tomorrow}T${time}:00Z`)
  expect((await at('08:00', 0)).body.reasons).toEqual(['outside-hours'])
  expect((await at('13:00', 1)).body.reasons).toEqual(['outside-hours'])
  expect((await at('10:00', 2)).status).toBe(201)
  held.release()
  expect((await changing).status).toBe(200)
  expect((await at('13:00', 3)).status).toBe(201)
  expect((await at('08:00', 4)).status).toBe(422)
})

describe('time passes in one place', () => {
  it.each(['alarm', 'wake'] as const)(
    'a request that nobody approved by its start is rejected (%s)',
    async (by) => {
      const doctor = await seedClinic({ approval: 'manual' })
      const [patient] = await seedUsers('patient', 1)
      const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
      expect(body.status).toBe('pending')
      vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(body.start) - 1 })
      await calendarObject(doctor.userId).wake()
      expect(await appointmentsOf(doctor.userId)).toEqual([{ id: body.id, status: 'pending' }])
      vi.setSystemTime(Date.parse(body.start))
      if (by === 'alarm') expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
      else await calendarObject(doctor.userId).wake()
      expect(await appointmentsOf(doctor.userId)).toEqual([{ id: body.id, status: 'rejected' }])
      expect(await eventsOf(body.id)).toEqual([
        { type: 'appointment.requested' },
        { type: 'appointment.rejected' },
      ])
    },
  )
})

it('the alarm is set again for the next request that waits, although it found nothing to do', async () => {
  const doctor = await seedClinic({ approval: 'manual' })
  const [patient, other] = await seedUsers('patient', 2)
  const first = await book(patient, doctor.userId, await openStart(doctor.userId))
  const second = await book(other, doctor.userId, await openStart(doctor.userId, 6))
  await call('DELETE', `/v1/appointments/${first.body.id}`, { token: patient?.token ?? '' })
  expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
  const alarm = await runInDurableObject(calendarObject(doctor.userId), (_, state) =>
    state.storage.getAlarm(),
  )
  expect(alarm).toBe(Date.parse(second.body.start))
})

it('what never happened is not answered as done, though D1 already looks as it would have made it', async () => {
  const admin = await seedUser(env, 'admin')
  const doctor = await seedClinic()
  await injectFaults(doctor.userId, [failBefore, () => Promise.reject(new Error('Network connection lost.'))])
  const verify = (licenseNumber: string) =>
    call('POST', `/v1/admin/doctors/${doctor.userId}/verify`, { token: admin.token, body: { licenseNumber } })
  expect((await verify('NEW-1')).status).toBe(503)
  expect((await verify('NEW-2')).body.licenseNumber).toBe('NEW-2')
  const hours = { timeZone: 'UTC', rules: [] }
  const put = () => call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body: hours })
  expect((await put()).status).toBe(200)
  await injectFaults(doctor.userId, [failBefore])
  expect((await put()).status).toBe(503)
  expect(await eventsOf(doctor.userId)).toEqual([
    { type: 'schedule.changed' },
    { type: 'doctor.verified' },
    { type: 'schedule.changed' },
  ])
})

it('verification goes through the object: before it the doctor is not bookable, after it at once', async () => {
  const admin = await seedUser(env, 'admin')
  const doctor = await seedClinic({}, { verified: false })
  const [patient] = await seedUsers('patient', 1)
  const start = new Date(Math.ceil(Date.now() / 1_800_000) * 1_800_000 + 3_600_000).toISOString()
  expect((await book(patient, doctor.userId, start)).body.code).toBe('doctor-not-found')
  expect((await call('GET', `/v1/doctors/${doctor.userId}/slots?fresh=true`)).status).toBe(404)
  const verified = await call('POST', `/v1/admin/doctors/${doctor.userId}/verify`, {
    token: admin.token,
    body: { licenseNumber: 'BMDC-1' },
  })
  expect(verified.body).toMatchObject({
    id: doctor.userId,
    verified: true,
    listed: true,
    licenseNumber: 'BMDC-1',
  })
  expect((await book(patient, doctor.userId, start)).status).toBe(201)
})
