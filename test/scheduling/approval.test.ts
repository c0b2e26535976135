/** Approving, and what else befalls an appointment in the same moment: D1, memory and events tell one story. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { AppointmentAction } from '#scheduling/core/appointment'
import { type SeededUser, seedUsers } from '../support/accounts'
import { endSession, eventsOf, expectAgreement, openStart, rows, seedClinic } from '../support/clinic'
import { answered, ask, codeOf, turnedTo } from '../support/commands'
import {
  abortObject,
  arriveLate,
  failBefore,
  hold,
  holdAnswer,
  injectFaults,
  inTurn,
  loseAnswer,
} from '../support/faults'

afterEach(() => {
  vi.useRealTimers()
})

/** The clock stands still from here on. */
const stopAt = (nowMs: number) => vi.useFakeTimers({ toFake: ['Date'], now: nowMs })

type Action = Exclude<AppointmentAction, 'reschedule'>

interface Scene {
  readonly doctor: SeededUser
  readonly patient: SeededUser
  readonly others: readonly [SeededUser, SeededUser, SeededUser]
  readonly id: string
  readonly startMs: number
}

/** A request that waits for approval, unless the doctor approves by themself. */
async function set(schedule: object = { approval: 'manual' }): Promise<Scene> {
  const doctor = await seedClinic(schedule)
  const [patient, ...others] = (await seedUsers('patient', 4)) as [SeededUser, ...Scene['others']]
  const startMs = Date.parse(await openStart(doctor.userId, 3))
  const { id } = answered(await ask.book(patient, doctor.userId, startMs))
  return { doctor, patient, others, id, startMs }
}

const rowOf = async (id: string) =>
  (
    await rows<{ status: string; version: number }>(
      'SELECT status, version FROM appointment WHERE id = ?',
      id,
    )
  )[0]

const epochOf = async ({ userId }: SeededUser) =>
  (await rows<{ epoch: number }>('SELECT epoch FROM calendar WHERE doctor_id = ?', userId))[0]?.epoch

/** Each of the pairs that may meet: from what state, the first, the second, and what that one hears. */
const PAIRS: readonly (readonly [
  from: 'pending' | 'confirmed',
  first: Action,
  second: Action,
  string,
  string,
])[] = [
  ['pending', 'approve', 'cancel', 'done', 'cancelled'],
  ['pending', 'cancel', 'approve', 'illegal-transition', 'cancelled'],
  ['pending', 'approve', 'reject', 'illegal-transition', 'confirmed'],
  ['pending', 'reject', 'approve', 'illegal-transition', 'rejected'],
  ['pending', 'reject', 'cancel', 'illegal-transition', 'rejected'],
  ['pending', 'approve', 'approve', 'illegal-transition', 'confirmed'],
  ['confirmed', 'start', 'no-show', 'illegal-transition', 'in-progress'],
  ['confirmed', 'no-show', 'start', 'illegal-transition', 'no-show'],
  ['confirmed', 'start', 'cancel', 'illegal-transition', 'in-progress'],
  ['confirmed', 'cancel', 'start', 'illegal-transition', 'cancelled'],
  ['confirmed', 'start', 'complete', 'done', 'completed'],
]

const EVENT: Record<Action, string> = {
  approve: 'appointment.approved',
  reject: 'appointment.rejected',
  cancel: 'appointment.cancelled',
  start: 'appointment.started',
  complete: 'appointment.completed',
  'no-show': 'appointment.no-show',
}

describe.each(PAIRS)('from %s, %s and %s in flight together', (from, first, second, code, status) => {
  const begin = async () => {
    const scene = await set({ approval: from === 'pending' ? 'manual' : 'auto' })
    if (from === 'confirmed') stopAt(scene.startMs)
    const by = (action: Action) => (action === 'cancel' && from === 'pending' ? scene.patient : scene.doctor)
    return { ...scene, act: (action: Action) => ask.act(by(action), scene.doctor.userId, scene.id, action) }
  }
  const born = from === 'pending' ? 'appointment.requested' : 'appointment.booked'
  const story = [born, EVENT[first], ...(code === 'done' ? [EVENT[second]] : [])]

  it.each([
    ['on its way', hold],
    ['done and its answer on its way', holdAnswer],
  ] as const)('the second comes while the first is %s', async (_, gateOf) => {
    const { doctor, id, act } = await begin()
    const before = await epochOf(doctor)
    const gate = gateOf()
    await injectFaults(doctor.userId, [gate.fault])
    const one = act(first)
    await gate.arrived
    const other = act(second)
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await one), codeOf(await other)]).toEqual(['done', code])
    expect(await eventsOf(id)).toEqual(story)
    expect(await rowOf(id)).toEqual({ status, version: story.length })
    // Nothing was tried that proved memory wrong.
    expect(await epochOf(doctor)).toBe(before)
    await expectAgreement(doctor.userId)
  })

  it('the first never arrives: the second happens as if it had never been asked', async () => {
    const { doctor, id, act } = await begin()
    const gate = hold()
    await injectFaults(doctor.userId, [inTurn(gate.fault, failBefore)])
    const one = act(first)
    await gate.arrived
    const other = act(second)
    await turnedTo(doctor.userId)
    gate.release()
    expect(codeOf(await one)).toBe('unavailable')
    const happened = codeOf(await other) === 'done'
    expect(happened).toBe(second !== 'complete')
    expect(await eventsOf(id)).toEqual([born, ...(happened ? [EVENT[second]] : [])])
    await expectAgreement(doctor.userId)
  })

  it('the answer to the first is lost: both hear what is so', async () => {
    const { doctor, id, act } = await begin()
    const gate = hold()
    await injectFaults(doctor.userId, [inTurn(gate.fault, loseAnswer)])
    const one = act(first)
    await gate.arrived
    const other = act(second)
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await one), codeOf(await other)]).toEqual(['done', code])
    expect(await eventsOf(id)).toEqual(story)
    expect((await rowOf(id))?.status).toBe(status)
    await expectAgreement(doctor.userId)
  })
})

it('twelve commands on one request at once: its events are one path through its states', async () => {
  const { doctor, patient, id } = await set()
  const actions = ['approve', 'reject', 'cancel', 'approve', 'cancel', 'reject'] as const
  const answers = await Promise.all(
    [...actions, ...actions].map((action) =>
      ask.act(action === 'cancel' ? patient : doctor, doctor.userId, id, action),
    ),
  )
  for (const answer of answers) expect(['done', 'illegal-transition']).toContain(codeOf(answer))
  const told = await eventsOf(id)
  expect([
    ['appointment.requested', 'appointment.approved', 'appointment.cancelled'],
    ['appointment.requested', 'appointment.cancelled'],
    ['appointment.requested', 'appointment.rejected'],
  ]).toContainEqual(told)
  const ends = { approved: 'confirmed', rejected: 'rejected', cancelled: 'cancelled' } as Record<
    string,
    string
  >
  expect(await rowOf(id)).toEqual({
    status: ends[told.at(-1)?.split('.')[1] ?? ''],
    version: told.length,
  })
  await expectAgreement(doctor.userId)
})

it('what a dead object sent late is refused by the fence, though the appointment still looks the same', async () => {
  const { doctor, id } = await set()
  const late = arriveLate()
  await injectFaults(doctor.userId, [late.fault])
  expect(codeOf(await ask.act(doctor, doctor.userId, id, 'approve'))).toBe('unavailable')
  await expect(late.arrive()).rejects.toThrow('stale-calendar')
  expect(await eventsOf(id)).toEqual(['appointment.requested'])
  expect(codeOf(await ask.act(doctor, doctor.userId, id, 'reject'))).toBe('done')
})

it('a session that ended while the approval was on its way approves nothing', async () => {
  const { doctor, patient, id } = await set()
  const before = await epochOf(doctor)
  const gate = hold()
  await injectFaults(doctor.userId, [gate.fault])
  const approving = ask.act(doctor, doctor.userId, id, 'approve')
  await gate.arrived
  await endSession(doctor)
  gate.release()
  expect(codeOf(await approving)).toBe('session-ended')
  expect(await rowOf(id)).toEqual({ status: 'pending', version: 1 })
  expect(codeOf(await ask.act(patient, doctor.userId, id, 'cancel'))).toBe('done')
  // Memory never thought it approved: nothing had to be decided anew.
  expect(await epochOf(doctor)).toBe(before)
  await expectAgreement(doctor.userId)
})

it('an object that dies after D1 has approved knows of it when it comes back', async () => {
  const { doctor, id } = await set()
  const gate = holdAnswer()
  await injectFaults(doctor.userId, [gate.fault])
  const approving = ask.act(doctor, doctor.userId, id, 'approve').catch(() => undefined)
  await gate.arrived
  await abortObject(doctor.userId)
  await approving
  const again = await ask.act(doctor, doctor.userId, id, 'approve')
  expect(again.ok || again.refusal.evidence).toEqual({ from: 'confirmed', allowed: expect.any(Array) })
  expect(await eventsOf(id)).toEqual(['appointment.requested', 'appointment.approved'])
})
