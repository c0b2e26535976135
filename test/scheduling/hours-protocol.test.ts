/** Changes of a doctor's hours, and who books in them at the same moment: memory is never freer than D1. */
import { describe, expect, it } from 'vitest'
import { initialSchedule } from '#scheduling/core/schedule'
import { seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { ALWAYS, book, expectAgreement, isOpen, seedClinic } from '../support/clinic'
import { ask, calendarOf, codeOf, turnedTo } from '../support/commands'
import { deliver, failBefore, hold, injectFaults, inTurn } from '../support/faults'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const at = (days: number, hours: number): string =>
  new Date(Math.floor(Date.now() / DAY_MS + days) * DAY_MS + hours * HOUR_MS)
    .toISOString()
    .replace('.000', '')

/** A doctor whose only time is one opening, of two hours in three days. */
async function setOpening() {
  const doctor = await seedClinic({ rules: [] })
  const added = await call('POST', '/v1/doctors/me/availability', {
    token: doctor.token,
    body: { start: at(3, 10), end: at(3, 12) },
  })
  return { doctor, openingId: String(added.body.id), start: at(3, 10) }
}

describe.each([
  ['removed', 'DELETE', undefined],
  ['moved', 'PATCH', { start: at(4, 10), end: at(4, 12) }],
] as const)('an opening that is being %s', (_, method, body) => {
  it.each([
    ['is done', deliver, true],
    ['never arrives', failBefore, false],
  ] as const)(
    'is not sold meanwhile, and is again only where the change %s not',
    async (_fate, then, happens) => {
      const { doctor, openingId, start } = await setOpening()
      const [patient] = await seedUsers('patient', 1)
      if (patient === undefined) throw new Error('Nobody was seeded')
      expect(await isOpen(doctor.userId, start).catch(() => false)).toBe(true)
      const gate = hold()
      const batches = await injectFaults(doctor.userId, [inTurn(gate.fault, then)])
      const path = `/v1/doctors/me/availability/${openingId}`
      const changing = call(method, path, { token: doctor.token, ...(body !== undefined && { body }) })
      await gate.arrived
      const refused = await ask.book(patient, doctor.userId, Date.parse(start))
      expect(refused).toMatchObject({
        refusal: { code: 'slot-not-offered', evidence: { reasons: ['outside-hours'] } },
      })
      expect(batches()).toBe(1)
      gate.release()
      expect((await changing).status).toBe(happens ? (method === 'DELETE' ? 204 : 200) : 503)
      expect(codeOf(await ask.book(patient, doctor.userId, Date.parse(start)))).toBe(
        happens ? 'slot-not-offered' : 'done',
      )
      await expectAgreement(doctor.userId)
    },
  )
})

it('a change of hours tells of no booking that D1 refuses a moment later', async () => {
  const [doctor, elsewhere] = [await seedClinic(), await seedClinic()]
  const [patient] = await seedUsers('patient', 1)
  if (patient === undefined) throw new Error('Nobody was seeded')
  const start = at(3, 10)
  expect((await book(patient, elsewhere.userId, start)).status).toBe(201)
  const gate = hold()
  await injectFaults(doctor.userId, [inTurn(gate.fault, deliver)])
  const booking = ask.book(patient, doctor.userId, Date.parse(start), { notes: 'Private' })
  await gate.arrived
  // Straight to the object, so that it has certainly turned to it before the booking is settled.
  const changing = calendarOf(doctor.userId).setSchedule({
    actor: { userId: doctor.userId, sessionId: doctor.sessionId, role: 'doctor' },
    schedule: { ...initialSchedule('UTC'), rules: [{ ...ALWAYS, endTime: '01:00' }] },
    versions: undefined,
  })
  await turnedTo(doctor.userId)
  gate.release()
  expect(codeOf(await booking)).toBe('patient-busy')
  expect(await changing).toMatchObject({ ok: true, value: { outside: [], outsideCount: 0 } })
  await expectAgreement(doctor.userId)
})

it('a change of hours that never arrives leaves them as they were', async () => {
  const doctor = await seedClinic()
  const [patient] = await seedUsers('patient', 1)
  if (patient === undefined) throw new Error('Nobody was seeded')
  await calendarOf(doctor.userId).openings()
  await injectFaults(doctor.userId, [failBefore])
  const changed = await call('PUT', '/v1/doctors/me/schedule', {
    token: doctor.token,
    body: { timeZone: 'UTC', rules: [] },
  })
  expect(changed.status).toBe(503)
  expect((await book(patient, doctor.userId, at(3, 10))).status).toBe(201)
  await expectAgreement(doctor.userId)
})
