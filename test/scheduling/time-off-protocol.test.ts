/** Time off and whatever lands in its range in the same moment: that is either among the affected, or refused. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newId } from '#db/id'
import type { OnConflict } from '#scheduling/take-time-off'
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
import { answered, ask, codeOf, turnedTo } from '../support/commands'
import { FATES, meet } from '../support/fates'
import {
  arriveLate,
  calendarObject,
  deliver,
  type Fault,
  failBefore,
  type Gate,
  hold,
  holdAnswer,
  injectFaults,
  inTurn,
  loseAnswer,
} from '../support/faults'

afterEach(() => {
  vi.useRealTimers()
})

interface Scene {
  readonly doctor: SeededUser
  readonly patient: SeededUser
  readonly others: readonly [SeededUser, SeededUser, SeededUser]
  /** The time off: four slots from here on. */
  readonly startMs: number
  readonly endMs: number
}

async function set(): Promise<Scene> {
  const doctor = await seedClinic()
  const [patient, ...others] = (await seedUsers('patient', 4)) as [SeededUser, ...Scene['others']]
  const startMs = Date.parse(await openStart(doctor.userId, 6))
  return { doctor, patient, others, startMs, endMs: startMs + 4 * HALF_HOUR_MS }
}

/** Milliseconds after which a call of D1 counts as failed. */
const D1_TIMEOUT_MS = 10_000

type Answer = Parameters<typeof codeOf>[0]

const reasonsOf = (answer: Answer) => (answer.ok ? 'done' : answer.refusal.evidence.reasons)

/** Time off that waits for what is on its way has taken its range already. */
async function untilTaken(doctorId: string): Promise<void> {
  while ((await memoryOf(doctorId)).timeOff.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 1))
}

const statusOf = async (id: string) =>
  (await rows<{ status: string }>('SELECT status FROM appointment WHERE id = ?', id))[0]?.status

/** What becomes of the batch that lands in the range. */
const LANDINGS: readonly (readonly [string, () => Gate, Fault, boolean])[] = [
  ['arrives late', hold, deliver, true],
  ['is done and answered late', holdAnswer, deliver, true],
  ['is done and its answer lost', hold, loseAnswer, true],
  ['never arrives', hold, failBefore, false],
]

describe.each(LANDINGS)('taken while a batch is under way that %s', (_, gateOf, then, lands) => {
  it.each(['keep', 'cancel'] as const)(
    'a booking there is affected or never was (%s)',
    async (onConflict) => {
      const { doctor, patient, others, startMs, endMs } = await set()
      const gate = gateOf()
      const batches = await injectFaults(doctor.userId, [inTurn(gate.fault, then)])
      const appointmentId = newId('apt')
      const booking = ask.book(patient, doctor.userId, startMs, { appointmentId })
      await gate.arrived
      const taking = ask.timeOff(doctor, startMs, endMs, { onConflict })
      await untilTaken(doctor.userId)
      // Whoever comes now is too late, and so is whoever would hold or move there.
      expect(reasonsOf(await ask.book(others[0], doctor.userId, endMs - HALF_HOUR_MS))).toEqual(['time-off'])
      expect(reasonsOf(await ask.hold(others[1], doctor.userId, endMs - HALF_HOUR_MS))).toEqual(['time-off'])
      expect(batches()).toBe(1)
      gate.release()
      expect(codeOf(await booking)).toBe(lands ? 'done' : 'unavailable')
      const { affected } = answered(await taking)
      const status = onConflict === 'keep' ? 'confirmed' : 'cancelled'
      expect(affected.map((one) => [one.id, one.status])).toEqual(lands ? [[appointmentId, status]] : [])
      expect(await statusOf(appointmentId)).toBe(lands ? status : undefined)
      expect(await eventsOf(appointmentId)).toEqual(
        lands ? ['appointment.booked', ...(onConflict === 'keep' ? [] : ['appointment.cancelled'])] : [],
      )
      await expectAgreement(doctor.userId)
    },
  )

  it('a hold there ends with it, or never was', async () => {
    const { doctor, patient, startMs, endMs } = await set()
    const gate = gateOf()
    await injectFaults(doctor.userId, [inTurn(gate.fault, then)])
    const holdId = newId('hld')
    const holding = ask.hold(patient, doctor.userId, startMs, { holdId })
    await gate.arrived
    const taking = ask.timeOff(doctor, startMs, endMs)
    await untilTaken(doctor.userId)
    gate.release()
    expect(codeOf(await holding)).toBe(lands ? 'done' : 'unavailable')
    expect(codeOf(await taking)).toBe('done')
    expect(await eventsOf(holdId)).toEqual(lands ? ['hold.taken', 'hold.withdrawn'] : [])
    const booking = await ask.book(patient, doctor.userId, startMs, { holdId })
    expect(codeOf(booking)).toBe('hold-expired')
    await expectAgreement(doctor.userId)
  })

  it.each([
    ['into', true],
    ['out of', false],
  ] as const)('a move %s the range is decided first', async (_direction, into) => {
    const { doctor, patient, startMs, endMs } = await set()
    const [from, to] = into ? [endMs, startMs] : [startMs, endMs]
    const { id } = answered(await ask.book(patient, doctor.userId, from))
    const gate = gateOf()
    await injectFaults(doctor.userId, [inTurn(gate.fault, then)])
    const moving = ask.move(patient, doctor.userId, id, to)
    await gate.arrived
    const taking = ask.timeOff(doctor, startMs, endMs, { onConflict: 'cancel' })
    await untilTaken(doctor.userId)
    gate.release()
    expect(codeOf(await moving)).toBe(lands ? 'done' : 'unavailable')
    const { affected } = answered(await taking)
    const isInside = lands === into
    expect(affected.map((one) => one.id)).toEqual(isInside ? [id] : [])
    expect(await statusOf(id)).toBe(isInside ? 'cancelled' : 'confirmed')
    await expectAgreement(doctor.userId)
  })
})

describe.each(FATES)('time off whose batch $name', (fate) => {
  const { happens } = fate

  it('happens with all it ends, or not at all', async () => {
    const { doctor, patient, others, startMs, endMs } = await set()
    const { id } = answered(await ask.book(patient, doctor.userId, startMs))
    const { hold: held } = answered(await ask.hold(others[0], doctor.userId, startMs + HALF_HOUR_MS))
    const timeOffId = newId('tof')
    const timeOff = { id: timeOffId, startMs, endMs, reason: 'Away' }
    const onConflict: OnConflict = 'cancel'
    const take = () => ask.timeOff(doctor, startMs, endMs, { timeOff, onConflict })
    const free = startMs + 2 * HALF_HOUR_MS
    const answer = await meet(fate, doctor.userId, doctor, take, async (batches) => {
      expect(reasonsOf(await ask.book(others[1], doctor.userId, free))).toEqual(['time-off'])
      // What it is about to cancel keeps its place until D1 has agreed.
      expect((await memoryOf(doctor.userId)).busy).toHaveLength(2)
      expect(batches()).toBe(1)
    })
    if (answer?.ok) expect(answer.value).toMatchObject({ affected: [{ id, status: 'cancelled' }] })
    expect(await statusOf(id)).toBe(happens ? 'cancelled' : 'confirmed')
    expect(await eventsOf(timeOffId)).toEqual(happens ? ['time-off.taken'] : [])
    expect(await eventsOf(held.id)).toEqual(['hold.taken', ...(happens ? ['hold.withdrawn'] : [])])
    expect(reasonsOf(await ask.book(others[2], doctor.userId, free))).toEqual(happens ? ['time-off'] : 'done')
    await expectListed(doctor.userId)
  })

  it('withdrawn in such a batch, closes its range until D1 has agreed', async () => {
    const { doctor, others, startMs, endMs } = await set()
    const { id } = answered(await ask.timeOff(doctor, startMs, endMs))
    await meet(
      fate,
      doctor.userId,
      doctor,
      () => ask.withdraw(doctor, id),
      async (batches) => {
        expect(reasonsOf(await ask.book(others[0], doctor.userId, startMs))).toEqual(['time-off'])
        expect(batches()).toBe(1)
      },
    )
    expect(await eventsOf(id)).toEqual(['time-off.taken', ...(happens ? ['time-off.withdrawn'] : [])])
    expect(reasonsOf(await ask.book(others[1], doctor.userId, startMs))).toEqual(
      happens ? 'done' : ['time-off'],
    )
  })
})

it('time off that arrives late is refused whole by the fence', async () => {
  const { doctor, patient, startMs, endMs } = await set()
  const { id } = answered(await ask.book(patient, doctor.userId, startMs))
  const late = arriveLate()
  await injectFaults(doctor.userId, [late.fault])
  const taking = await ask.timeOff(doctor, startMs, endMs, { onConflict: 'cancel' })
  expect(codeOf(taking)).toBe('unavailable')
  await expect(late.arrive()).rejects.toThrow('stale-calendar')
  expect(await statusOf(id)).toBe('confirmed')
  await expectAgreement(doctor.userId)
})

it('time off that D1 never answers: 503 after ten seconds, and what D1 does of it later is nothing', async () => {
  const { doctor, patient, others, startMs, endMs } = await set()
  const { id } = answered(await ask.book(patient, doctor.userId, startMs))
  const gate = hold()
  const refused = vi.fn()
  await injectFaults(doctor.userId, [(deliverNow) => gate.fault(() => deliverNow().finally(refused))])
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const taking = ask.timeOff(doctor, startMs, endMs, { onConflict: 'cancel' })
  await turnedTo(doctor.userId)
  // Within the object, for the timer is its own.
  await runInDurableObject(calendarObject(doctor.userId), () => vi.advanceTimersByTime(D1_TIMEOUT_MS))
  vi.useRealTimers()
  expect(codeOf(await taking)).toBe('unavailable')
  gate.release()
  await vi.waitFor(() => expect(refused).toHaveBeenCalled())
  expect(await statusOf(id)).toBe('confirmed')
  expect(codeOf(await ask.book(others[0], doctor.userId, endMs - HALF_HOUR_MS))).toBe('done')
  await expectAgreement(doctor.userId)
})

it('while D1 cannot be reached at all: 503, and nothing is closed when it comes back', async () => {
  const { doctor, patient, startMs, endMs } = await set()
  await injectFaults(doctor.userId, [failBefore, failBefore, failBefore])
  expect(codeOf(await ask.timeOff(doctor, startMs, endMs))).toBe('unavailable')
  expect(codeOf(await ask.timeOff(doctor, startMs, endMs))).toBe('unavailable')
  expect(codeOf(await ask.book(patient, doctor.userId, startMs))).toBe('done')
  await expectAgreement(doctor.userId)
})

it('two in one moment over the same range: each tells of the booking, and it is cancelled once', async () => {
  const { doctor, patient, startMs, endMs } = await set()
  const { id } = answered(await ask.book(patient, doctor.userId, startMs))
  const both = await Promise.all([
    ask.timeOff(doctor, startMs, endMs, { onConflict: 'cancel' }),
    ask.timeOff(doctor, startMs, endMs, { onConflict: 'cancel' }),
  ])
  expect(both.map((taken) => answered(taken).affected.length)).toEqual([1, 0])
  expect(await eventsOf(id)).toEqual(['appointment.booked', 'appointment.cancelled'])
  await expectAgreement(doctor.userId)
})

it('a cancellation on its way is waited for: the appointment is cancelled once, and not affected', async () => {
  const { doctor, patient, startMs, endMs } = await set()
  const { id } = answered(await ask.book(patient, doctor.userId, startMs))
  const gate = hold()
  await injectFaults(doctor.userId, [gate.fault])
  const cancelling = ask.act(patient, doctor.userId, id, 'cancel')
  await gate.arrived
  const taking = ask.timeOff(doctor, startMs, endMs, { onConflict: 'cancel' })
  await untilTaken(doctor.userId)
  gate.release()
  expect(codeOf(await cancelling)).toBe('done')
  expect(answered(await taking).affected).toEqual([])
  expect(await eventsOf(id)).toEqual(['appointment.booked', 'appointment.cancelled'])
})

it('time off survives the eviction of its object', async () => {
  const { doctor, patient, startMs, endMs } = await set()
  await ask.timeOff(doctor, startMs, endMs)
  await evictDurableObject(calendarObject(doctor.userId))
  expect(reasonsOf(await ask.book(patient, doctor.userId, startMs))).toEqual(['time-off'])
  await expectAgreement(doctor.userId)
})
