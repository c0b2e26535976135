/** Commits of one moment share one D1 batch, and what becomes of one does not fall on the others. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { DoctorCalendar } from '#scheduling/doctor-calendar'
import { MAX_GATHERED } from '#scheduling/gather-commits'
import { type SeededUser, seedUsers } from '../support/accounts'
import type { Answer } from '../support/api'
import { book, bookPast, openSlots, overlapping, rows, seedClinic } from '../support/clinic'
import { logged } from '../support/cost'
import { calendarObject, type Fault, failBefore, hold, injectFaults, loseAnswer } from '../support/faults'

/** As many as are sent alone before others are gathered. */
const SENT_ALONE = 2

/**
 * Books a slot for each patient while the first two batches are held back, so that all others are gathered;
 * `then` happens to what is sent next. Resolves to the answers and the batches sent.
 */
async function gather(
  doctor: SeededUser,
  patients: readonly SeededUser[],
  then: readonly Fault[] = [],
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<{ answers: Answer[]; batches: number }> {
  const slots = await openSlots(doctor.userId)
  const held = Array.from({ length: SENT_ALONE }, hold)
  const batches = await injectFaults(doctor.userId, [...held.map(({ fault }) => fault), ...then])
  const at = (index: number) => slots[index + 1]?.start ?? ''
  const first = patients.slice(0, SENT_ALONE).map((patient, index) => book(patient, doctor.userId, at(index)))
  await Promise.all(held.map(({ arrived }) => arrived))
  const others: Promise<Answer>[] = []
  for (const [index, patient] of patients.entries()) {
    if (index < SENT_ALONE) continue
    others.push(book(patient, doctor.userId, at(index)))
    // One after another, so that the order in which they are decided is known.
    await vi.waitFor(async () => expect(await taken(doctor)).toBe(index + 1), { interval: 2 })
  }
  await meanwhile()
  for (const { release } of held) release()
  const answers = await Promise.all([...first, ...others])
  return { answers, batches: batches() }
}

/** Intervals taken in the object's memory. */
const taken = (doctor: SeededUser): Promise<number> =>
  runInDurableObject(calendarObject(doctor.userId), async (instance: DoctorCalendar) => {
    const answer = await instance.openings()
    return answer.ok ? answer.value.busy.length : 0
  })

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)
const written = (doctor: SeededUser) =>
  rows<{ id: string; status: string }>(
    'SELECT id, status FROM appointment WHERE doctor_id = ?',
    doctor.userId,
  )

describe('commits of one moment', () => {
  it('share one batch and one version; the log tells of it once, and each has its bookmark', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 12)
    const { outcome, lines } = await logged(() => gather(doctor, patients))
    expect(statuses(outcome.answers)).toEqual(patients.map(() => 201))
    expect(outcome.batches).toBe(3)
    const versions = new Set(outcome.answers.map(({ body }) => body.calendarVersion))
    expect(versions.size).toBe(3)
    for (const { headers } of outcome.answers) expect(headers.get('Bookmark')).toBeTruthy()
    const booked = lines.filter(({ route }) => route === '/v1/appointments')
    expect(booked.map(({ d1Batches }) => d1Batches).sort()).toEqual([
      ...patients.slice(3).map(() => 0),
      1,
      1,
      1,
    ])
  })

  it('are written in the order in which they were decided', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 10)
    const { answers } = await gather(doctor, patients)
    const events = await rows<{ subject_id: string }>(
      `SELECT subject_id FROM event WHERE type = 'appointment.booked' ORDER BY sequence DESC LIMIT 8`,
    )
    const gathered = answers.slice(SENT_ALONE).map(({ body }) => body.id)
    expect(events.map(({ subject_id }) => subject_id).reverse()).toEqual(gathered)
  })

  it('are bounded: what one batch does not take goes with the next', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', SENT_ALONE + MAX_GATHERED + 1)
    const { answers, batches } = await gather(doctor, patients)
    expect(new Set(statuses(answers))).toEqual(new Set([201]))
    expect(batches).toBe(SENT_ALONE + 2)
  })
})

describe('what becomes of one', () => {
  it.each([
    ['session-ended', 401, 'UPDATE session SET ended_at = 1 WHERE id = ?2'],
    ['patient-not-found', 404, 'DELETE FROM patient WHERE user_id = ?1'],
  ] as const)('refused as %s, it alone is refused', async (code, status, sql) => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 11)
    const refusedOne = 6
    const { userId, sessionId } = patients[refusedOne] ?? { userId: '', sessionId: '' }
    const { answers, batches } = await gather(doctor, patients, [], () =>
      env.DB.prepare(`${sql} AND ?1 <> ?2`).bind(userId, sessionId).run(),
    )
    expect(statuses(answers)).toEqual(patients.map((_, index) => (index === refusedOne ? status : 201)))
    expect(answers[refusedOne]?.body.code).toBe(code)
    expect(await written(doctor)).toHaveLength(10)
    expect(await taken(doctor)).toBe(10)
    expect(await overlapping(doctor.userId)).toEqual([])
    // Nine were gathered: halves of halves, never each alone.
    expect(batches).toBeLessThanOrEqual(SENT_ALONE + 1 + 8)
  })

  it('memory was wrong about one: all are decided anew, and only that one is refused', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 8)
    const [stranger] = await seedUsers('patient', 1)
    const slot = (await openSlots(doctor.userId))[6]
    const startMs = Date.parse(slot?.start ?? '')
    const { answers } = await gather(doctor, patients, [], () => bookPast(doctor, stranger, startMs))
    expect(statuses(answers)).toEqual(patients.map((_, index) => (index === 5 ? 409 : 201)))
    expect(answers[5]?.body.code).toBe('slot-taken')
    expect(await overlapping(doctor.userId)).toEqual([])
  })

  it('the answer was lost: every one of them is answered with what happened', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 9)
    const { answers } = await gather(doctor, patients, [loseAnswer])
    expect(statuses(answers)).toEqual(patients.map(() => 201))
    const ids = (await written(doctor)).map(({ id }) => id).sort()
    expect(answers.map(({ body }) => body.id).sort()).toEqual(ids)
  })

  it('the batch never arrived: every one of them is 503, nothing is written, all slots are open', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 9)
    const { answers } = await gather(doctor, patients, [failBefore])
    expect(statuses(answers)).toEqual(patients.map((_, index) => (index < SENT_ALONE ? 201 : 503)))
    expect(await written(doctor)).toHaveLength(SENT_ALONE)
    expect(await taken(doctor)).toBe(SENT_ALONE)
  })

  it('forgotten while it waited, it is decided anew without asking D1', async () => {
    const doctor = await seedClinic()
    const patients = await seedUsers('patient', 6)
    const slots = await openSlots(doctor.userId)
    const held = [hold(), hold()]
    await injectFaults(doctor.userId, [
      async (deliver) => {
        await held[0]?.fault(deliver)
        throw new Error('Network connection lost.')
      },
      held[1]?.fault ?? loseAnswer,
    ])
    const answers = patients.map((patient, index) =>
      book(patient, doctor.userId, slots[index + 1]?.start ?? ''),
    )
    await Promise.all(held.map(({ arrived }) => arrived))
    await vi.waitFor(async () => expect(await taken(doctor)).toBe(patients.length))
    held[0]?.release()
    held[1]?.release()
    expect(new Set(statuses(await Promise.all(answers)))).toEqual(new Set([201]))
    expect(await written(doctor)).toHaveLength(patients.length)
  })
})
