/** The README's tour, walked as a reader does: its own commands, in one bash, against `npm run dev`. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT, runToEnd } from '../../scripts/tool.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'

const WALK_TIMEOUT_MS = 60_000
const ADDRESS_OF_README = 'API=http://localhost:8787'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const tour = /^## A tour, by curl\n(.*?)^## /ms.exec(readme)?.[1] ?? ''
const blocks = [...tour.matchAll(/^```bash\n(.*?)^```$/gms)].map(([, commands]) => commands)

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
  expect(blocks).toHaveLength(8)
  expect(blocks[0]).toContain(ADDRESS_OF_README)
  expectTour(await walk())
  // The names of a walk are the second's in which it began.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expectTour(await walk())
})

/** What each block was answered: the statuses, in the order of its calls, and what it printed. */
async function walk() {
  const mark = '=== the next block'
  const script = blocks
    .map((commands) => `echo '${mark}'; echo '${mark}' >&2\n${commands}`)
    .join('\n')
    .replace(ADDRESS_OF_README, `API=${server.address}`)
  const bash = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, PATH: [shim(), process.env.PATH].join(delimiter) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: WALK_TIMEOUT_MS,
  })
  let errors = ''
  bash.stderr.on('data', (chunk) => {
    errors += chunk
  })
  let output = ''
  bash.stdout.on('data', (chunk) => {
    output += chunk
  })
  const { code } = await runToEnd(bash)
  expect(code, errors).toBe(0)
  const split = (text) => text.split(`${mark}\n`).slice(1)
  const statuses = split(errors).map((text) => text.trim().split(/\s+/).filter(Boolean))
  return split(output).map((printed, index) => ({
    statuses: statuses[index].map((status) => (/^\d{3}$/.test(status) ? Number(status) : status)),
    bodies: printed
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line)),
    printed,
  }))
}

/** A `curl` that is the real one, and tells stderr the status of every answer as well. */
function shim() {
  const file = join(folder, 'curl')
  const real = `env PATH='${process.env.PATH}' curl`
  writeFileSync(file, `#!/bin/sh\nexec ${real} "$@" -w '\\n%{stderr}%{http_code}\\n'\n`)
  chmodSync(file, 0o755)
  return folder
}

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
