/** Offers of the waiting list, with D1 and the object failing under them: the first in the line has it, or nobody. */
import { evictDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUsers } from '../support/accounts'
import {
  eventsOf,
  expectAgreement,
  expectListed,
  HALF_HOUR_MS,
  openStart,
  rows,
  seedClinic,
} from '../support/clinic'
import { answered, ask, calendarOf, codeOf, turnedTo } from '../support/commands'
import { FATES, meet } from '../support/fates'
import {
  abortObject,
  calendarObject,
  deliver,
  type Fault,
  failBefore,
  hold,
  holdAnswer,
  injectFaults,
  loseAnswer,
} from '../support/faults'

afterEach(() => {
  vi.useRealTimers()
})

const stopAt = (nowMs: number) => vi.useFakeTimers({ toFake: ['Date'], now: nowMs })

interface Scene {
  readonly doctor: SeededUser
  readonly owner: SeededUser
  /** In the order of the line. */
  readonly line: readonly SeededUser[]
  readonly outsiders: readonly SeededUser[]
  readonly startMs: number
  readonly appointmentId: string
}

/** An appointment, and so many who wait for its time as there are others who do not. */
async function set(count = 2): Promise<Scene> {
  const doctor = await seedClinic()
  const [owner, ...others] = (await seedUsers('patient', 1 + 2 * count)) as [SeededUser, ...SeededUser[]]
  const startMs = Date.parse(await openStart(doctor.userId, 4))
  const { id } = answered(await ask.book(owner, doctor.userId, startMs))
  const joining = others.slice(0, count)
  await Promise.all(
    joining.map((patient) => ask.join(patient, doctor.userId, startMs, startMs + HALF_HOUR_MS)),
  )
  const inLine = await rows<{ patientId: string }>(
    'SELECT patient_id AS patientId FROM waitlist WHERE doctor_id = ? ORDER BY created_at, id',
    doctor.userId,
  )
  const line = inLine.flatMap(({ patientId }) => joining.find(({ userId }) => userId === patientId) ?? [])
  expect(line).toHaveLength(count)
  return { doctor, owner, line, outsiders: others.slice(count), startMs, appointmentId: id }
}

const cancel = ({ owner, doctor, appointmentId }: Scene) =>
  ask.act(owner, doctor.userId, appointmentId, 'cancel')

/** Who holds time of the doctor now, and how they came by it. */
const holders = ({ doctor }: Scene) =>
  rows<{ patientId: string; origin: string; id: string; expiresAt: number }>(
    `SELECT patient_id AS patientId, origin, id, expires_at AS expiresAt FROM hold
     WHERE doctor_id = ? AND ended_at IS NULL`,
    doctor.userId,
  )

async function expectOffered(scene: Scene, patient: SeededUser | undefined): Promise<void> {
  const expected = patient === undefined ? [] : [{ patientId: patient.userId, origin: 'waitlist' }]
  expect((await holders(scene)).map(({ patientId, origin }) => ({ patientId, origin }))).toEqual(expected)
}

const offerEvents = async ({ doctor }: Scene) =>
  (
    await rows(
      `SELECT id FROM event WHERE type = 'waitlist.offered' AND data ->> 'doctorId' = ?`,
      doctor.userId,
    )
  ).length

/** A scene in which the first of the line has the offer. */
async function offering(): Promise<Scene & { readonly offerId: string; readonly expiresAt: number }> {
  const scene = await set()
  await cancel(scene)
  const [offer] = await holders(scene)
  return { ...scene, offerId: offer?.id ?? '', expiresAt: offer?.expiresAt ?? 0 }
}

describe.each(FATES)('a batch that $name', (fate) => {
  const { happens } = fate

  it('cancels and offers: both or neither, and nobody sees the time between', async () => {
    const scene = await set()
    const { doctor, owner, line, outsiders, startMs, appointmentId } = scene
    const command = () => cancel(scene)
    const meanwhile = async () => {
      expect(codeOf(await ask.book(outsiders[0] as SeededUser, doctor.userId, startMs))).toBe('slot-taken')
    }
    await meet(fate, doctor.userId, owner, command, meanwhile, 1)
    const cancelled = happens ? ['appointment.cancelled'] : []
    expect(await eventsOf(appointmentId)).toEqual(['appointment.booked', ...cancelled])
    await expectOffered(scene, happens ? line[0] : undefined)
    expect(await offerEvents(scene)).toBe(happens ? 1 : 0)
    expect(codeOf(await ask.book(outsiders[1] as SeededUser, doctor.userId, startMs))).toBe('slot-taken')
    await expectAgreement(doctor.userId)
    await expectListed(doctor.userId)
  })

  it('releases an offer: it passes on, or stays', async () => {
    const scene = await offering()
    const { doctor, line, outsiders, startMs, offerId } = scene
    const [first, second] = line as [SeededUser, SeededUser]
    const release = () => ask.release(first, doctor.userId, offerId)
    const meanwhile = async () => {
      expect(codeOf(await ask.book(outsiders[0] as SeededUser, doctor.userId, startMs))).toBe('slot-taken')
    }
    await meet(fate, doctor.userId, first, release, meanwhile, 1)
    await expectOffered(scene, happens ? second : first)
    await expectAgreement(doctor.userId)
  })

  it('books with an offer: the waiting ends with it, or goes on', async () => {
    const scene = await offering()
    const { doctor, line, startMs, offerId } = scene
    const [first] = line as [SeededUser]
    const book = () => ask.book(first, doctor.userId, startMs, { holdId: offerId })
    await meet(fate, doctor.userId, first, book, async () => undefined)
    const entries = await rows('SELECT outcome FROM waitlist WHERE patient_id = ?', first.userId)
    expect(entries).toEqual([{ outcome: happens ? 'booked' : null }])
    await expectAgreement(doctor.userId)
  })

  it('joins: in the list, or not', async () => {
    const { doctor, outsiders, startMs } = await set()
    const [patient] = outsiders as [SeededUser]
    const id = newId('wtl')
    const join = () => ask.join(patient, doctor.userId, startMs, startMs + HALF_HOUR_MS, { id })
    await meet(fate, doctor.userId, patient, join, async () => undefined)
    expect(await eventsOf(id)).toEqual(happens ? ['waitlist.joined'] : [])
    expect(await rows('SELECT 1 FROM waitlist WHERE id = ?', id)).toHaveLength(happens ? 1 : 0)
  })

  it('leaves: a cancellation meanwhile waits for it, and offers who is first then', async () => {
    const scene = await set()
    const { doctor, line } = scene
    const [first, second] = line as [SeededUser, SeededUser]
    const [entry] = await rows<{ id: string }>('SELECT id FROM waitlist WHERE patient_id = ?', first.userId)
    const leave = () => ask.leave(first, doctor.userId, entry?.id ?? '')
    let cancelling: Promise<unknown> | undefined
    await meet(fate, doctor.userId, first, leave, async () => {
      cancelling = cancel(scene).catch(() => undefined)
      await turnedTo(doctor.userId)
    })
    await cancelling
    await cancel(scene)
    await expectOffered(scene, happens ? second : first)
    await expectAgreement(doctor.userId)
  })
})

describe('the batch that asks who is busy elsewhere', () => {
  it.each<[string, Fault]>([
    ['never arrives', failBefore],
    ['loses its answer', loseAnswer],
  ])('%s: nothing has happened, and the next attempt does it', async (_, fault) => {
    const scene = await set()
    await injectFaults(scene.doctor.userId, [fault])
    expect(codeOf(await cancel(scene))).toBe('unavailable')
    await expectOffered(scene, undefined)
    expect(codeOf(await cancel(scene))).toBe('done')
    await expectOffered(scene, scene.line[0])
    await expectAgreement(scene.doctor.userId)
  })
})

/** What ends the object while fifty and fifty are at it. */
const ENDS = {
  nothing: async () => undefined,
  eviction: (doctorId: string) => evictDurableObject(calendarObject(doctorId)),
  death: abortObject,
} as const

describe('fifty who wait and fifty who do not, at the moment in which a slot is freed', () => {
  it.each(['nothing', 'eviction'] as const)(
    '%s comes between: the first of the list holds it',
    async (end) => {
      const scene = await set(50)
      const { doctor, outsiders, line, startMs } = scene
      const rush = () => outsiders.map((one) => ask.book(one, doctor.userId, startMs))
      const early = rush()
      const cancelling = cancel(scene)
      const codes = (await Promise.all([...early, ...rush()])).map(codeOf)
      expect(codeOf(await cancelling)).toBe('done')
      await ENDS[end](doctor.userId)
      codes.push(...(await Promise.all(rush())).map(codeOf))
      expect(new Set(codes)).toEqual(new Set(['slot-taken']))
      await expectOffered(scene, line[0])
      await expectAgreement(doctor.userId)
    },
  )

  it.each([
    ['before D1 hears of it', hold],
    ['after D1 has done it', holdAnswer],
  ])('the object dies %s: the first of the list holds it in the end', async (_, gateOf) => {
    const scene = await set(50)
    const { doctor, outsiders, line, startMs } = scene
    const rush = () =>
      outsiders.map((one) => ask.book(one, doctor.userId, startMs).then(codeOf, () => 'died'))
    const gate = gateOf()
    await injectFaults(doctor.userId, [deliver, gate.fault])
    const cancelling = cancel(scene).catch(() => undefined)
    await gate.arrived
    const early = rush()
    await turnedTo(doctor.userId)
    await abortObject(doctor.userId)
    gate.release()
    const late = rush()
    await cancelling
    expect(codeOf(await cancel(scene))).toBe('done')
    const codes = await Promise.all([...early, ...late, ...rush()])
    expect(codes).not.toContain('done')
    await expectOffered(scene, line[0])
    expect(await offerEvents(scene)).toBe(1)
    await expectAgreement(doctor.userId)
  })
})

describe('an offer that lapses while its owner books with it', () => {
  it('is booked where the booking was sent in time, though D1 takes beyond its end', async () => {
    const { doctor, line, startMs, offerId, expiresAt, ...scene } = await offering()
    const [first] = line as [SeededUser]
    stopAt(expiresAt - 1)
    const gate = hold()
    await injectFaults(doctor.userId, [gate.fault])
    const booking = ask.book(first, doctor.userId, startMs, { holdId: offerId })
    await gate.arrived
    vi.setSystemTime(expiresAt)
    const waking = calendarOf(doctor.userId).wake()
    await turnedTo(doctor.userId)
    gate.release()
    expect(codeOf(await booking)).toBe('done')
    await waking
    await expectOffered({ doctor, line, startMs, ...scene }, undefined)
    await expectAgreement(doctor.userId)
  })

  it('passes on where the booking comes at its very end', async () => {
    const scene = await offering()
    const { doctor, line, startMs, offerId, expiresAt } = scene
    const [first, second] = line as [SeededUser, SeededUser]
    stopAt(expiresAt)
    const [, late] = await Promise.all([
      calendarOf(doctor.userId).wake(),
      ask.book(first, doctor.userId, startMs, { holdId: offerId }),
    ])
    expect(codeOf(late)).toBe('hold-expired')
    await expectOffered(scene, second)
    await expectAgreement(doctor.userId)
  })

  it('stays blocked while D1 fails at the lapse, and passes on when it answers', async () => {
    const scene = await offering()
    const { doctor, line, outsiders, startMs, expiresAt } = scene
    stopAt(expiresAt)
    await injectFaults(doctor.userId, [deliver, failBefore])
    expect(codeOf(await ask.book(outsiders[0] as SeededUser, doctor.userId, startMs))).toBe('slot-taken')
    await expectAgreement(doctor.userId)
    await calendarOf(doctor.userId).wake()
    await expectOffered(scene, line[1])
    await expectAgreement(doctor.userId)
  })
})
