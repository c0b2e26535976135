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
  readonly holdId: string
  readonly waitlistId: string
  readonly openingId: string
  readonly timeOffId: string
  readonly visitTypeId: string
}

/** What a doctor has of their own. */
export type Own = Pick<Subjects, 'openingId' | 'timeOffId' | 'visitTypeId'>

export const unknownOwn = (): Own => ({
  openingId: newId('opn'),
  timeOffId: newId('tof'),
  visitTypeId: newId('vis'),
})

/** Plausible ids of nothing. */
export const unknownSubjects = (): Subjects => ({
  doctorId: newId('usr'),
  start: new Date(Math.ceil(Date.now() / 3_600_000 + 30) * 3_600_000).toISOString(),
  patientId: newId('usr'),
  appointmentId: newId('apt'),
  holdId: newId('hld'),
  waitlistId: newId('wtl'),
  ...unknownOwn(),
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
  searchSlots: () => ({ path: `/v1/slots?date=${day(2)}` }),
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
  editOpening: ({ openingId }) => ({
    path: `/v1/doctors/me/availability/${openingId}`,
    body: { start: `${day(45)}T10:00:00Z`, end: `${day(45)}T11:00:00Z` },
  }),
  removeOpening: ({ openingId }) => ({ path: `/v1/doctors/me/availability/${openingId}` }),
  listTimeOff: () => ({ path: '/v1/doctors/me/time-off' }),
  takeTimeOff: () => ({
    path: '/v1/doctors/me/time-off',
    body: { start: `${day(41)}T10:00:00Z`, end: `${day(41)}T11:00:00Z`, onConflict: 'keep' },
  }),
  withdrawTimeOff: ({ timeOffId }) => ({ path: `/v1/doctors/me/time-off/${timeOffId}` }),
  listVisitTypes: () => ({ path: '/v1/doctors/me/visit-types' }),
  addVisitType: () => ({
    path: '/v1/doctors/me/visit-types',
    body: { name: 'Named by the walk', durationMinutes: 20 },
  }),
  editVisitType: ({ visitTypeId }) => ({
    path: `/v1/doctors/me/visit-types/${visitTypeId}`,
    body: { name: 'Renamed by the walk' },
  }),
  archiveVisitType: ({ visitTypeId }) => ({ path: `/v1/doctors/me/visit-types/${visitTypeId}` }),
  listSlots: ({ doctorId }) => ({ path: `/v1/doctors/${doctorId}/slots` }),
  listenToSlots: ({ doctorId }) => ({
    path: `/v1/doctors/${doctorId}/slots/live`,
    headers: { Upgrade: 'websocket' },
  }),

  takeHold: ({ doctorId, start }) => ({ path: '/v1/holds', body: { doctorId, start } }),
  listHolds: () => ({ path: '/v1/holds' }),
  releaseHold: ({ holdId }) => ({ path: `/v1/holds/${holdId}` }),
  joinWaitlist: ({ doctorId }) => ({
    path: '/v1/waitlist',
    body: { doctorId, from: `${day(40)}T10:00:00Z`, to: `${day(45)}T10:00:00Z` },
  }),
  listWaitlist: () => ({ path: '/v1/waitlist' }),
  leaveWaitlist: ({ waitlistId }) => ({ path: `/v1/waitlist/${waitlistId}` }),

  bookAppointment: ({ doctorId, start, patientId }, role) => ({
    path: '/v1/appointments',
    body: { doctorId, start, ...(role === 'admin' && { patientId }) },
  }),
  listAppointments: () => ({ path: '/v1/appointments' }),
  getAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}` }),
  getAppointmentHistory: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/history` }),
  updateAppointment: ({ appointmentId }) => ({
    path: `/v1/appointments/${appointmentId}`,
    body: { notes: 'Written by the walk' },
  }),
  approveAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/approve` }),
  rejectAppointment: ({ appointmentId }) => ({
    path: `/v1/appointments/${appointmentId}/reject`,
    body: { remarks: 'walk' },
  }),
  rescheduleAppointment: ({ appointmentId, start }) => ({
    path: `/v1/appointments/${appointmentId}/reschedule`,
    body: { start },
  }),
  cancelAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/cancel`, body: {} }),
  deleteAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}` }),
  startAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/start` }),
  completeAppointment: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/complete` }),
  noteNoShow: ({ appointmentId }) => ({ path: `/v1/appointments/${appointmentId}/no-show` }),
}

/** Gives the doctor one of each, so that changing it is refused by nothing but the right. */
export async function giveTime({ userId }: SeededUser): Promise<Own> {
  const own = unknownOwn()
  const ends = [Date.now() + 50 * 86_400_000, Date.now() + 51 * 86_400_000]
  await env.DB.batch([
    env.DB.prepare(
      'INSERT INTO opening (id, doctor_id, start_ms, end_ms, created_at) VALUES (?, ?, ?, ?, 0)',
    ).bind(own.openingId, userId, ...ends),
    env.DB.prepare(
      'INSERT INTO time_off (id, doctor_id, start_ms, end_ms, created_at) VALUES (?, ?, ?, ?, 0)',
    ).bind(own.timeOffId, userId, ...ends),
    env.DB.prepare(
      `INSERT INTO visit_type (id, doctor_id, name, duration_minutes, buffer_before_minutes, buffer_after_minutes,
         mode, created_at) VALUES (?, ?, 'Second', 30, 0, 0, 'video', 0)`,
    ).bind(own.visitTypeId, userId),
  ])
  return own
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
