/** A doctor with hours, and what tests ask of their calendar. */
import { env } from 'cloudflare:workers'
import { type SeededUser, type SeedOverrides, seedUser } from './accounts'
import { type Answer, call } from './api'

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
