/** What D1 itself refuses of waiting, whoever writes. */
import { env } from 'cloudflare:workers'
import { beforeEach, expect, it } from 'vitest'
import { newId } from '#db/id'
import type { WaitlistEntry } from '#scheduling/core/waiting-list'
import { endEntries, insertEntry, noteOffers } from '#scheduling/waitlist-rows'
import { type SeededUser, seedUser } from '../support/accounts'
import { DAY_MS, sql, write } from './rows'

const NOW = Date.UTC(2030, 0, 1)
const MAX_OF_PATIENT = 20
const MAX_OF_DOCTOR = 500
const MAX_RANGE_MS = 62 * DAY_MS

let doctor: SeededUser
let patient: SeededUser

beforeEach(async () => {
  doctor = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
})

const entryOf = (more: Partial<WaitlistEntry> = {}): WaitlistEntry => ({
  id: newId('wtl'),
  doctorId: doctor.userId,
  patientId: patient.userId,
  visitTypeId: null,
  fromMs: NOW,
  toMs: NOW + DAY_MS,
  createdAt: NOW - DAY_MS,
  passedAt: null,
  offerId: null,
  freedAt: null,
  ...more,
})

it('more than twenty live entries of one patient, over all doctors; what is over or has ended counts no more', async () => {
  const other = await seedUser(env, 'doctor')
  const over = { fromMs: NOW - 3 * DAY_MS, toMs: NOW - DAY_MS, createdAt: NOW - 4 * DAY_MS }
  const entries = Array.from({ length: MAX_OF_PATIENT }, (_, at) =>
    entryOf(at % 2 === 0 ? {} : { doctorId: other.userId }),
  )
  expect(await write(insertEntry(entryOf(over)), ...entries.map(insertEntry))).toBe('done')
  expect(await write(insertEntry(entryOf()))).toBe('too-many-waiting')
  expect(await write(endEntries(entries.slice(0, 1), 'left', NOW))).toBe('done')
  expect(await write(insertEntry(entryOf()))).toBe('done')
})

it('more than five hundred live entries with one doctor', async () => {
  const patients = await Promise.all(Array.from({ length: 25 }, () => seedUser(env, 'patient')))
  const entries = Array.from({ length: MAX_OF_DOCTOR }, (_, at) =>
    entryOf({ patientId: patients[at % patients.length]?.userId ?? '' }),
  )
  expect(await write(...entries.map(insertEntry))).toBe('done')
  expect(await write(insertEntry(entryOf()))).toBe('waitlist-full')
})

it.each([
  ['no time at all', { toMs: NOW }],
  ['more than 62 days', { toMs: NOW + MAX_RANGE_MS + 1 }],
])('%s', async (_, more) => {
  expect(await write(insertEntry(entryOf(more)))).toContain('CHECK constraint failed: waitlist_range')
  expect(await write(insertEntry(entryOf({ toMs: NOW + MAX_RANGE_MS })))).toBe('done')
})

it('an offer, or an end, to what has ended; and whatever changes the wish', async () => {
  const entry = entryOf()
  expect(await write(insertEntry(entry))).toBe('done')
  for (const change of ['from_ms = from_ms + 1', 'to_ms = to_ms + 1', 'created_at = 0']) {
    expect(await sql(`UPDATE waitlist SET ${change} WHERE id = ?`, entry.id)).toBe('stale-version')
  }
  expect(await write(...noteOffers([{ ...entry, offerId: 'hld_1', freedAt: NOW }]))).toBe('done')
  expect(await write(endEntries([entry], 'booked', NOW))).toBe('done')
  expect(await write(...noteOffers([{ ...entry, passedAt: NOW }]))).toBe('stale-version')
  expect(await write(endEntries([entry], 'left', NOW))).toBe('stale-version')
})
