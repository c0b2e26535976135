/** An appointment on its way from one slot to another, and everybody else who wants either of them. */
import { describe, expect, it } from 'vitest'
import type { Slot } from '#scheduling/core/slot'
import { type SeededUser, seedUsers } from '../support/accounts'
import {
  bookPast,
  endSession,
  eventsOf,
  expectAgreement,
  expectListed,
  HALF_HOUR_MS,
  openStart,
  rows,
  seedClinic,
} from '../support/clinic'
import { addVisitType, answered, ask, codeOf, turnedTo } from '../support/commands'
import { FATES, meet } from '../support/fates'
import { arriveLate, failBefore, hold, injectFaults, inTurn } from '../support/faults'

/** A doctor, a patient who has the slot `left` and wants the slot `target`, and four others. */
interface Scene {
  readonly doctor: SeededUser
  readonly mover: SeededUser
  readonly others: readonly [SeededUser, SeededUser, SeededUser, SeededUser]
  readonly id: string
  readonly left: number
  readonly target: number
}

async function set(schedule: object = {}): Promise<Scene> {
  const doctor = await seedClinic(schedule)
  const [mover, ...others] = (await seedUsers('patient', 5)) as [SeededUser, ...Scene['others']]
  const left = Date.parse(await openStart(doctor.userId, 6))
  const { id } = answered(await ask.book(mover, doctor.userId, left))
  return { doctor, mover, others, id, left, target: left + 4 * HALF_HOUR_MS }
}

const startOf = async (id: string) =>
  (await rows<{ start_ms: number }>('SELECT start_ms FROM appointment WHERE id = ?', id))[0]?.start_ms

/** The slots that a refusal offers instead. */
const alternativesOf = (answer: Parameters<typeof codeOf>[0]) =>
  answer.ok ? [] : (answer.refusal.evidence.alternatives as readonly Slot[])

/** From where to where each move has led, as their events tell. */
const movesOf = async (id: string) =>
  (
    await rows<{ data: string }>(
      `SELECT data FROM event WHERE subject_id = ? AND type = 'appointment.rescheduled' ORDER BY sequence`,
      id,
    )
  ).map(({ data }) => {
    const { fromMs, toMs } = JSON.parse(data)
    return [fromMs, toMs]
  })

describe.each(FATES)('a move whose batch $name', (fate) => {
  const moves = fate.happens

  it('keeps both slots until D1 has answered, and then one', async () => {
    const { doctor, mover, others, id, left, target } = await set()
    const [first, second, third, fourth] = others
    const move = () => ask.move(mover, doctor.userId, id, target)
    await meet(fate, doctor.userId, mover, move, async (batches) => {
      const refusals = await Promise.all([
        ask.book(first, doctor.userId, left),
        ask.hold(second, doctor.userId, left),
        ask.book(third, doctor.userId, target),
        ask.hold(fourth, doctor.userId, target),
      ])
      for (const refused of refusals) {
        expect(codeOf(refused)).toBe('slot-taken')
        const offered = alternativesOf(refused)
        expect(offered).toHaveLength(5)
        for (const { startMs } of offered) expect([left, target]).not.toContain(startMs)
      }
      // Memory has refused them: D1 has heard of nothing but the move.
      expect(batches()).toBe(1)
    })
    expect(await startOf(id)).toBe(moves ? target : left)
    expect(await movesOf(id)).toEqual(moves ? [[left, target]] : [])
    const [free, taken] = moves ? [left, target] : [target, left]
    expect(codeOf(await ask.hold(first, doctor.userId, taken))).toBe('slot-taken')
    expect(codeOf(await ask.book(second, doctor.userId, taken))).toBe('slot-taken')
    expect(codeOf(await ask.hold(third, doctor.userId, free))).toBe('done')
    expect(codeOf(await ask.book(fourth, doctor.userId, free))).toBe('slot-taken')
    await expectAgreement(doctor.userId)
  })

  it('onto the mover’s own hold: it passes into the visit, or lives on', async () => {
    const { doctor, mover, others, id, target } = await set()
    const longer = await addVisitType(doctor, 60)
    const { hold: held } = answered(await ask.hold(mover, doctor.userId, target, { visitTypeId: longer }))
    const rest = target + HALF_HOUR_MS
    const move = () => ask.move(mover, doctor.userId, id, target)
    await meet(fate, doctor.userId, mover, move, async (batches) => {
      expect(codeOf(await ask.book(others[0], doctor.userId, target))).toBe('slot-taken')
      expect(codeOf(await ask.book(others[1], doctor.userId, rest))).toBe('slot-taken')
      expect(batches()).toBe(1)
    })
    expect(await rows('SELECT outcome FROM hold WHERE id = ?', held.id)).toEqual([
      { outcome: moves ? 'booked' : null },
    ])
    expect(codeOf(await ask.book(others[2], doctor.userId, target))).toBe('slot-taken')
    expect(codeOf(await ask.book(others[3], doctor.userId, rest))).toBe(moves ? 'done' : 'slot-taken')
    await expectAgreement(doctor.userId)
  })
})

it('a move that arrives late is refused whole by the fence', async () => {
  const { doctor, mover, others, id, left, target } = await set()
  const late = arriveLate()
  await injectFaults(doctor.userId, [late.fault])
  expect(codeOf(await ask.move(mover, doctor.userId, id, target))).toBe('unavailable')
  expect(codeOf(await ask.book(others[0], doctor.userId, target))).toBe('done')
  await expect(late.arrive()).rejects.toThrow('stale-calendar')
  expect(await startOf(id)).toBe(left)
  await expectAgreement(doctor.userId)
})

it.each([
  ['book', 'agrees'],
  ['book', 'refuses'],
  ['hold', 'agrees'],
  ['hold', 'refuses'],
] as const)('a move onto the slot of another’s %s on its way, which D1 then %s', async (verb, says) => {
  const { doctor, mover, others, id, left, target } = await set()
  const gate = hold()
  const batches = await injectFaults(doctor.userId, [gate.fault])
  const theirs = ask[verb](others[0], doctor.userId, target)
  await gate.arrived
  expect(codeOf(await ask.move(mover, doctor.userId, id, target))).toBe('slot-taken')
  expect(batches()).toBe(1)
  const agrees = says === 'agrees'
  if (!agrees) await endSession(others[0])
  gate.release()
  expect(codeOf(await theirs)).toBe(agrees ? 'done' : 'session-ended')
  expect(codeOf(await ask.move(mover, doctor.userId, id, target))).toBe(agrees ? 'slot-taken' : 'done')
  expect(await startOf(id)).toBe(agrees ? left : target)
  await expectAgreement(doctor.userId)
})

it('a slot taken past the object: the move is refused, and memory knows of it then', async () => {
  const { doctor, mover, others, id, left, target } = await set()
  await bookPast(doctor, others[0], target)
  expect(codeOf(await ask.move(mover, doctor.userId, id, target))).toBe('slot-taken')
  expect(await startOf(id)).toBe(left)
  await expectAgreement(doctor.userId)
})

it.each([
  ['agrees', true],
  ['refuses', false],
] as const)('onto an interval that overlaps its own: all of both is kept until D1 %s', async (_, agrees) => {
  const { doctor, mover, others, id, left } = await set({ slotMinutes: 10 })
  const [first, second, third, fourth] = others
  const gate = hold()
  const batches = await injectFaults(doctor.userId, [gate.fault])
  const later = left + HALF_HOUR_MS / 3
  const earlier = later - HALF_HOUR_MS
  const moving = ask.move(mover, doctor.userId, id, later)
  await gate.arrived
  const tail = left + HALF_HOUR_MS
  expect(codeOf(await ask.book(first, doctor.userId, tail))).toBe('slot-taken')
  expect(codeOf(await ask.hold(second, doctor.userId, earlier))).toBe('slot-taken')
  expect(batches()).toBe(1)
  if (!agrees) await endSession(mover)
  gate.release()
  await moving
  expect(await startOf(id)).toBe(agrees ? later : left)
  expect(codeOf(await ask.book(third, doctor.userId, tail))).toBe(agrees ? 'slot-taken' : 'done')
  expect(codeOf(await ask.hold(fourth, doctor.userId, earlier))).toBe(agrees ? 'done' : 'slot-taken')
  await expectAgreement(doctor.userId)
})

describe('commands on one appointment run one after another', () => {
  it('two moves: each begins where the one before ended, and one slot stays taken', async () => {
    const { doctor, mover, others, id, left, target } = await set()
    const epoch = () => rows('SELECT epoch FROM calendar WHERE doctor_id = ?', doctor.userId)
    const before = await epoch()
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const first = ask.move(mover, doctor.userId, id, target)
    await gate.arrived
    const second = ask.move(doctor, doctor.userId, id, target + HALF_HOUR_MS)
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await first), codeOf(await second)]).toEqual(['done', 'done'])
    expect(await movesOf(id)).toEqual([
      [left, target],
      [target, target + HALF_HOUR_MS],
    ])
    expect(await epoch()).toEqual(before)
    expect(codeOf(await ask.book(others[0], doctor.userId, left))).toBe('done')
    expect(codeOf(await ask.book(others[1], doctor.userId, target))).toBe('done')
    await expectAgreement(doctor.userId)
  })

  it('five moves of what was seen at one version: one of them happens', async () => {
    const { doctor, mover, id, left, target } = await set()
    const moves = await Promise.all(
      [0, 1, 2, 3, 4].map((index) =>
        ask.move(mover, doctor.userId, id, target + index * HALF_HOUR_MS, { versions: [1] }),
      ),
    )
    const done = moves.filter(({ ok }) => ok)
    expect(done).toHaveLength(1)
    for (const move of moves) if (!move.ok) expect(codeOf(move)).toBe('precondition-failed')
    expect(await movesOf(id)).toEqual([[left, await startOf(id)]])
    await expectAgreement(doctor.userId)
  })

  it.each(['move', 'cancel'] as const)('a move and a cancellation, the %s first', async (order) => {
    const { doctor, mover, others, id, left, target } = await set()
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const move = () => ask.move(mover, doctor.userId, id, target)
    const cancel = () => ask.act(doctor, doctor.userId, id, 'cancel')
    const first = order === 'move' ? move() : cancel()
    await gate.arrived
    const second = order === 'move' ? cancel() : move()
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await first), codeOf(await second)]).toEqual([
      'done',
      order === 'move' ? 'done' : 'illegal-transition',
    ])
    expect(await eventsOf(id)).toEqual([
      'appointment.booked',
      ...(order === 'move' ? ['appointment.rescheduled'] : []),
      'appointment.cancelled',
    ])
    expect(codeOf(await ask.book(others[0], doctor.userId, left))).toBe('done')
    expect(codeOf(await ask.hold(others[1], doctor.userId, target))).toBe('done')
    await expectAgreement(doctor.userId)
  })

  it('a cancellation after a move that never happened frees the slot that was never left', async () => {
    const { doctor, mover, others, id, left } = await set()
    const gate = hold()
    await injectFaults(doctor.userId, [inTurn(gate.fault, failBefore)])
    const moving = ask.move(mover, doctor.userId, id, left + HALF_HOUR_MS)
    await gate.arrived
    const cancelling = ask.act(mover, doctor.userId, id, 'cancel')
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await moving), codeOf(await cancelling)]).toEqual(['unavailable', 'done'])
    expect(codeOf(await ask.book(others[0], doctor.userId, left))).toBe('done')
    await expectAgreement(doctor.userId)
  })
})

describe('one patient, two doctors', () => {
  it.each(['move', 'booking'] as const)(
    'a move and a booking elsewhere at the same time, the %s first in D1: the other gives its place back',
    async (first) => {
      const { doctor, mover, others, id, left, target } = await set()
      const elsewhere = await seedClinic()
      const gates = [hold(), hold()] as const
      await injectFaults(doctor.userId, [gates[0].fault])
      await injectFaults(elsewhere.userId, [gates[1].fault])
      const moving = ask.move(mover, doctor.userId, id, target)
      const booking = ask.book(mover, elsewhere.userId, target)
      await Promise.all(gates.map(({ arrived }) => arrived))
      const moveWins = first === 'move'
      gates[moveWins ? 0 : 1].release()
      await (moveWins ? moving : booking)
      gates[moveWins ? 1 : 0].release()
      expect([codeOf(await moving), codeOf(await booking)]).toEqual(
        moveWins ? ['done', 'patient-busy'] : ['patient-busy', 'done'],
      )
      expect(await startOf(id)).toBe(moveWins ? target : left)
      for (const { userId } of [doctor, elsewhere]) {
        await expectAgreement(userId)
        await expectListed(userId)
      }
      const loser = moveWins ? elsewhere : doctor
      expect(codeOf(await ask.book(others[0], loser.userId, target))).toBe('done')
    },
  )
})
