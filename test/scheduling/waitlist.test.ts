/** The waiting list: who gets time that becomes free, when it passes on, and what ends the waiting. */
import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OFFER_MS } from '#scheduling/core/hold'
import { type SeededUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import {
  bookPast,
  eventsOf,
  expectAgreement,
  expectListed,
  HALF_HOUR_MS,
  isOpen,
  openStart,
  rows,
  seedClinic,
} from '../support/clinic'
import { addVisitType, answered, ask, codeOf } from '../support/commands'
import { calendarObject, injectFaults } from '../support/faults'

afterEach(() => {
  vi.useRealTimers()
})

const stopAt = (nowMs: number) => vi.useFakeTimers({ toFake: ['Date'], now: nowMs })

const HOUR_MS = 2 * HALF_HOUR_MS
const DAY_MS = 24 * HOUR_MS

interface Scene {
  readonly doctor: SeededUser
  readonly owner: SeededUser
  readonly waiting: readonly [SeededUser, SeededUser, SeededUser]
  readonly outsider: SeededUser
  readonly startMs: number
  readonly appointmentId: string
}

/** An appointment that can be cancelled, and patients who could wait for its time. */
async function set(schedule: object = {}): Promise<Scene> {
  const doctor = await seedClinic(schedule)
  const [owner, outsider, ...waiting] = (await seedUsers('patient', 5)) as unknown as [
    SeededUser,
    SeededUser,
    ...Scene['waiting'],
  ]
  const startMs = Date.parse(await openStart(doctor.userId, 4))
  const { id } = answered(await ask.book(owner, doctor.userId, startMs))
  return { doctor, owner, outsider, waiting, startMs, appointmentId: id }
}

/** Waits for the very half hour of the scene, unless said otherwise; the id of the entry. */
const join = async ({ doctor, startMs }: Scene, patient: SeededUser, toMs = startMs + HALF_HOUR_MS) =>
  answered(await ask.join(patient, doctor.userId, startMs, toMs)).id

/** They come one after another: the line is in the order of its milliseconds. */
async function joinAll(scene: Scene): Promise<string[]> {
  const ids: string[] = []
  for (const patient of scene.waiting) ids.push(await join(scene, patient))
  return ids
}

const cancel = ({ owner, doctor, appointmentId }: Scene) =>
  ask.act(owner, doctor.userId, appointmentId, 'cancel')

interface OfferRow {
  readonly id: string
  readonly start_ms: number
  readonly created_at: number
  readonly expires_at: number
}

const offersOf = ({ userId }: SeededUser) =>
  rows<OfferRow>(
    `SELECT id, start_ms, created_at, expires_at FROM hold
     WHERE patient_id = ? AND origin = 'waitlist' AND ended_at IS NULL ORDER BY start_ms`,
    userId,
  )

const offered = async (patients: readonly SeededUser[]): Promise<boolean[]> =>
  (await Promise.all(patients.map(offersOf))).map(({ length }) => length > 0)

const outcomeOf = async (entryId: string) =>
  (await rows<{ outcome: string | null }>('SELECT outcome FROM waitlist WHERE id = ?', entryId))[0]?.outcome

describe('time that is freed', () => {
  it('by a cancellation is held for the first in the line, in the batch that cancels', async () => {
    const scene = await set()
    const { doctor, waiting, outsider, startMs, appointmentId } = scene
    const [first] = await joinAll(scene)
    const batches = await injectFaults(doctor.userId, [])
    expect(codeOf(await cancel(scene))).toBe('done')
    // One that asks who is busy elsewhere, and the one that writes.
    expect(batches()).toBe(2)
    const [offer] = await offersOf(waiting[0])
    expect(offer).toMatchObject({ start_ms: startMs })
    expect((offer?.expires_at ?? 0) - (offer?.created_at ?? 0)).toBe(OFFER_MS)
    expect(await offered(waiting)).toEqual([true, false, false])
    expect(await eventsOf(first ?? '')).toEqual(['waitlist.joined', 'waitlist.offered'])
    expect(await eventsOf(appointmentId)).toEqual(['appointment.booked', 'appointment.cancelled'])
    expect(codeOf(await ask.book(outsider, doctor.userId, startMs))).toBe('slot-taken')
    await expectAgreement(doctor.userId)
    await expectListed(doctor.userId)
    const booked = await ask.book(waiting[0], doctor.userId, startMs, { holdId: offer?.id ?? '' })
    expect(codeOf(booked)).toBe('done')
    expect(await outcomeOf(first ?? '')).toBe('booked')
    await expectAgreement(doctor.userId)
  })

  it('by a rejection, a move, a released hold and withdrawn time off as well', async () => {
    const doctor = await seedClinic({ approval: 'manual' })
    const [owner, ...waiting] = (await seedUsers('patient', 5)) as [SeededUser, ...SeededUser[]]
    const startMs = Date.parse(await openStart(doctor.userId, 4))
    const at = (index: number) => startMs + index * HOUR_MS
    const wait = (index: number) =>
      ask.join(waiting[index] as SeededUser, doctor.userId, at(index), at(index) + HALF_HOUR_MS)
    const rejected = answered(await ask.book(owner, doctor.userId, at(0)))
    const moved = answered(await ask.book(owner, doctor.userId, at(1)))
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, at(2)))
    const off = answered(await ask.timeOff(doctor, at(3), at(4)))
    for (const index of [0, 1, 2, 3]) expect(codeOf(await wait(index))).toBe('done')
    expect(codeOf(await ask.act(doctor, doctor.userId, rejected.id, 'reject'))).toBe('done')
    expect(codeOf(await ask.move(owner, doctor.userId, moved.id, at(8)))).toBe('done')
    expect(codeOf(await ask.release(owner, doctor.userId, held.id))).toBe('done')
    expect(codeOf(await ask.withdraw(doctor, off.id))).toBe('done')
    const starts = await Promise.all(waiting.map(offersOf))
    expect(starts.map(([offer]) => offer?.start_ms)).toEqual([at(0), at(1), at(2), at(3)])
    await expectAgreement(doctor.userId)
  })

  it('serves as many as it holds, each with a slot of their visit type', async () => {
    const doctor = await seedClinic()
    const [one, two, three] = (await seedUsers('patient', 3)) as [SeededUser, SeededUser, SeededUser]
    const longer = await addVisitType(doctor, 60)
    const startMs = Date.parse(await openStart(doctor.userId, 4))
    const off = answered(await ask.timeOff(doctor, startMs, startMs + 2 * HOUR_MS))
    const wait = (patient: SeededUser, visitTypeId: string) =>
      ask.join(patient, doctor.userId, startMs, startMs + 2 * HOUR_MS, { visitTypeId })
    await wait(one, longer)
    await wait(two, doctor.visitTypeId)
    await wait(three, longer)
    await ask.withdraw(doctor, off.id)
    const starts = (await Promise.all([one, two, three].map(offersOf))).map(([offer]) => offer?.start_ms)
    // An hour for the third would end beyond what they wait for.
    expect(starts).toEqual([startMs, startMs + HOUR_MS, undefined])
    await expectAgreement(doctor.userId)
  })

  it('is open to all at once where nobody waits for it, and costs one round trip', async () => {
    const scene = await set()
    const { doctor, waiting, startMs } = scene
    await ask.join(waiting[0], doctor.userId, startMs + DAY_MS, startMs + 2 * DAY_MS)
    const batches = await injectFaults(doctor.userId, [])
    await cancel(scene)
    expect(batches()).toBe(1)
    expect(await offersOf(waiting[0])).toEqual([])
    expect(await isOpen(doctor.userId, new Date(startMs).toISOString().replace('.000', ''))).toBe(true)
  })

  it('is not offered to who gave it up', async () => {
    const scene = await set()
    const { doctor, owner, startMs } = scene
    await join(scene, owner)
    await cancel(scene)
    expect(await offersOf(owner)).toEqual([])
    expect(codeOf(await ask.book(scene.outsider, doctor.userId, startMs))).toBe('done')
  })

  it('skips who is busy with another doctor then', async () => {
    const scene = await set()
    await joinAll(scene)
    await bookPast(await seedClinic(), scene.waiting[0], scene.startMs)
    await cancel(scene)
    expect(await offered(scene.waiting)).toEqual([false, true, false])
    await expectAgreement(scene.doctor.userId)
  })

  it('skips who has become busy since D1 was asked: the cancellation is not lost', async () => {
    const scene = await set()
    const { doctor, waiting, startMs } = scene
    const elsewhere = await seedClinic()
    await joinAll(scene)
    await injectFaults(doctor.userId, [
      async (deliver) => {
        const read = await deliver()
        await bookPast(elsewhere, waiting[0], startMs)
        return read
      },
    ])
    expect(codeOf(await cancel(scene))).toBe('done')
    expect(await offered(waiting)).toEqual([false, true, false])
    await expectAgreement(doctor.userId)
  })

  it('frees without offers where every patient becomes busy in turn', async () => {
    const scene = await set()
    const { doctor, waiting, startMs } = scene
    await joinAll(scene)
    const elsewhere = await Promise.all(waiting.map(() => seedClinic()))
    let taken = 0
    const busyNext = async (deliver: () => Promise<D1Result[]>) => {
      const read = await deliver()
      const at = taken++
      await bookPast(elsewhere[at] as SeededUser, waiting[at], startMs)
      return read
    }
    const fine = (deliver: () => Promise<D1Result[]>) => deliver()
    await injectFaults(doctor.userId, [busyNext, fine, busyNext, fine])
    expect(codeOf(await cancel(scene))).toBe('done')
    expect(await offered(waiting)).toEqual([false, false, false])
    await expectAgreement(doctor.userId)
  })

  it('skips who has an offer already, here or with another doctor, and who may no longer sign in', async () => {
    const scene = await set()
    const { doctor, waiting, startMs } = scene
    const [here, suspended, elsewhere] = waiting
    const fourth = (await seedUsers('patient', 1))[0] as SeededUser
    const second = answered(await ask.book(scene.outsider, doctor.userId, startMs + HALF_HOUR_MS))
    const toMs = startMs + HOUR_MS
    await join(scene, here, toMs)
    await cancel(scene)
    expect(await offered(waiting)).toEqual([true, false, false])
    const other = await set()
    await join(other, elsewhere)
    await cancel(other)
    for (const patient of [suspended, elsewhere, fourth]) await join(scene, patient, toMs)
    await rows(`UPDATE user SET status = 'suspended', version = version + 1 WHERE id = ?`, suspended.userId)
    await ask.act(scene.outsider, doctor.userId, second.id, 'cancel')
    expect((await offersOf(here)).length).toBe(1)
    expect((await offersOf(elsewhere)).length).toBe(1)
    expect(await offered([suspended, fourth])).toEqual([false, true])
    await expectAgreement(doctor.userId)
  })
})

describe('an offer', () => {
  it('passes on when it lapses, to each once, and then its time is open', async () => {
    const scene = await set()
    const { doctor, waiting, outsider, startMs } = scene
    stopAt(Date.now())
    for (const patient of waiting) {
      await join(scene, patient)
      vi.setSystemTime(Date.now() + 1)
    }
    await cancel(scene)
    for (const [index, patient] of waiting.entries()) {
      expect(await offered(waiting)).toEqual([0, 1, 2].map((at) => at === index))
      const [offer] = await offersOf(patient)
      vi.setSystemTime(offer?.expires_at ?? 0)
      // Whoever comes at the very millisecond comes too late while somebody waits.
      const late = await ask.book(outsider, doctor.userId, startMs)
      expect(codeOf(late)).toBe(index < 2 ? 'slot-taken' : 'done')
      await expectAgreement(doctor.userId)
    }
    expect(await offered(waiting)).toEqual([false, false, false])
  })

  it('that is released passes on at once; who let it pass is last the next time', async () => {
    const scene = await set()
    const { doctor, waiting, startMs } = scene
    await joinAll(scene)
    await cancel(scene)
    const [offer] = await offersOf(waiting[0])
    await ask.release(waiting[0], doctor.userId, offer?.id ?? '')
    expect(await offered(waiting)).toEqual([false, true, false])
    const [second] = await offersOf(waiting[1])
    const { id } = answered(await ask.book(waiting[1], doctor.userId, startMs, { holdId: second?.id ?? '' }))
    await ask.act(waiting[1], doctor.userId, id, 'cancel')
    expect(await offered(waiting)).toEqual([false, false, true])
    const [third] = await offersOf(waiting[2])
    await ask.release(waiting[2], doctor.userId, third?.id ?? '')
    expect(await offered(waiting)).toEqual([true, false, false])
    await expectAgreement(doctor.userId)
  })

  it('passes on by itself, when the alarm rings', async () => {
    const scene = await set()
    await joinAll(scene)
    await cancel(scene)
    const [offer] = await offersOf(scene.waiting[0])
    stopAt(offer?.expires_at ?? 0)
    expect(await runDurableObjectAlarm(calendarObject(scene.doctor.userId))).toBe(true)
    expect(await offered(scene.waiting)).toEqual([false, true, false])
    await expectAgreement(scene.doctor.userId)
  })
})

describe('a lapsed hold of a patient', () => {
  it('passes to who waits for its time, and to nobody else meanwhile', async () => {
    const { doctor, waiting, outsider, startMs } = await set()
    const freeMs = startMs + HOUR_MS
    const { hold } = answered(await ask.hold(outsider, doctor.userId, freeMs))
    await ask.join(waiting[0], doctor.userId, freeMs, freeMs + HALF_HOUR_MS)
    stopAt(hold.expiresAt)
    const codes = await Promise.all([
      ask.book(waiting[1], doctor.userId, freeMs),
      ask.book(outsider, doctor.userId, freeMs, { holdId: hold.id }),
    ])
    expect(codes.map(codeOf)).toEqual(['slot-taken', 'hold-expired'])
    expect((await offersOf(waiting[0]))[0]?.start_ms).toBe(freeMs)
    await expectAgreement(doctor.userId)
  })
})

describe('waiting', () => {
  it('ends when its time is over', async () => {
    const scene = await set()
    const id = await join(scene, scene.waiting[0])
    stopAt(scene.startMs + HALF_HOUR_MS)
    await calendarObject(scene.doctor.userId).wake()
    expect(await outcomeOf(id)).toBe('expired')
    expect(await eventsOf(id)).toEqual(['waitlist.joined', 'waitlist.expired'])
  })

  it('expires in the batch in which its own offer lapses', async () => {
    const scene = await set({ slotMinutes: 5 })
    const id = await join(scene, scene.waiting[0])
    await cancel(scene)
    stopAt(scene.startMs + DAY_MS)
    expect(codeOf(await ask.book(scene.outsider, scene.doctor.userId, scene.startMs + 2 * DAY_MS))).toBe(
      'done',
    )
    expect(await outcomeOf(id)).toBe('expired')
    expect(await offersOf(scene.waiting[0])).toEqual([])
    await expectAgreement(scene.doctor.userId)
  })

  it('once for the same: a second wish that overlaps it is told of the first', async () => {
    const scene = await set()
    const { doctor, waiting, startMs } = scene
    const [patient] = waiting
    const twins = await Promise.all(
      [1, 2].map(() => ask.join(patient, doctor.userId, startMs, startMs + HOUR_MS)),
    )
    expect(twins.map(codeOf)).toEqual(['done', 'already-waiting'])
    const visitTypeId = await addVisitType(doctor, 60)
    const other = await ask.join(patient, doctor.userId, startMs, startMs + HOUR_MS, { visitTypeId })
    expect(codeOf(other)).toBe('done')
    expect(codeOf(await ask.join(patient, doctor.userId, startMs + HOUR_MS, startMs + 2 * HOUR_MS))).toBe(
      'done',
    )
  })

  it('for at most twenty things at once, over all doctors', async () => {
    const [one, two] = [await seedClinic(), await seedClinic()]
    const patient = (await seedUsers('patient', 1))[0] as SeededUser
    const fromMs = Date.now() + DAY_MS
    const wait = (doctor: SeededUser, at: number) =>
      ask.join(patient, doctor.userId, fromMs + at * HOUR_MS, fromMs + (at + 1) * HOUR_MS)
    for (let at = 0; at < 20; at++) expect(codeOf(await wait(one, at))).toBe('done')
    expect(codeOf(await wait(two, 0))).toBe('too-many-waiting')
    await expectAgreement(two.userId)
  })
})

describe('/v1/waitlist', () => {
  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().replace(/\.\d+/, '')

  it('joins, lists and leaves; the same key is one entry', async () => {
    const { doctor, waiting } = await set()
    const [{ token }, other] = waiting
    const body = { doctorId: doctor.userId, from: inDays(1), to: inDays(3) }
    const send = () => call('POST', '/v1/waitlist', { token, body, headers: { 'Idempotency-Key': 'wait-1' } })
    const joined = await send()
    expect(joined.status).toBe(201)
    expect(joined.body).toMatchObject({ ...body, visitTypeId: null, holdId: null })
    expect(joined.headers.get('Location')).toBe(`/v1/waitlist/${joined.body.id}`)
    const again = await send()
    expect(again.headers.get('Idempotency-Replayed')).toBe('true')
    expect(again.body).toEqual(joined.body)
    const same = await call('POST', '/v1/waitlist', { token, body })
    expect(same).toMatchObject({ status: 409, body: { code: 'already-waiting', waitlistId: joined.body.id } })
    const list = () => call('GET', '/v1/waitlist?count=true', { token })
    expect((await list()).body).toMatchObject({ items: [joined.body], total: 1 })
    const leave = (by: SeededUser | { token: string }) =>
      call('DELETE', `/v1/waitlist/${joined.body.id}`, { token: by.token })
    expect((await leave(other)).status).toBe(404)
    expect((await leave({ token })).status).toBe(204)
    expect((await leave({ token })).status).toBe(204)
    expect((await list()).body.items).toEqual([])
    expect(await eventsOf(joined.body.id)).toEqual(['waitlist.joined', 'waitlist.left'])
    expect(await outcomeOf(joined.body.id)).toBe('left')
  })

  it.each([
    ['ends where it begins', { to: inDays(1), from: inDays(1) }, 400, 'validation-failed'],
    ['ends before it begins', { to: inDays(1) }, 400, 'validation-failed'],
    ['has no offset', { from: '2030-01-01T10:00:00' }, 400, 'validation-failed'],
    ['has a member too many', { notes: 'Please' }, 400, 'validation-failed'],
    ['is over', { from: inDays(-2), to: inDays(-1) }, 422, 'waiting-in-past'],
    ['is too long', { to: inDays(65) }, 422, 'range-too-long'],
    ['names nobody', { doctorId: 'usr_nobody' }, 404, 'doctor-not-found'],
    ['names no visit type', { visitTypeId: 'vis_none' }, 404, 'visit-type-not-found'],
  ])('refuses a wish that %s', async (_, wrong, status, code) => {
    const { doctor, waiting } = await set()
    const body = { doctorId: doctor.userId, from: inDays(2), to: inDays(3), ...wrong }
    const said = await call('POST', '/v1/waitlist', { token: waiting[0].token, body })
    expect(said).toMatchObject({ status, body: { code } })
  })

  it('shows the offer, and the hold says where it comes from', async () => {
    const scene = await set()
    await join(scene, scene.waiting[0])
    await cancel(scene)
    const { token } = scene.waiting[0]
    const [entry] = (await call('GET', '/v1/waitlist', { token })).body.items
    const [held] = (await call('GET', '/v1/holds', { token })).body.items
    expect(held).toMatchObject({ id: entry.holdId, origin: 'waitlist', doctorId: scene.doctor.userId })
  })
})
