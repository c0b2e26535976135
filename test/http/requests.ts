/**
 * A minimal valid request for every operation, by its id: the walk of the permission table asks here, so
 * that a new route without an entry fails to compile and fails the test.
 */
import { env } from 'cloudflare:workers'
import { newId } from '#db/id'
import type { Role } from '#db/schema'
import type { OperationId } from '#http/permission'
import type { SeededUser } from '../support/accounts'
import type { Call } from '../support/api'

/** What a request names. */
export interface Subjects {
  readonly doctorId: string
  /** A slot that this doctor offers, where they are known. */
  readonly start: string
  readonly patientId: string
  readonly appointmentId: string
  readonly openingId: string
}

/** Plausible ids of nothing. */
export const unknownSubjects = (): Subjects => ({
  doctorId: newId('usr'),
  start: new Date(Math.ceil(Date.now() / 3_600_000 + 30) * 3_600_000).toISOString(),
  patientId: newId('usr'),
  appointmentId: newId('apt'),
  openingId: newId('opn'),
})

export type Sent = Call & { readonly path: string }

const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

const form = (fields: Record<string, string>): Call => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
})

const nobody = () => ({ email: `${newId('req')}@test.praxis.example`, password: 'Test-Pass-1234!' })

const hours = { rrule: 'FREQ=DAILY', startTime: '00:00', endTime: '24:00', startDate: '2026-01-01' }

export const requests: Record<OperationId, (subjects: Subjects, role: Role | undefined) => Sent> = {
  getStart: () => ({ path: '/' }),
  getOpenApi: () => ({ path: '/openapi.json' }),
  getSwaggerUi: () => ({ path: '/docs' }),
  getRedoc: () => ({ path: '/redoc' }),
  getProblemPage: () => ({ path: '/problems/slot-taken' }),
  getHealth: () => ({ path: '/health' }),
  getReadiness: () => ({ path: '/health/ready' }),

  register: () => ({
    path: '/v1/auth/register',
    body: { ...nobody(), fullName: 'Walker of the table', role: 'patient' },
  }),
  login: () => ({ path: '/v1/auth/login', body: nobody() }),
  issueToken: () => {
    const { email, password } = nobody()
    return { path: '/v1/auth/token', ...form({ grant_type: 'password', username: email, password }) }
  },
  refreshSession: () => ({ path: '/v1/auth/refresh', body: { refreshToken: newId('tok') } }),
  logout: () => ({ path: '/v1/auth/logout' }),
  getMe: () => ({ path: '/v1/me' }),
  updateMe: () => ({ path: '/v1/me', body: { fullName: 'Renamed by the walk' } }),
  verifyDoctor: ({ doctorId }) => ({ path: `/v1/admin/doctors/${doctorId}/verify`, body: { note: 'walk' } }),

  listDoctors: () => ({ path: '/v1/doctors' }),
  getDoctor: ({ doctorId }) => ({ path: `/v1/doctors/${doctorId}` }),
  getOwnDoctor: () => ({ path: '/v1/doctors/me' }),
  updateOwnDoctor: () => ({ path: '/v1/doctors/me', body: { bio: 'Written by the walk' } }),
  listSpecialties: () => ({ path: '/v1/specialties' }),
  createSpecialty: () => ({ path: '/v1/specialties', body: { name: `Walk ${newId('spc').slice(-20)}` } }),

  getSchedule: () => ({ path: '/v1/doctors/me/schedule' }),
  setSchedule: () => ({ path: '/v1/doctors/me/schedule', body: { timeZone: 'UTC', rules: [hours] } }),
  listOpenings: () => ({ path: '/v1/doctors/me/availability' }),
  addOpening: () => ({
    path: '/v1/doctors/me/availability',
    body: { start: `${day(40)}T10:00:00Z`, end: `${day(40)}T11:00:00Z` },
  }),
  removeOpening: ({ openingId }) => ({ path: `/v1/doctors/me/availability/${openingId}` }),
  listVisitTypes: () => ({ path: '/v1/doctors/me/visit-types' }),
  listSlots: ({ doctorId }) => ({ path: `/v1/doctors/${doctorId}/slots` }),

  bookAppointment: ({ doctorId, start, patientId }, role) => ({
    path: '/v1/appointments',
    body: { doctorId, start, ...(role === 'admin' && { patientId }) },
  }),
  listAppointments: () => ({ path: '/v1/appointments' }),
  getAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}` }),
  cancelAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/cancel`, body: {} }),
  deleteAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}` }),
}

/** Gives the doctor an opening of their own, so that removing it is refused by nothing but the right. */
export async function giveOpening({ userId }: SeededUser): Promise<string> {
  const id = newId('opn')
  const startMs = Date.now() + 50 * 86_400_000
  await env.DB.prepare('INSERT INTO opening VALUES (?, ?, ?, ?, 0)')
    .bind(id, userId, startMs, startMs + 3_600_000)
    .run()
  return id
}

/** Everything that D1 holds but for the epochs of calendars, which every load raises. */
export async function everything(): Promise<string> {
  const { results } = await env.DB.prepare('PRAGMA table_list').all<{ name: string; strict: number }>()
  const names = results.filter(({ strict }) => strict === 1).map(({ name }) => name)
  const all = await env.DB.batch(
    names.map((name) =>
      env.DB.prepare(
        name === 'calendar' ? 'SELECT doctor_id, version FROM calendar' : `SELECT * FROM ${name}`,
      ),
    ),
  )
  return JSON.stringify(all.map((table, index) => [names[index], table.results]))
}
