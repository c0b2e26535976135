/** Holds over HTTP: whom they keep out, how they end, and what they refuse. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newId } from '#db/id'
import { expectInvalid, expectProblem, writingNothing } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, eventsOf, isOpen, openSlots, openStart, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'
import { calendarObject, hold as holdBack, injectFaults } from '../support/faults'
import { holdsOf, releaseHold, takeHold } from '../support/visits'

/** How long a hold lives, as the contract says. */
const HOLD_MS = 5 * 60_000

/** Rows that a hold with a key may read (right, fence, triggers) and write (hold, event, key and their indexes). */
const MAX_HOLD_ROWS_READ = 20
const MAX_HOLD_ROWS_WRITTEN = 15

afterEach(() => {
  vi.useRealTimers()
})

const outcomeOf = (holdId: string) => rows('SELECT outcome FROM hold WHERE id = ?', holdId)

/** A visit type of the doctor's, so long, written before the object has loaded. */
async function addVisitType(doctor: SeededUser, durationMinutes: number): Promise<string> {
  const id = newId('vis')
  await rows(
    `INSERT INTO visit_type (id, doctor_id, name, duration_minutes, buffer_before_minutes, buffer_after_minutes,
       mode, created_at) VALUES (?, ?, 'Other', ?, 0, 0, 'in-person', ?)`,
    id,
    doctor.userId,
    durationMinutes,
    Date.now() + 1,
  )
  await evictDurableObject(calendarObject(doctor.userId))
  return id
}

describe('A hold', () => {
  it('keeps the slot from everybody else: not listed, not booked, not held, with alternatives that are open', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const before = Date.now()
    const held = await takeHold(owner, doctor.userId, start)
    expect(held.status).toBe(201)
    expect(held.body).toEqual({
      id: expect.stringMatching(/^hld_/),
      doctorId: doctor.userId,
      start,
      end: expect.any(String),
      visitTypeId: doctor.visitTypeId,
      expiresAt: expect.any(String),
      origin: 'patient',
    })
    expect(Math.abs(Date.parse(held.body.expiresAt) - before - HOLD_MS)).toBeLessThan(2000)
    expect(held.headers.get('Location')).toBe(`/v1/holds/${held.body.id}`)
    expect(held.headers.get('RateLimit-Policy')).toBe('"booking";q=10;w=60')
    expect(held.headers.get('RateLimit')).toMatch(/^"booking";r=9;/)

    const open = (await openSlots(doctor.userId)).map((slot) => slot.start)
    expect(open).not.toContain(start)
    for (const refused of [
      await book(other, doctor.userId, start),
      await takeHold(other, doctor.userId, start),
    ]) {
      expectProblem(refused, 409, 'slot-taken')
      expect(refused.body.alternatives).toHaveLength(5)
      for (const { start: alternative } of refused.body.alternatives) expect(open).toContain(alternative)
    }
    expect(await eventsOf(held.body.id)).toEqual(['hold.taken'])
  })

  it('of the very slot that one holds keeps its key, and is told to nobody whose session has ended', async () => {
    const doctor = await seedClinic()
    const [patient] = (await seedUsers('patient', 1)) as [SeededUser]
    const start = await openStart(doctor.userId)
    const first = await takeHold(patient, doctor.userId, start)
    const again = await takeHold(patient, doctor.userId, start, 'key-same')
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    expect((await releaseHold(patient, first.body.id)).status).toBe(204)
    const replayed = await takeHold(patient, doctor.userId, start, 'key-same')
    expect([replayed.status, replayed.body]).toEqual([200, again.body])
    expect(replayed.headers.get('Idempotency-Replayed')).toBe('true')
    const next = await takeHold(patient, doctor.userId, start)
    expect(next.status).toBe(201)
    expect((await call('POST', '/v1/auth/logout', { token: patient.token })).status).toBe(204)
    expectProblem(await takeHold(patient, doctor.userId, start), 401, 'session-ended')
  })

  it('of the very slot that one holds is the same hold, which ends when it would have', async () => {
    const doctor = await seedClinic()
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const first = await takeHold(owner, doctor.userId, start)
    const again = await takeHold(owner, doctor.userId, start, 'key-again', {
      visitTypeId: doctor.visitTypeId,
    })
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(again.headers.get('Location')).toBeNull()
    expect(await rows('SELECT id FROM hold WHERE patient_id = ?', owner?.userId)).toHaveLength(1)
  })

  it.each([
    ['with its id', true],
    ['without', false],
  ] as const)(
    'passes into its owner’s booking %s, and is no other appointment’s afterwards',
    async (_, named) => {
      const doctor = await seedClinic()
      const [owner, other] = await seedUsers('patient', 2)
      const start = await openStart(doctor.userId)
      const { body: held } = await takeHold(owner, doctor.userId, start)
      const booked = await book(owner, doctor.userId, start, undefined, named ? { holdId: held.id } : {})
      expect([booked.status, booked.body.status]).toEqual([201, 'confirmed'])
      expect(await outcomeOf(held.id)).toEqual([{ outcome: 'booked' }])
      expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
      const again = await book(owner, doctor.userId, start, undefined, { holdId: held.id })
      expectProblem(again, 409, 'already-booked')
      expect(again.body.appointmentId).toBe(booked.body.id)
      const later = await openStart(doctor.userId, 5)
      expectProblem(
        await book(owner, doctor.userId, later, undefined, { holdId: held.id }),
        410,
        'hold-expired',
      )
      expect((await holdsOf(owner)).body.items).toEqual([])
      expect((await releaseHold(owner, held.id)).status).toBe(204)
      expect(
        (await call('GET', `/v1/appointments/${booked.body.id}`, { token: owner?.token ?? '' })).body.status,
      ).toBe('confirmed')
    },
  )

  it('is released: the slot is open at once, its id books nothing, and again is 204', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start)
    for (const time of ['first', 'second']) {
      const released = await releaseHold(owner, held.id)
      expect([released.status, released.body], time).toEqual([204, ''])
    }
    expect(await eventsOf(held.id)).toEqual(['hold.taken', 'hold.released'])
    expect(await isOpen(doctor.userId, start)).toBe(true)
    expectProblem(
      await book(owner, doctor.userId, start, undefined, { holdId: held.id }),
      410,
      'hold-expired',
    )
    expect((await book(other, doctor.userId, start)).status).toBe(201)
  })

  it('lapses after five minutes, to the millisecond, and blocks nobody and books nothing from then on', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start)
    const [row] = await rows<{ expires_at: number }>('SELECT expires_at FROM hold WHERE id = ?', held.id)
    const expiresAt = row?.expires_at ?? 0
    vi.useFakeTimers({ toFake: ['Date'], now: expiresAt - 1 })
    expect(await isOpen(doctor.userId, start)).toBe(false)
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
    expect((await holdsOf(owner)).body.items).toHaveLength(1)
    vi.setSystemTime(expiresAt)
    expect(await isOpen(doctor.userId, start)).toBe(true)
    expect((await holdsOf(owner)).body.items).toEqual([])
    const late = await book(owner, doctor.userId, start, undefined, { holdId: held.id })
    expectProblem(late, 410, 'hold-expired')
    expect(await outcomeOf(held.id)).toEqual([{ outcome: 'lapsed' }])
    expect((await releaseHold(owner, held.id)).status).toBe(204)
    expect((await book(other, doctor.userId, start)).status).toBe(201)
    expect(await eventsOf(held.id)).toEqual(['hold.taken', 'hold.lapsed'])
  })

  it('gives way to its owner’s next one that overlaps it; the id of the first books nothing', async () => {
    const doctor = await seedClinic({ slotMinutes: 15 })
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const next = await openStart(doctor.userId, 2)
    const first = await takeHold(owner, doctor.userId, start)
    const second = await takeHold(owner, doctor.userId, next)
    expect([second.status, second.body.start]).toEqual([201, next])
    expect(await outcomeOf(first.body.id)).toEqual([{ outcome: 'superseded' }])
    expect((await holdsOf(owner)).body.items.map(({ id }: { id: string }) => id)).toEqual([second.body.id])
    for (const at of [start, next]) {
      const late = await book(owner, doctor.userId, at, undefined, { holdId: first.body.id })
      expectProblem(late, 410, 'hold-expired')
    }
    expect((await book(owner, doctor.userId, next, undefined, { holdId: second.body.id })).status).toBe(201)
  })

  it('books what it holds and nothing else', async () => {
    const doctor = await seedClinic()
    const longer = await addVisitType(doctor, 60)
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start, undefined, { visitTypeId: longer })
    expect(Date.parse(held.end) - Date.parse(held.start)).toBe(3_600_000)
    await writingNothing(async () => {
      const later = await openStart(doctor.userId, 6)
      for (const [at, others] of [
        [later, {}],
        [start, { visitTypeId: doctor.visitTypeId }],
      ] as const) {
        const answer = await book(owner, doctor.userId, at, undefined, { holdId: held.id, ...others })
        expectProblem(answer, 422, 'hold-mismatch')
      }
    })
    const booked = await book(owner, doctor.userId, start, undefined, { holdId: held.id })
    expect([booked.status, booked.body.visitTypeId]).toEqual([201, longer])
  })

  it('is its owner’s alone: nobody else books with it, sees it or releases it', async () => {
    const doctor = await seedClinic()
    const elsewhere = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start)
    await writingNothing(async () => {
      const named = { holdId: held.id }
      expectProblem(await book(other, doctor.userId, start, undefined, named), 410, 'hold-expired')
      expectProblem(await book(owner, elsewhere.userId, start, undefined, named), 410, 'hold-expired')
      expectProblem(
        await book(owner, doctor.userId, start, undefined, { holdId: newId('hld') }),
        410,
        'hold-expired',
      )
      expectProblem(await releaseHold(other, held.id), 404, 'not-found')
    })
    expect((await holdsOf(other)).body.items).toEqual([])
    expect((await book(owner, doctor.userId, start, undefined, { holdId: held.id })).status).toBe(201)
  })

  it('passes into the booking that an administrator makes for its owner', async () => {
    const doctor = await seedClinic()
    const admin = await seedUser(env, 'admin')
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start)
    const others = { patientId: owner?.userId, holdId: held.id }
    const booked = await book(admin, doctor.userId, start, undefined, others)
    expect([booked.status, booked.body.patientId]).toEqual([201, owner?.userId])
    expect(await outcomeOf(held.id)).toEqual([{ outcome: 'booked' }])
  })

  it('survives the eviction of the object', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start, 'key-evicted')
    await evictDurableObject(calendarObject(doctor.userId))
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')
    const replayed = await takeHold(owner, doctor.userId, start, 'key-evicted')
    expect([replayed.status, replayed.body]).toEqual([201, held])
    await evictDurableObject(calendarObject(doctor.userId))
    expect((await book(owner, doctor.userId, start, undefined, { holdId: held.id })).status).toBe(201)
  })

  it('that lapsed while the object slept blocks nobody and books nothing', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const { body: held } = await takeHold(owner, doctor.userId, start)
    await evictDurableObject(calendarObject(doctor.userId))
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOLD_MS + 1000 })
    const late = await book(owner, doctor.userId, start, undefined, { holdId: held.id })
    expectProblem(late, 410, 'hold-expired')
    expect((await book(other, doctor.userId, start)).status).toBe(201)
  })
})

describe('At most two live holds', () => {
  it('but a third that takes the place of one of them', async () => {
    const doctor = await seedClinic({ slotMinutes: 15 })
    const [owner] = await seedUsers('patient', 1)
    const [first, overlapping, second, third] = await Promise.all(
      [1, 2, 8, 12].map((index) => openStart(doctor.userId, index)),
    )
    for (const start of [first, second, overlapping]) {
      expect((await takeHold(owner, doctor.userId, start ?? '')).status, start).toBe(201)
    }
    expectProblem(await takeHold(owner, doctor.userId, third ?? ''), 409, 'too-many-holds')
    const held = (await holdsOf(owner)).body.items.map(({ start }: { start: string }) => start)
    expect(held.sort()).toEqual([overlapping, second])
  })

  it('that a patient asked for, over all doctors: neither offers nor what is over count', async () => {
    const [one, two] = [await seedClinic(), await seedClinic()]
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(one.userId)
    const first = await takeHold(owner, one.userId, start)
    await rows(
      `INSERT INTO hold (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
         blocked_end_ms, origin, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?6, 'waitlist', ?7, ?8)`,
      newId('hld'),
      two.userId,
      owner?.userId,
      two.visitTypeId,
      Date.parse(start) + 86_400_000,
      Date.parse(start) + 88_200_000,
      Date.now(),
      Date.now() + 900_000,
    )
    const second = await takeHold(owner, two.userId, await openStart(two.userId, 3))
    expect([first.status, second.status]).toEqual([201, 201])
    expect((await holdsOf(owner, '?count=true')).body.total).toBe(3)
    for (const doctor of [one, two]) {
      const third = await openStart(doctor.userId, 8)
      await writingNothing(async () => {
        expectProblem(await takeHold(owner, doctor.userId, third), 409, 'too-many-holds')
      })
      expect(await isOpen(doctor.userId, third)).toBe(true)
    }
    expect((await releaseHold(owner, first.body.id)).status).toBe(204)
    const third = await takeHold(owner, one.userId, await openStart(one.userId, 8))
    expect(third.status).toBe(201)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(third.body.expiresAt) + 1000 })
    for (const doctor of [one, two]) {
      expect((await takeHold(owner, doctor.userId, await openStart(doctor.userId, 12))).status).toBe(201)
    }
  })
})

describe('One Idempotency-Key, one hold', () => {
  it('twins in flight share it', async () => {
    const doctor = await seedClinic()
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const held = holdBack()
    const batches = await injectFaults(doctor.userId, [held.fault])
    const taking = Array.from({ length: 8 }, () => takeHold(owner, doctor.userId, start, 'key-twins'))
    await held.arrived
    const other = await takeHold(owner, doctor.userId, await openStart(doctor.userId, 4), 'key-twins')
    expectProblem(other, 422, 'idempotency-key-reused')
    expect(batches()).toBe(1)
    held.release()
    const answers = await Promise.all(taking)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('Idempotency-Replayed') === 'true')).toHaveLength(7)
    expect(await rows('SELECT id FROM hold WHERE patient_id = ?', owner?.userId)).toHaveLength(1)
  })

  it('without a key, twins in flight are one hold all the same', async () => {
    const doctor = await seedClinic()
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const answers = await Promise.all(Array.from({ length: 5 }, () => takeHold(owner, doctor.userId, start)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201])
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  })

  it('is the first answer again after the hold has ended, and costs no attempt', async () => {
    const doctor = await seedClinic()
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const first = await takeHold(owner, doctor.userId, start, 'key-replay')
    await releaseHold(owner, first.body.id)
    for (let attempt = 0; attempt < 12; attempt++) {
      const again = await takeHold(owner, doctor.userId, start, 'key-replay')
      expect([again.status, again.body]).toEqual([201, first.body])
      expect(again.headers.get('Idempotency-Replayed')).toBe('true')
      expect(again.headers.get('RateLimit')).toBeNull()
    }
    expect((await holdsOf(owner)).body.items).toEqual([])
  })

  it('counts before all else: another body, doctor or address is 422, also for who holds two slots', async () => {
    const [doctor, elsewhere] = [await seedClinic(), await seedClinic()]
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    await takeHold(owner, doctor.userId, start, 'key-used')
    await takeHold(owner, doctor.userId, await openStart(doctor.userId, 4))
    await writingNothing(async () => {
      const free = await openStart(elsewhere.userId, 9)
      for (const answer of [
        await takeHold(owner, doctor.userId, free, 'key-used'),
        await takeHold(owner, elsewhere.userId, free, 'key-used'),
        await book(owner, elsewhere.userId, free, 'key-used'),
        await book(owner, doctor.userId, start, 'key-used'),
      ]) {
        expectProblem(answer, 422, 'idempotency-key-reused')
      }
      expect(await isOpen(elsewhere.userId, free)).toBe(true)
    })
  })
})

describe('GET /v1/holds', () => {
  it('lists the own live ones in pages, the first to end first', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const first = await takeHold(owner, doctor.userId, await openStart(doctor.userId))
    await takeHold(other, doctor.userId, await openStart(doctor.userId, 3))
    const second = await takeHold(owner, doctor.userId, await openStart(doctor.userId, 6))
    expect((await holdsOf(owner)).body).toEqual({ items: [first.body, second.body], nextCursor: null })
    const page = await holdsOf(owner, '?limit=1&count=true')
    expect(page.body).toEqual({ items: [first.body], nextCursor: expect.any(String), total: 2 })
    const rest = await holdsOf(owner, `?limit=1&cursor=${page.body.nextCursor}`)
    expect(rest.body).toEqual({ items: [second.body], nextCursor: null })
  })

  it('refuses what no list takes', async () => {
    const [owner] = await seedUsers('patient', 1)
    const cases: [string, string[]][] = [
      ['?limit=0', ['/limit']],
      ['?limit=101&count=yes', ['/limit', '/count']],
      ['?cursor=made-up', ['/cursor']],
      ['?cursor=', ['/cursor']],
      [`?cursor=${btoa('[1]')}`, ['/cursor']],
      ['?doctorId=x', ['/doctorId']],
    ]
    for (const [query, pointers] of cases) expectInvalid(await holdsOf(owner, query), pointers, query)
  })
})

describe('Costs', () => {
  it('of taking, seeing, releasing and booking with a hold', async () => {
    const doctor = await seedClinic()
    const [owner, other] = await seedUsers('patient', 2)
    const start = await openStart(doctor.userId)
    const taken = await costOf(() => takeHold(owner, doctor.userId, start, 'key-cost'))
    expect(taken.cost).toMatchObject({ status: 201, d1Batches: 1, kvReads: 0, objectCalls: 1 })
    expect(taken.cost.d1RowsRead).toBeLessThanOrEqual(MAX_HOLD_ROWS_READ)
    expect(taken.cost.d1RowsWritten).toBeLessThanOrEqual(MAX_HOLD_ROWS_WRITTEN)
    const same = await costOf(() => takeHold(owner, doctor.userId, start))
    expect(same.cost).toMatchObject({ status: 200, d1Batches: 1, objectCalls: 1 })
    const lost = await costOf(() => takeHold(other, doctor.userId, start))
    expect(lost.cost).toMatchObject({ status: 409, d1Batches: 0, objectCalls: 1 })
    const listed = await costOf(() => holdsOf(owner))
    expect(listed.cost).toMatchObject({ status: 200, d1Batches: 1, d1RowsWritten: 0, objectCalls: 0 })
    const released = await costOf(() => releaseHold(owner, taken.outcome.body.id))
    expect(released.cost).toMatchObject({ status: 204, d1Batches: 2, kvReads: 0, objectCalls: 1 })
    const again = await costOf(() => releaseHold(owner, taken.outcome.body.id))
    expect(again.cost).toMatchObject({ status: 204, d1Batches: 1, d1RowsWritten: 0, objectCalls: 0 })
    const { body } = await takeHold(owner, doctor.userId, start)
    const booked = await costOf(() => book(owner, doctor.userId, start, undefined, { holdId: body.id }))
    expect(booked.cost).toMatchObject({ status: 201, d1Batches: 1, kvReads: 0, objectCalls: 1 })
  })
})
