/** The pages' walks, walked as a reader does: their own commands, in one bash, against `npm run dev`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT } from '../../scripts/tool.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'
import { blocksOf, WALK_TIMEOUT_MS, walk } from '../support/walk.mjs'

const ADDRESS_OF_PAGES = 'API=http://localhost:8787'

const page = (name) => readFileSync(join(ROOT, name), 'utf8')
const section = (text, title) =>
  new RegExp(`^## ${title}\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(text)?.[1] ?? ''
const tour = blocksOf(section(page('README.md'), 'A tour, by curl'))
const life = blocksOf(section(page('docs/appointments.md'), 'A walk'))

let server
let folder

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'praxis-tour-'))
  server = await startDevelopmentServer()
}, START_TIMEOUT_MS)

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('The tour does what it says, and can be walked again', { timeout: 2 * WALK_TIMEOUT_MS }, async () => {
  expect(tour).toHaveLength(8)
  expect(tour[0]).toContain(ADDRESS_OF_PAGES)
  expectTour(await walkOf(tour))
  // The names of a walk are the second's in which it began.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expectTour(await walkOf(tour))
})

it('An appointment lives as its page tells', { timeout: WALK_TIMEOUT_MS }, async () => {
  expect(life).toHaveLength(9)
  const answers = await walkOf(life)
  expect(answers.map(({ statuses }) => statuses)).toEqual([
    [],
    [201, 200, 200, 200, 200, 201],
    [201, 200, 200, 200, 201, 409],
    [201],
    [200, 409],
    [200, 200],
    [201, 422],
    [201, 200, 200],
    [200],
  ])
  const [, , held, booked, approved, moved, timeOff, noShow, history] = answers
  const [hold, taken] = held.bodies
  expect(hold).toMatchObject({ origin: 'patient' })
  expect(taken).toMatchObject({ code: 'slot-taken' })
  expect(taken.alternatives.length).toBeGreaterThan(0)
  const [visit] = booked.bodies
  expect(visit).toMatchObject({ status: 'pending', start: hold.start, mode: 'video' })
  expect(approved.bodies).toMatchObject([
    { status: 'confirmed', id: visit.id },
    { code: 'illegal-transition', from: 'confirmed' },
  ])
  expect(moved.bodies.map(({ status }) => status)).toEqual(['pending', 'confirmed'])
  expect(Date.parse(moved.bodies[0].start)).toBeLessThan(Date.parse(visit.end))
  expect(timeOff.bodies).toMatchObject([
    { affected: [{ id: visit.id, status: 'cancelled' }] },
    { code: 'slot-not-offered', reasons: ['time-off'] },
  ])
  expect(noShow.bodies).toMatchObject([{ status: 'no-show' }])
  expect(history.printed.match(/appointment\.[a-z-]+/g)).toEqual(
    ['requested', 'approved', 'rescheduled', 'approved', 'cancelled'].map((what) => `appointment.${what}`),
  )
})

const walkOf = (blocks) => walk(blocks, { folder, written: ADDRESS_OF_PAGES, address: server.address })

function expectTour(answers) {
  const [setUp, registered, verified, published, found, booked, second, cancelled] = answers
  expect(answers.map(({ statuses }) => statuses)).toEqual([
    [],
    [201, 200, 404],
    [200, 200],
    [200, 200],
    [201, 200, 200, 200],
    [201],
    [200, 409],
    [200, 200],
  ])
  expect(setUp.printed).toBe('')

  const [doctor, unknown] = registered.bodies
  expect(doctor).toMatchObject({ role: 'doctor', fullName: expect.stringMatching(/^Farida Khan \d+$/) })
  expect(unknown.code).toBe('doctor-not-found')
  expect(verified.bodies).toHaveLength(1)
  const [profile, schedule] = published.bodies
  expect(profile).toMatchObject({ specialties: ['Cardiology'], consultationFee: { amountMinor: 80_000 } })
  expect(schedule.rules).toHaveLength(2)

  const [patient, listing, openings] = found.bodies
  expect(patient.role).toBe('patient')
  expect(listing.items.map(({ id }) => id)).toEqual([doctor.id])
  const slot = openings.slots[0].start

  const [appointment] = booked.bodies
  expect(booked.printed).toMatch(/^HTTP\/[\d.]+ 201 Created\r?$/m)
  expect(appointment).toMatchObject({
    doctorId: doctor.id,
    patientId: patient.id,
    start: slot,
    status: 'confirmed',
  })

  const [refused] = second.bodies
  expect(second.printed).toMatch(/^HTTP\/[\d.]+ 409 Conflict\r?$/m)
  expect(refused.code).toBe('slot-taken')
  expect(refused.alternatives.length).toBeGreaterThan(0)
  expect(refused.alternatives.map(({ start }) => start)).not.toContain(slot)

  expect(cancelled.bodies).toMatchObject([{ id: appointment.id, status: 'cancelled' }])
  expect(cancelled.printed.trim().split('\n').slice(-2)).toEqual([slot, slot])
}
