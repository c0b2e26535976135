/** A doctor with hours, and what tests ask of their calendar. */
import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { newId } from '#db/id'
import { type Openings, openingsKey } from '#scheduling/openings'
import { type SeededUser, type SeedOverrides, seedUser } from './accounts'
import { type Answer, call } from './api'
import { answered, calendarOf } from './commands'

/** Round the clock, every day. */
export const ALWAYS = { rrule: 'FREQ=DAILY', startTime: '00:00', endTime: '24:00', startDate: '2020-01-01' }

/** A verified doctor who works round the clock, unless the schedule says otherwise. */
export async function seedClinic(schedule: object = {}, overrides: SeedOverrides = {}): Promise<SeededUser> {
  const doctor = await seedUser(env, 'doctor', overrides)
  const answer = await call('PUT', '/v1/doctors/me/schedule', {
    token: doctor.token,
    body: { timeZone: 'UTC', rules: [ALWAYS], ...schedule },
  })
  if (answer.status !== 200) throw new Error(`No schedule: ${JSON.stringify(answer.body)}`)
  return doctor
}

export interface OpenSlot {
  start: string
  end: string
  visitTypeId: string
}

/** The open slots of the coming week, past every cache. */
export async function openSlots(doctorId: string, query = ''): Promise<OpenSlot[]> {
  const answer = await call('GET', `/v1/doctors/${doctorId}/slots?fresh=true${query}`)
  return answer.body.slots
}

/** The start of an open slot, counted from the second-next. */
export async function openStart(doctorId: string, index = 1): Promise<string> {
  const slot = (await openSlots(doctorId))[index]
  if (slot === undefined) throw new Error('No open slot')
  return slot.start
}

export const isOpen = async (doctorId: string, start: string): Promise<boolean> =>
  (await openSlots(doctorId)).some((slot) => slot.start === start)

/** Books, with a key if one is given. */
export const book = (
  patient: Pick<SeededUser, 'token'> | undefined,
  doctorId: string,
  start: string,
  key?: string,
  others: object = {},
): Promise<Answer> =>
  call('POST', '/v1/appointments', {
    token: patient?.token ?? '',
    body: { doctorId, start, ...others },
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })

/** Rows of D1, for what HTTP does not show. */
export async function rows<Row = Record<string, unknown>>(sql: string, ...params: unknown[]): Promise<Row[]> {
  const { results } = await env.DB.prepare(sql)
    .bind(...params)
    .all<Row>()
  return results
}

/** Active appointments of a doctor that overlap another: there must be none. */
export const overlapping = (doctorId: string) =>
  rows(
    `SELECT a.id, b.id AS other FROM appointment a JOIN appointment b ON a.doctor_id = b.doctor_id AND a.id < b.id
     WHERE a.doctor_id = ? AND a.status IN ('pending', 'confirmed', 'in-progress')
       AND b.status IN ('pending', 'confirmed', 'in-progress')
       AND a.blocked_start_ms < b.blocked_end_ms AND b.blocked_start_ms < a.blocked_end_ms`,
    doctorId,
  )

/** The length of a visit, where nothing else is said. */
export const HALF_HOUR_MS = 1_800_000

/** A confirmed visit of half an hour, written past the object: D1 knows of it and memory does not. */
export const bookPast = (doctor: SeededUser, patient: SeededUser | undefined, startMs: number) =>
  rows(
    `INSERT INTO appointment (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, status, mode, cancellable_until_ms, version, created_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?6, 'confirmed', 'in-person', ?5, 1, 0, 0)`,
    newId('apt'),
    doctor.userId,
    patient?.userId,
    doctor.visitTypeId,
    startMs,
    startMs + HALF_HOUR_MS,
  )

/** So many confirmed visits of half an hour, one after another, written past the object. */
export const bookManyPast = (
  doctor: SeededUser,
  patient: SeededUser | undefined,
  startMs: number,
  count: number,
  notes: string | null = null,
) =>
  rows(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?6)
     INSERT INTO appointment (id, doctor_id, patient_id, visit_type_id, start_ms, end_ms, blocked_start_ms,
       blocked_end_ms, status, mode, notes, cancellable_until_ms, version, created_at, updated_at)
     SELECT ?1 || i, ?2, ?3, ?4, ?5 + i * ?7, ?5 + (i + 1) * ?7, ?5 + i * ?7, ?5 + (i + 1) * ?7, 'confirmed',
       'in-person', ?8, ?5, 1, 0, 0 FROM n`,
    newId('apt'),
    doctor.userId,
    patient?.userId,
    doctor.visitTypeId,
    startMs,
    count,
    HALF_HOUR_MS,
    notes,
  )

/** Ends the session of the user: from now on D1 says no to whatever they do. */
export const endSession = ({ sessionId }: SeededUser) =>
  rows('UPDATE session SET ended_at = 1 WHERE id = ?', sessionId)

/** The types of the events of an appointment, a hold or a time off, in their order. */
export const eventsOf = async (subjectId: string): Promise<string[]> =>
  (
    await rows<{ type: string }>('SELECT type FROM event WHERE subject_id = ? ORDER BY sequence', subjectId)
  ).map(({ type }) => type)

/** What the object has in memory, past every cache. */
export const memoryOf = async (doctorId: string): Promise<Openings> =>
  answered(await calendarOf(doctorId).openings())

/** Whether somebody waits for the time of a hold: then nobody is told when it lapses, and until D1 knows it blocks. */
const AWAITED = `EXISTS (SELECT 1 FROM waitlist AS w WHERE w.doctor_id = hold.doctor_id AND w.ended_at IS NULL
  AND w.from_ms < hold.blocked_end_ms AND w.to_ms > hold.blocked_start_ms)`

/** D1 and the object's memory tell the same of the doctor's time, and nothing in it overlaps. */
export async function expectAgreement(doctorId: string): Promise<void> {
  const memory = await memoryOf(doctorId)
  const taken = await rows<{ start: number; end: number; lapsesAt: number | null }>(
    `SELECT blocked_start_ms AS start, blocked_end_ms AS end, NULL AS lapsesAt FROM appointment
     WHERE doctor_id = ?1 AND status IN ('pending', 'confirmed', 'in-progress')
     UNION ALL SELECT blocked_start_ms, blocked_end_ms, iif(${AWAITED}, NULL, expires_at) FROM hold
     WHERE doctor_id = ?1 AND ended_at IS NULL AND (expires_at > ?2 OR ${AWAITED}) ORDER BY 1, 2`,
    doctorId,
    Date.now(),
  )
  expect(memory.busy.map(([start, end, lapsesAt = null]) => ({ start, end, lapsesAt }))).toEqual(taken)
  for (const [index, { end }] of taken.entries()) {
    expect(taken[index + 1]?.start ?? end).toBeGreaterThanOrEqual(end)
  }
  const counted = await rows<{ day: string; count: number }>(
    `SELECT date(start_ms / 1000, 'unixepoch') AS day, count(*) AS count FROM (
       SELECT start_ms FROM appointment WHERE doctor_id = ?1 AND status NOT IN ('cancelled', 'rejected')
       UNION ALL SELECT start_ms FROM hold
       WHERE doctor_id = ?1 AND ended_at IS NULL AND (expires_at > ?2 OR ${AWAITED}))
     GROUP BY 1`,
    doctorId,
    Date.now(),
  )
  expect(Object.fromEntries(Object.entries(memory.bookedPerDay).filter(([, count]) => count > 0))).toEqual(
    Object.fromEntries(counted.map(({ day, count }) => [day, count])),
  )
  expect(memory.timeOff).toEqual(
    (
      await rows<{ start_ms: number; end_ms: number }>(
        'SELECT start_ms, end_ms FROM time_off WHERE doctor_id = ? ORDER BY start_ms, end_ms',
        doctorId,
      )
    ).map(({ start_ms, end_ms }) => [start_ms, end_ms]),
  )
  expect(await rows('SELECT version FROM calendar WHERE doctor_id = ?', doctorId)).toEqual([
    { version: memory.version },
  ])
}

/** KV comes to show what the object has in memory, without help. */
export const expectListed = (doctorId: string): Promise<void> =>
  vi.waitFor(
    async () => {
      const { version, busy, timeOff } = await memoryOf(doctorId)
      const listed = await env.OPENINGS.get<Openings>(openingsKey(doctorId), 'json')
      expect(listed).toMatchObject({ version, busy, timeOff })
    },
    { timeout: 5000, interval: 50 },
  )
