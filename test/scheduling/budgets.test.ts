/** What each route of the main job may cost: round trips and rows as D1 reports them, KV reads, object calls. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { Openings } from '#scheduling/openings'
import { type SeededUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, openStart, rows, seedClinic } from '../support/clinic'
import { costOf, logged } from '../support/cost'
import { calendarObject } from '../support/faults'

/** Rows that a booking without a key may read: right, fence, triggers, foreign keys, and the answer's names. */
const MAX_BOOKING_ROWS_READ = 30
/** Rows that it may write: the appointment and its six indexes, the event and its indexes, the fence. */
const MAX_BOOKING_ROWS_WRITTEN = 16

/** Past appointments of this doctor and this patient, a day apart in pairs. */
async function seedHistory(doctor: SeededUser, patient: SeededUser, count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
     INSERT INTO appointment (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, status, mode, cancellable_until_ms, version, created_at, updated_at)
     SELECT 'apt_' || substr(?2, 5, 32) || i, ?2, ?3, ?4, ?5 - i * 3600000, ?5 - i * 3600000 + 1800000,
       ?5 - i * 3600000, ?5 - i * 3600000 + 1800000, iif(i % 2, 'completed', 'confirmed'), 'in-person', 0, 1, 0, 0
     FROM n`,
  )
    .bind(count, doctor.userId, patient.userId, doctor.visitTypeId, Date.now() - 40 * 3_600_000)
    .run()
}

async function person(): Promise<SeededUser> {
  const [patient] = await seedUsers('patient', 1)
  if (patient === undefined) throw new Error('Nobody was seeded')
  return patient
}

describe('cancelling', () => {
  const cancel = (patient: SeededUser, id: string) =>
    costOf(() => call('POST', `/v1/appointments/${id}/cancel`, { token: patient.token, body: {} }))

  it('costs one round trip where nobody waits for its time, and one more to ask who is busy', async () => {
    const doctor = await seedClinic()
    const [patient, waiting] = [await person(), await person()]
    const start = await openStart(doctor.userId)
    const wait = (from: string, hours: number) =>
      call('POST', '/v1/waitlist', {
        token: waiting.token,
        body: {
          doctorId: doctor.userId,
          from,
          to: new Date(Date.parse(from) + hours * 3_600_000).toISOString(),
        },
      })
    await wait(new Date(Date.parse(start) + 24 * 3_600_000).toISOString(), 1)
    const first = await book(patient, doctor.userId, start)
    expect((await cancel(patient, first.body.id)).cost).toMatchObject({ status: 200, d1Batches: 2 })
    const second = await book(patient, doctor.userId, start)
    await wait(start, 1)
    expect((await cancel(patient, second.body.id)).cost).toMatchObject({ status: 200, d1Batches: 3 })
  })
})

describe('booking', () => {
  it.each([10, 10_000])(
    'costs the same with %i appointments behind: warm one round trip, cold two',
    async (count) => {
      const doctor = await seedClinic()
      const patient = await person()
      await seedHistory(doctor, patient, count)
      const start = await openStart(doctor.userId)
      const warm = await costOf(() => book(patient, doctor.userId, start))
      expect(warm.outcome.status).toBe(201)
      expect(warm.cost).toMatchObject({ d1Batches: 1, kvReads: 0, objectCalls: 1 })
      expect(warm.cost.d1RowsRead).toBeLessThanOrEqual(MAX_BOOKING_ROWS_READ)
      expect(warm.cost.d1RowsWritten).toBeLessThanOrEqual(MAX_BOOKING_ROWS_WRITTEN)

      const later = await openStart(doctor.userId, 8)
      await evictDurableObject(calendarObject(doctor.userId))
      const cold = await costOf(() => book(patient, doctor.userId, later))
      expect(cold.outcome.status).toBe(201)
      expect(cold.cost).toMatchObject({ d1Batches: 2, kvReads: 0, objectCalls: 1 })
      expect(cold.cost.d1RowsRead).toBeLessThanOrEqual(MAX_BOOKING_ROWS_READ + 20)
    },
  )

  it('with an Idempotency-Key costs no look-up on the first attempt, and a replay writes nothing', async () => {
    const doctor = await seedClinic()
    const patient = await person()
    const start = await openStart(doctor.userId)
    const first = await costOf(() => book(patient, doctor.userId, start, 'key-cost'))
    expect(first.cost).toMatchObject({ status: 201, d1Batches: 1, objectCalls: 1 })
    const replay = await costOf(() => book(patient, doctor.userId, start, 'key-cost'))
    expect(replay.cost).toMatchObject({ status: 201, d1Batches: 1, d1RowsWritten: 0, objectCalls: 1 })
  })

  it('a lost race costs no D1, nor does a slot that is not offered, nor an attempt too many', async () => {
    const doctor = await seedClinic()
    const [winner, loser] = [await person(), await person()]
    const start = await openStart(doctor.userId)
    await book(winner, doctor.userId, start)
    const lost = await costOf(() => book(loser, doctor.userId, start))
    expect(lost.cost).toMatchObject({ status: 409, d1Batches: 0, kvReads: 0, objectCalls: 1 })
    const past = await costOf(() => book(loser, doctor.userId, '2020-01-01T00:00:00Z'))
    expect(past.cost).toMatchObject({ status: 422, d1Batches: 0, objectCalls: 1 })
    for (let attempt = 0; attempt < 8; attempt++) await book(loser, doctor.userId, start)
    const limited = await costOf(() => book(loser, doctor.userId, start))
    expect(limited.cost).toMatchObject({ status: 429, d1Batches: 0, objectCalls: 1 })
  })

  it('of five hundred racers, one costs D1 one round trip, and the others nothing', async () => {
    const doctor = await seedClinic()
    const start = await openStart(doctor.userId)
    const patients = await seedUsers('patient', 500)
    const { lines } = await logged(() =>
      Promise.all(patients.map((patient) => book(patient, doctor.userId, start))),
    )
    expect(lines).toHaveLength(500)
    expect(lines.reduce((sum, { d1Batches }) => sum + d1Batches, 0)).toBe(1)
  })
})

describe('reading', () => {
  it('a listing from the cache costs at most one KV read; within a second, none', async () => {
    const doctor = await seedClinic()
    const listing = () => call('GET', `/v1/doctors/${doctor.userId}/slots`)
    const key = `openings:${doctor.userId}`
    const version = async () => (await env.OPENINGS.get<Openings>(key, 'json'))?.version
    await vi.waitFor(async () => expect(await version()).toBe(1), 5000)
    const first = await costOf(listing)
    expect(first.cost).toMatchObject({ status: 200, d1Batches: 0, d1RowsRead: 0, objectCalls: 0, kvReads: 1 })
    const second = await costOf(listing)
    expect(second.cost).toMatchObject({ status: 200, d1Batches: 0, objectCalls: 0, kvReads: 0 })
    await env.OPENINGS.delete(key)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const missed = await costOf(listing)
    expect(missed.cost).toMatchObject({ status: 200, d1Batches: 0, objectCalls: 1, kvReads: 1 })
  })

  it('a signed-in read costs one round trip, its right included', async () => {
    const doctor = await seedClinic()
    const patient = await person()
    const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
    const paths = ['/v1/appointments', `/v1/appointments/${body.id}`, '/v1/me']
    for (const path of paths) {
      const read = await costOf(() => call('GET', path, { token: patient.token }))
      expect(read.cost).toMatchObject({
        status: 200,
        d1Batches: 1,
        d1RowsWritten: 0,
        kvReads: 0,
        objectCalls: 0,
      })
    }
    for (const path of ['schedule', 'availability', 'visit-types']) {
      const read = await costOf(() => call('GET', `/v1/doctors/me/${path}`, { token: doctor.token }))
      expect(read.cost).toMatchObject({
        status: 200,
        d1Batches: 1,
        d1RowsWritten: 0,
        kvReads: 0,
        objectCalls: 0,
      })
    }
  })

  it('a page of appointments reads no more rows however many there are', async () => {
    const doctor = await seedClinic()
    const patient = await person()
    await seedHistory(doctor, patient, 10_000)
    for (const query of ['?limit=10', '?limit=10&sort=-start']) {
      const page = await costOf(() => call('GET', `/v1/appointments${query}`, { token: patient.token }))
      expect(page.outcome.body.items).toHaveLength(10)
      expect(page.cost.d1RowsRead).toBeLessThanOrEqual(60)
    }
    const [{ total } = { total: 0 }] = await rows<{ total: number }>(
      'SELECT count(*) AS total FROM appointment WHERE patient_id = ?',
      patient.userId,
    )
    expect(total).toBe(10_000)
  })
})
