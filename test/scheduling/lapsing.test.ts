/** What time alone ends: at the very millisecond, by itself, once, and whatever D1 does meanwhile. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { HOLD_MS } from '#scheduling/core/hold'
import { type SeededUser, seedUsers } from '../support/accounts'
import {
  eventsOf,
  expectAgreement,
  expectListed,
  HALF_HOUR_MS,
  memoryOf,
  openStart,
  rows,
  seedClinic,
} from '../support/clinic'
import { addVisitType, answered, ask, calendarOf, codeOf, turnedTo } from '../support/commands'
import { calendarObject, failBefore, hold, injectFaults, loseAnswer } from '../support/faults'

afterEach(() => {
  vi.useRealTimers()
})

/** The clock, which the objects share with the test, stands still at this instant. */
const stopAt = (nowMs: number) => vi.useFakeTimers({ toFake: ['Date'], now: nowMs })

interface Scene {
  readonly doctor: SeededUser
  readonly patients: readonly [SeededUser, SeededUser, SeededUser, SeededUser, SeededUser, SeededUser]
  readonly startMs: number
}

async function set(schedule: object = { approval: 'manual' }): Promise<Scene> {
  const doctor = await seedClinic(schedule)
  const patients = (await seedUsers('patient', 6)) as unknown as Scene['patients']
  return { doctor, patients, startMs: Date.parse(await openStart(doctor.userId, 4)) }
}

const statusOf = async (id: string) =>
  (await rows<{ status: string }>('SELECT status FROM appointment WHERE id = ?', id))[0]?.status
/** When the alarm tries again what D1 has refused, and to load where D1 could not be reached; milliseconds. */
const OVERDUE_AGAIN_MS = 1000
const RELOAD_AFTER_MS = 5000
const alarmOf = (doctorId: string) =>
  runInDurableObject(calendarObject(doctorId), (_, state) => state.storage.getAlarm())

describe('at the very millisecond', () => {
  it.each([
    ['a millisecond before its end', -1, ['slot-taken', 'done']],
    ['at its end', 0, ['done', 'hold-expired']],
  ] as const)('%s, a hold is asked for by its owner and by another', async (_, offsetMs, codes) => {
    const { doctor, patients, startMs } = await set({})
    const [owner, other] = patients
    stopAt(Date.now())
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
    expect(held.expiresAt).toBe(Date.now() + HOLD_MS)
    vi.setSystemTime(held.expiresAt + offsetMs)
    const answers = await Promise.all([
      ask.book(other, doctor.userId, startMs),
      ask.book(owner, doctor.userId, startMs, { holdId: held.id }),
    ])
    expect(answers.map(codeOf)).toEqual(codes)
    await expectAgreement(doctor.userId)
  })

  it('an approval, a lapsing hold and bookings: nobody is approved, and all of it can be booked', async () => {
    const { doctor, patients, startMs } = await set()
    const [asking, owner, later, other, admirer] = patients
    const longer = await addVisitType(doctor, 60)
    stopAt(startMs - HOLD_MS)
    const { id } = answered(await ask.book(asking, doctor.userId, startMs, { visitTypeId: longer }))
    const elsewhere = startMs + 2 * HALF_HOUR_MS
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, elsewhere))
    vi.setSystemTime(startMs)
    expect(held.expiresAt).toBe(startMs)
    const inside = startMs + HALF_HOUR_MS
    const answers = await Promise.all([
      ask.act(doctor, doctor.userId, id, 'approve'),
      ask.book(later, doctor.userId, inside),
      ask.book(owner, doctor.userId, elsewhere, { holdId: held.id }),
      ask.book(other, doctor.userId, elsewhere),
      ask.hold(admirer, doctor.userId, elsewhere),
    ])
    expect(answers.map(codeOf)).toEqual(['illegal-transition', 'done', 'hold-expired', 'done', 'slot-taken'])
    expect(await eventsOf(id)).toEqual(['appointment.requested', 'appointment.rejected'])
    expect(await eventsOf(held.id)).toEqual(['hold.taken', 'hold.lapsed'])
    await expectAgreement(doctor.userId)
  })

  it('a millisecond before its start, a request is approved, and time then leaves it alone', async () => {
    const { doctor, patients, startMs } = await set()
    const { id } = answered(await ask.book(patients[0], doctor.userId, startMs))
    stopAt(startMs - 1)
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const approving = ask.act(doctor, doctor.userId, id, 'approve')
    await gate.arrived
    vi.setSystemTime(startMs)
    const waking = calendarObject(doctor.userId).wake()
    await turnedTo(doctor.userId)
    gate.release()
    expect(codeOf(await approving)).toBe('done')
    await waking
    expect(await statusOf(id)).toBe('confirmed')
    expect(await eventsOf(id)).toEqual(['appointment.requested', 'appointment.approved'])
    await expectAgreement(doctor.userId)
  })

  it('a booking with a hold that was sent in time is good, though D1 takes beyond its end', async () => {
    const { doctor, patients, startMs } = await set({})
    const [owner, other] = patients
    stopAt(Date.now())
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
    vi.setSystemTime(held.expiresAt - 1)
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const booking = ask.book(owner, doctor.userId, startMs, { holdId: held.id })
    await gate.arrived
    vi.setSystemTime(held.expiresAt + 1)
    const theirs = ask.book(other, doctor.userId, startMs)
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await booking), codeOf(await theirs)]).toEqual(['done', 'slot-taken'])
    expect(await eventsOf(held.id)).toEqual(['hold.taken'])
    await expectAgreement(doctor.userId)
  })

  it('a clock that goes back brings no hold back', async () => {
    const { doctor, patients, startMs } = await set({})
    stopAt(Date.now())
    const { hold: held } = answered(await ask.hold(patients[0], doctor.userId, startMs))
    vi.setSystemTime(held.expiresAt)
    expect((await memoryOf(doctor.userId)).busy).toEqual([])
    vi.setSystemTime(held.expiresAt - 1)
    const late = await ask.book(patients[0], doctor.userId, startMs, { holdId: held.id })
    expect(codeOf(late)).toBe('hold-expired')
  })
})

/** Three requests for one start after another and two holds; all overdue where the clock then stands. */
async function overdue() {
  const { doctor, patients, startMs } = await set()
  const requests: string[] = []
  for (const [index, patient] of patients.slice(0, 3).entries()) {
    const { id } = answered(await ask.book(patient, doctor.userId, startMs + index * HALF_HOUR_MS))
    requests.push(id)
  }
  const last = startMs + 2 * HALF_HOUR_MS
  stopAt(last - HOLD_MS)
  const holds: string[] = []
  for (const [index, patient] of patients.slice(3, 5).entries()) {
    const held = await ask.hold(patient, doctor.userId, last + (index + 1) * HALF_HOUR_MS)
    holds.push(answered(held).hold.id)
  }
  return { doctor, patients, requests, holds, last }
}

const LAPSED_REQUEST = ['appointment.requested', 'appointment.rejected']
const LAPSED_HOLD = ['hold.taken', 'hold.lapsed']

describe('by itself', () => {
  it('the alarm ends all that is overdue in one batch, each with one event, and KV shows it', async () => {
    const { doctor, patients, startMs } = await set()
    const [asking, another, owner] = patients
    const first = answered(await ask.book(asking, doctor.userId, startMs))
    const second = answered(await ask.book(another, doctor.userId, startMs + HALF_HOUR_MS))
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs + 4 * HALF_HOUR_MS))
    expect(await alarmOf(doctor.userId)).toBe(held.expiresAt)
    const batches = await injectFaults(doctor.userId, [])
    stopAt(startMs + HALF_HOUR_MS)
    expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
    expect(batches()).toBe(1)
    for (const { id } of [first, second]) expect(await eventsOf(id)).toEqual(LAPSED_REQUEST)
    expect(await eventsOf(held.id)).toEqual(LAPSED_HOLD)
    await expectAgreement(doctor.userId)
    expect((await memoryOf(doctor.userId)).busy).toEqual([])
    await expectListed(doctor.userId)
    expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(false)
  })

  it('alarm, cron and commands in one moment end it once', async () => {
    const { doctor, patients, requests, holds, last } = await overdue()
    vi.setSystemTime(last)
    const wake = () => calendarObject(doctor.userId).wake()
    await Promise.all([
      runDurableObjectAlarm(calendarObject(doctor.userId)),
      wake(),
      wake(),
      ask.book(patients[5], doctor.userId, last + HALF_HOUR_MS),
    ])
    for (const id of requests) expect(await eventsOf(id)).toEqual(LAPSED_REQUEST)
    for (const id of holds) expect(await eventsOf(id)).toEqual(LAPSED_HOLD)
    await expectAgreement(doctor.userId)
  })

  it('an object that slept through it ends it when it wakes', async () => {
    const { doctor, requests, holds, last } = await overdue()
    await evictDurableObject(calendarObject(doctor.userId))
    vi.setSystemTime(last + 48 * 2 * HALF_HOUR_MS)
    await calendarObject(doctor.userId).wake()
    for (const id of requests) expect(await eventsOf(id)).toEqual(LAPSED_REQUEST)
    for (const id of holds) expect(await eventsOf(id)).toEqual(LAPSED_HOLD)
  })

  it('D1 fails at the lapse: what requests block stays blocked, and the alarm tries again', async () => {
    const { doctor, patients, startMs } = await set()
    const longer = await addVisitType(doctor, 60)
    const { id } = answered(await ask.book(patients[0], doctor.userId, startMs, { visitTypeId: longer }))
    stopAt(startMs)
    await injectFaults(doctor.userId, [failBefore])
    const inside = startMs + HALF_HOUR_MS
    expect(codeOf(await ask.book(patients[1], doctor.userId, inside))).toBe('slot-taken')
    expect(await statusOf(id)).toBe('pending')
    // It may be approved no more, noted or not.
    await injectFaults(doctor.userId, [failBefore])
    expect(codeOf(await ask.act(doctor, doctor.userId, id, 'approve'))).toBe('illegal-transition')
    expect(await statusOf(id)).toBe('pending')
    await injectFaults(doctor.userId, [failBefore])
    expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
    expect(await statusOf(id)).toBe('pending')
    expect(await alarmOf(doctor.userId)).toBe(startMs + OVERDUE_AGAIN_MS)
    expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
    expect(await eventsOf(id)).toEqual(LAPSED_REQUEST)
    expect(codeOf(await ask.book(patients[2], doctor.userId, inside))).toBe('done')
    await expectAgreement(doctor.userId)
  })

  it('D1 cannot even be loaded from: 503, and the alarm that was set for it ends it', async () => {
    const { doctor, patients, requests, last } = await overdue()
    vi.setSystemTime(last)
    await injectFaults(doctor.userId, [failBefore, failBefore])
    expect(codeOf(await ask.book(patients[5], doctor.userId, last + HALF_HOUR_MS))).toBe('unavailable')
    await injectFaults(doctor.userId, [failBefore])
    expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
    expect(await alarmOf(doctor.userId)).toBe(last + RELOAD_AFTER_MS)
    expect(await runDurableObjectAlarm(calendarObject(doctor.userId))).toBe(true)
    for (const id of requests) expect(await eventsOf(id)).toEqual(LAPSED_REQUEST)
    await expectAgreement(doctor.userId)
  })

  it('the answer to the lapse is lost: it has happened once', async () => {
    const { doctor, patients, requests, holds, last } = await overdue()
    vi.setSystemTime(last)
    await injectFaults(doctor.userId, [loseAnswer])
    const booked = await ask.book(patients[5], doctor.userId, last + HALF_HOUR_MS)
    expect(codeOf(booked)).toBe('done')
    for (const id of requests) expect(await eventsOf(id)).toEqual(LAPSED_REQUEST)
    for (const id of holds) expect(await eventsOf(id)).toEqual(LAPSED_HOLD)
    await expectAgreement(doctor.userId)
  })

  it('a lapse under way: a hold that ends meanwhile, and a request cancelled meanwhile, end once', async () => {
    const { doctor, patients, requests, last } = await overdue()
    vi.setSystemTime(last)
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const waking = calendarOf(doctor.userId).wake()
    await gate.arrived
    const [first] = requests
    const cancelling = ask.act(patients[0], doctor.userId, first ?? '', 'cancel')
    await turnedTo(doctor.userId)
    gate.release()
    await waking
    expect(codeOf(await cancelling)).toBe('illegal-transition')
    expect(await eventsOf(first ?? '')).toEqual(LAPSED_REQUEST)
    await expectAgreement(doctor.userId)
  })
})
