/** Holds, with D1 and the object failing under them: one blocks everybody but its owner, or nobody. */
import { evictDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUsers } from '../support/accounts'
import {
  bookPast,
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
import {
  arriveLate,
  calendarObject,
  deliver,
  failBefore,
  hold,
  injectFaults,
  inTurn,
} from '../support/faults'

interface Scene {
  readonly doctor: SeededUser
  readonly owner: SeededUser
  readonly others: readonly [SeededUser, SeededUser, SeededUser]
  readonly startMs: number
}

async function set(): Promise<Scene> {
  const doctor = await seedClinic()
  const [owner, ...others] = (await seedUsers('patient', 4)) as [SeededUser, ...Scene['others']]
  return { doctor, owner, others, startMs: Date.parse(await openStart(doctor.userId, 3)) }
}

/** How the hold has ended, or null while it has not; undefined where there is none. */
const outcomeOf = async (holdId: string) =>
  (await rows<{ outcome: string | null }>('SELECT outcome FROM hold WHERE id = ?', holdId))[0]?.outcome

const liveOf = ({ userId }: SeededUser) =>
  rows('SELECT id FROM hold WHERE patient_id = ? AND ended_at IS NULL ORDER BY id', userId)

describe.each(FATES)('a batch that $name', (fate) => {
  const { happens } = fate

  it('takes a hold: nobody else gets the slot meanwhile, and the answer is the truth', async () => {
    const { doctor, owner, others, startMs } = await set()
    const holdId = newId('hld')
    const take = () => ask.hold(owner, doctor.userId, startMs, { holdId })
    await meet(fate, doctor.userId, owner, take, async (batches) => {
      expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('slot-taken')
      expect(codeOf(await ask.hold(others[1], doctor.userId, startMs))).toBe('slot-taken')
      expect(batches()).toBe(1)
    })
    expect(await outcomeOf(holdId)).toBe(happens ? null : undefined)
    expect(await eventsOf(holdId)).toEqual(happens ? ['hold.taken'] : [])
    expect(codeOf(await ask.book(others[2], doctor.userId, startMs))).toBe(happens ? 'slot-taken' : 'done')
    if (happens) expect(codeOf(await ask.book(owner, doctor.userId, startMs, { holdId }))).toBe('done')
    await expectAgreement(doctor.userId)
  })

  it('releases a hold: it blocks until D1 has agreed, and books nothing after that', async () => {
    const { doctor, owner, others, startMs } = await set()
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
    const release = () => ask.release(owner, doctor.userId, held.id)
    await meet(fate, doctor.userId, owner, release, async (batches) => {
      expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('slot-taken')
      expect(batches()).toBe(1)
    })
    expect(await outcomeOf(held.id)).toBe(happens ? 'released' : null)
    expect(await eventsOf(held.id)).toEqual(['hold.taken', ...(happens ? ['hold.released'] : [])])
    if (happens) {
      const late = await ask.book(owner, doctor.userId, startMs, { holdId: held.id })
      expect(codeOf(late)).toBe('hold-expired')
    }
    expect(codeOf(await ask.book(others[1], doctor.userId, startMs))).toBe(happens ? 'done' : 'slot-taken')
    await expectAgreement(doctor.userId)
  })

  it('books with a hold: it passes into the appointment, or lives on', async () => {
    const { doctor, owner, others, startMs } = await set()
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
    const appointmentId = newId('apt')
    const book = () => ask.book(owner, doctor.userId, startMs, { holdId: held.id, appointmentId })
    await meet(fate, doctor.userId, owner, book, async (batches) => {
      expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('slot-taken')
      expect(codeOf(await ask.hold(others[1], doctor.userId, startMs))).toBe('slot-taken')
      expect(batches()).toBe(1)
    })
    expect(await outcomeOf(held.id)).toBe(happens ? 'booked' : null)
    expect(await eventsOf(appointmentId)).toEqual(happens ? ['appointment.booked'] : [])
    expect(codeOf(await ask.book(others[2], doctor.userId, startMs))).toBe('slot-taken')
    await expectAgreement(doctor.userId)
  })

  it('takes one hold for another that it overlaps: all of both is kept until D1 has answered', async () => {
    const { doctor, owner, others, startMs } = await set()
    const longer = await addVisitType(doctor, 60)
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs, { visitTypeId: longer }))
    const rest = startMs + HALF_HOUR_MS
    const take = () => ask.hold(owner, doctor.userId, startMs, { visitTypeId: doctor.visitTypeId })
    await meet(fate, doctor.userId, owner, take, async (batches) => {
      expect(codeOf(await ask.book(others[0], doctor.userId, rest))).toBe('slot-taken')
      expect(codeOf(await ask.hold(others[1], doctor.userId, rest))).toBe('slot-taken')
      // Memory has refused them: it is never freer than D1.
      expect(batches()).toBe(1)
    })
    expect(await outcomeOf(held.id)).toBe(happens ? 'superseded' : null)
    expect(codeOf(await ask.book(others[2], doctor.userId, rest))).toBe(happens ? 'done' : 'slot-taken')
    await expectAgreement(doctor.userId)
  })

  it('books less than the hold: the rest is kept until D1 has answered', async () => {
    const { doctor, owner, others, startMs } = await set()
    const longer = await addVisitType(doctor, 60)
    await ask.hold(owner, doctor.userId, startMs, { visitTypeId: longer })
    const rest = startMs + HALF_HOUR_MS
    const book = () => ask.book(owner, doctor.userId, startMs, { visitTypeId: doctor.visitTypeId })
    await meet(fate, doctor.userId, owner, book, async (batches) => {
      expect(codeOf(await ask.book(others[0], doctor.userId, rest))).toBe('slot-taken')
      expect(batches()).toBe(1)
    })
    expect(codeOf(await ask.book(others[2], doctor.userId, rest))).toBe(happens ? 'done' : 'slot-taken')
    await expectAgreement(doctor.userId)
  })
})

it('a hold that arrives late is refused whole by the fence', async () => {
  const { doctor, owner, others, startMs } = await set()
  const late = arriveLate()
  await injectFaults(doctor.userId, [late.fault])
  expect(codeOf(await ask.hold(owner, doctor.userId, startMs))).toBe('unavailable')
  await expect(late.arrive()).rejects.toThrow('stale-calendar')
  expect(await liveOf(owner)).toEqual([])
  expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('done')
})

it('a hold survives the eviction of its object: it blocks others and books for its owner', async () => {
  const { doctor, owner, others, startMs } = await set()
  const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
  await evictDurableObject(calendarObject(doctor.userId))
  expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('slot-taken')
  const again = answered(await ask.hold(owner, doctor.userId, startMs))
  expect(again).toMatchObject({ hold: held, isNew: false })
  await evictDurableObject(calendarObject(doctor.userId))
  expect(codeOf(await ask.book(owner, doctor.userId, startMs, { holdId: held.id }))).toBe('done')
  await expectAgreement(doctor.userId)
})

describe('two commands on one hold', () => {
  it.each(['release', 'book'] as const)(
    'released and booked at once, the %s first: one wins',
    async (first) => {
      const { doctor, owner, startMs } = await set()
      const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
      const gate = hold()
      await injectFaults(doctor.userId, [gate.fault])
      const book = () => ask.book(owner, doctor.userId, startMs, { holdId: held.id })
      const release = () => ask.release(owner, doctor.userId, held.id)
      const one = first === 'book' ? book() : release()
      await gate.arrived
      const other = first === 'book' ? release() : book()
      await turnedTo(doctor.userId)
      gate.release()
      expect([codeOf(await one), codeOf(await other)]).toEqual([
        'done',
        first === 'book' ? 'done' : 'hold-expired',
      ])
      expect(await outcomeOf(held.id)).toBe(first === 'book' ? 'booked' : 'released')
      await expectAgreement(doctor.userId)
    },
  )

  it('taken and booked at once: the booking waits for the hold', async () => {
    const { doctor, owner, startMs } = await set()
    const holdId = newId('hld')
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const holding = ask.hold(owner, doctor.userId, startMs, { holdId })
    await gate.arrived
    const booking = ask.book(owner, doctor.userId, startMs, { holdId })
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await holding), codeOf(await booking)]).toEqual(['done', 'done'])
    expect(await outcomeOf(holdId)).toBe('booked')
    await expectAgreement(doctor.userId)
  })

  it('a hold that never came about books nothing', async () => {
    const { doctor, owner, startMs } = await set()
    const holdId = newId('hld')
    const gate = hold()
    await injectFaults(doctor.userId, [inTurn(gate.fault, failBefore)])
    const holding = ask.hold(owner, doctor.userId, startMs, { holdId })
    await gate.arrived
    const booking = ask.book(owner, doctor.userId, startMs, { holdId })
    await turnedTo(doctor.userId)
    gate.release()
    expect([codeOf(await holding), codeOf(await booking)]).toEqual(['unavailable', 'hold-expired'])
    await expectAgreement(doctor.userId)
  })

  it('of which the first never came about: the second is a hold of its own', async () => {
    const { doctor, owner, startMs } = await set()
    const gate = hold()
    await injectFaults(doctor.userId, [inTurn(gate.fault, failBefore)])
    const first = ask.hold(owner, doctor.userId, startMs)
    await gate.arrived
    const second = ask.hold(owner, doctor.userId, startMs)
    await turnedTo(doctor.userId)
    gate.release()
    expect(codeOf(await first)).toBe('unavailable')
    const taken = answered(await second)
    expect(taken.isNew).toBe(true)
    expect(await liveOf(owner)).toEqual([{ id: taken.hold.id }])
    await expectAgreement(doctor.userId)
  })

  it('five requests for one slot by its patient are one hold', async () => {
    const { doctor, owner, startMs } = await set()
    const holds = await Promise.all([1, 2, 3, 4, 5].map(() => ask.hold(owner, doctor.userId, startMs)))
    const ids = new Set(holds.map((held) => answered(held).hold.id))
    expect(ids.size).toBe(1)
    expect(holds.filter((held) => answered(held).isNew)).toHaveLength(1)
    expect(await liveOf(owner)).toEqual([{ id: [...ids][0] }])
  })
})

describe('two holds are the most', () => {
  it('a race of five doctors’ objects leaves two, and three slots are open again', async () => {
    const doctors = await Promise.all([1, 2, 3, 4, 5].map(() => seedClinic()))
    const [patient, other] = (await seedUsers('patient', 2)) as [SeededUser, SeededUser]
    const startMs = Date.parse(await openStart(doctors[0]?.userId ?? '', 3))
    const gates = doctors.map(() => hold())
    await Promise.all(doctors.map(({ userId }, at) => injectFaults(userId, [gates[at]?.fault ?? deliver])))
    const holding = doctors.map(({ userId }) => ask.hold(patient, userId, startMs))
    await Promise.all(gates.map(({ arrived }) => arrived))
    for (const gate of gates) gate.release()
    const codes = (await Promise.all(holding)).map(codeOf)
    expect(codes.toSorted()).toEqual(['done', 'done', ...Array(3).fill('too-many-holds')])
    expect(await liveOf(patient)).toHaveLength(2)
    for (const [at, { userId }] of doctors.entries()) {
      await expectAgreement(userId)
      const free = codes[at] === 'too-many-holds'
      expect(codeOf(await ask.book(other, userId, startMs + at * HALF_HOUR_MS))).toBe(
        at > 0 || free ? 'done' : 'slot-taken',
      )
      await expectListed(userId)
    }
  })

  it('a race for five slots of one doctor leaves two', async () => {
    const { doctor, owner, startMs } = await set()
    const answers = await Promise.all(
      [0, 1, 2, 3, 4].map((at) => ask.hold(owner, doctor.userId, startMs + at * HALF_HOUR_MS)),
    )
    expect(answers.map(codeOf).toSorted()).toEqual(['done', 'done', ...Array(3).fill('too-many-holds')])
    expect(await liveOf(owner)).toHaveLength(2)
    await expectAgreement(doctor.userId)
  })
})

describe('one patient, two doctors', () => {
  it('booked elsewhere while the hold is on its way: D1 refuses the hold, and the slot is open again', async () => {
    const { doctor, owner, others, startMs } = await set()
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const holding = ask.hold(owner, doctor.userId, startMs)
    await gate.arrived
    await bookPast(await seedClinic(), owner, startMs)
    gate.release()
    expect(codeOf(await holding)).toBe('patient-busy')
    await expectAgreement(doctor.userId)
    await expectListed(doctor.userId)
    expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('done')
  })

  it('booked elsewhere while holding: the hold lives, and cannot be booked', async () => {
    const { doctor, owner, others, startMs } = await set()
    const elsewhere = await seedClinic()
    const { hold: held } = answered(await ask.hold(owner, doctor.userId, startMs))
    expect(codeOf(await ask.book(owner, elsewhere.userId, startMs))).toBe('done')
    const booked = await ask.book(owner, doctor.userId, startMs, { holdId: held.id })
    expect(codeOf(booked)).toBe('patient-busy')
    expect(await outcomeOf(held.id)).toBeNull()
    await expectAgreement(doctor.userId)
    expect(codeOf(await ask.book(others[0], doctor.userId, startMs))).toBe('slot-taken')
  })
})
