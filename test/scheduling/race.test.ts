/** Many patients, one slot: one wins, the rest hear 409 or 429, and no other status. */
import { evictDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { type SeededUser, seedUsers } from '../support/accounts'
import type { Answer } from '../support/api'
import { book, isOpen, openStart, overlapping, rows, seedClinic } from '../support/clinic'
import { calendarObject } from '../support/faults'

function byStatus(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

async function expectOneWinner(doctorId: string, start: string, answers: readonly Answer[]): Promise<void> {
  const counts = byStatus(answers)
  expect(counts[201]).toBe(1)
  expect((counts[409] ?? 0) + (counts[429] ?? 0)).toBe(answers.length - 1)
  expect(await isOpen(doctorId, start)).toBe(false)
  expect(await overlapping(doctorId)).toEqual([])
  const written = await rows('SELECT id FROM appointment WHERE doctor_id = ?', doctorId)
  expect(written).toEqual([{ id: answers.find(({ status }) => status === 201)?.body.id }])
  const events = await rows(`SELECT type FROM event WHERE subject_id = ?`, written[0]?.id)
  expect(events).toEqual([{ type: 'appointment.booked' }])
}

describe('one slot', () => {
  it.each([2, 50, 500])('of %i patients at once, one gets it', async (count) => {
    const doctor = await seedClinic()
    const start = await openStart(doctor.userId)
    const patients = await seedUsers('patient', count)
    const answers = await Promise.all(patients.map((patient) => book(patient, doctor.userId, start)))
    await expectOneWinner(doctor.userId, start, answers)
    for (const { status, body } of answers) {
      if (status !== 409) continue
      expect(body.code).toBe('slot-taken')
      expect(body.alternatives).toHaveLength(5)
      expect(body.alternatives.map((slot: { start: string }) => slot.start)).not.toContain(start)
    }
  })

  it('is sold once although the object is cold, so that all of them wait for one load', async () => {
    const doctor = await seedClinic()
    const start = await openStart(doctor.userId)
    await evictDurableObject(calendarObject(doctor.userId))
    const patients = await seedUsers('patient', 50)
    const answers = await Promise.all(patients.map((patient) => book(patient, doctor.userId, start)))
    await expectOneWinner(doctor.userId, start, answers)
  })

  it('is sold once to patients who come a moment apart, each behind the one before', async () => {
    const doctor = await seedClinic()
    const start = await openStart(doctor.userId)
    const patients = await seedUsers('patient', 40)
    const answers = await Promise.all(
      patients.map(async (patient, index) => {
        await new Promise((resolve) => setTimeout(resolve, index % 8))
        return book(patient, doctor.userId, start)
      }),
    )
    await expectOneWinner(doctor.userId, start, answers)
  })

  it('is sold once to one patient who asks again and again, and they hear of their appointment', async () => {
    const doctor = await seedClinic()
    const start = await openStart(doctor.userId)
    const [patient] = await seedUsers('patient', 1)
    const answers = await Promise.all(Array.from({ length: 20 }, () => book(patient, doctor.userId, start)))
    const counts = byStatus(answers)
    expect(counts[201]).toBe(1)
    expect(counts[429]).toBe(10)
    const won = answers.find(({ status }) => status === 201)?.body
    for (const { body } of answers.filter(({ status }) => status === 409)) {
      expect(body).toMatchObject({ code: 'already-booked', appointmentId: won.id })
    }
  })
})

it('staggered starts that overlap: no two of a doctor overlap, whoever wins', async () => {
  // Slots every 10 minutes for visits of 30: each start overlaps its neighbours.
  const doctor = await seedClinic({ slotMinutes: 10 })
  const patients = await seedUsers('patient', 60)
  const first = Date.parse(await openStart(doctor.userId, 3))
  const answers = await Promise.all(
    patients.map((patient, index) =>
      book(patient, doctor.userId, new Date(first + (index % 12) * 600_000).toISOString()),
    ),
  )
  expect(answers.every(({ status }) => [201, 409, 429].includes(status))).toBe(true)
  expect(await overlapping(doctor.userId)).toEqual([])
  const won = answers.filter(({ status }) => status === 201)
  // Each winner closes at most five of the twelve starts: their own and two on either side.
  expect(won.length).toBeGreaterThanOrEqual(3)
  expect(await rows('SELECT id FROM appointment WHERE doctor_id = ?', doctor.userId)).toHaveLength(won.length)
})

it('one patient at five doctors for one hour: one appointment, and four slots are open again', async () => {
  const doctors: SeededUser[] = []
  for (let index = 0; index < 5; index++) doctors.push(await seedClinic())
  const [patient] = await seedUsers('patient', 1)
  const start = await openStart(doctors[0]?.userId ?? '')
  const answers = await Promise.all(doctors.map(({ userId }) => book(patient, userId, start)))
  expect(byStatus(answers)).toEqual({ 201: 1, 409: 4 })
  for (const [index, { status, body }] of answers.entries()) {
    if (status === 409) expect(body.code).toBe('patient-busy')
    expect(await isOpen(doctors[index]?.userId ?? '', start)).toBe(status === 409)
  }
})
