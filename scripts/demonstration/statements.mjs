/**
 * The demonstration data as statements of SQL: a pure function of now, so that it is the same on every machine
 * and its dates are relative to today. It is written through the ordinary constraints and triggers.
 */
import { bookVisits, padded, rulesFrom, VISIT_MINUTES, visitTypeId } from './book-visits.mjs'
import { DOCTORS } from './doctors.mjs'
import { PATIENTS } from './patients.mjs'

/** Everybody of the demonstration signs in with it. */
export const DEMONSTRATION_PASSWORD = 'Demo-Pass-1234!'

/** The row of `setting` that says that the data is loaded. */
export const DEMONSTRATION = 'demonstration'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** How long ago everybody registered. */
const REGISTERED_DAYS_AGO = 220

/** Loads the data in one batch unless that was done; tells whether it did. */
export async function loadDemonstration(database, nowMs, passwordHash) {
  const loaded = await database.prepare('SELECT 1 FROM setting WHERE key = ?').bind(DEMONSTRATION).first()
  if (loaded !== null) return false
  const statements = demonstration(nowMs, passwordHash)
  await database.batch(statements.map(({ sql, params }) => database.prepare(sql).bind(...params)))
  return true
}

/** All statements, in the order in which they are allowed; the first refuses a second load as a whole. */
export function demonstration(nowMs, passwordHash) {
  const now = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
  const registered = now - REGISTERED_DAYS_AGO * DAY_MS
  const doctors = DOCTORS.map((doctor, index) => ({ ...doctor, id: userId('doctor', index) }))
  const patients = PATIENTS.map((patient, index) => ({ ...patient, id: userId('patient', index) }))
  const appointments = bookVisits(doctors, patients, now)
  const events = [
    ...doctors.flatMap((doctor) => eventsOfDoctor(doctor, registered)),
    ...patients.map(({ id }) => newEvent('user.registered', id, id, registered, { role: 'patient' })),
    ...appointments.flatMap(eventsOfVisit),
  ].sort((a, b) => a.at - b.at)
  return [
    insert('setting', { key: DEMONSTRATION, value: 'loaded', updated_at: now }),
    ...doctors.flatMap((doctor) => [
      insertUser(doctor, 'doctor', `dr.${doctor.handle}`, passwordHash, registered),
      ...insertDoctor(doctor, registered, rulesFrom(now, doctor)),
    ]),
    ...patients.flatMap((patient) => [
      insertUser(patient, 'patient', `patient.${patient.handle}`, passwordHash, registered),
      insertPatient(patient),
    ]),
    ...appointments.map(({ row }) => insert('appointment', row)),
    // As published: nobody is to be told today of what happened in a past that never was.
    ...events.map((event, index) =>
      insert('event', { id: `evt_demo${padded(index, 4)}`, ...event, published_at: event.at }),
    ),
  ]
}

/** The sign-ins that a developer is told of. */
export const demonstrationEmail = (handle) => `${handle}@demo.praxis.example`

const userId = (role, index) => `usr_demo${role}${padded(index)}`

function insert(table, row) {
  const columns = Object.keys(row)
  const marks = columns.map(() => '?').join(', ')
  return { sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`, params: Object.values(row) }
}

const insertUser = ({ id, fullName, mobile = null, timeZone }, role, handle, passwordHash, at) =>
  insert('user', {
    id,
    email: demonstrationEmail(handle),
    password_hash: passwordHash,
    full_name: fullName,
    role,
    status: 'active',
    mobile,
    time_zone: timeZone,
    email_verified_at: at,
    version: 1,
    created_at: at,
    updated_at: at,
  })

const insertPatient = ({ id, dateOfBirth, sex, address, insurance: [provider, number] = [null, null] }) =>
  insert('patient', {
    user_id: id,
    date_of_birth: dateOfBirth,
    sex,
    address,
    insurance_provider: provider,
    insurance_number: number,
  })

function insertDoctor(doctor, registered, rules) {
  const { id, fee, address = {}, policy } = doctor
  return [
    insert('doctor', {
      user_id: id,
      sort_name: doctor.fullName.toLowerCase(),
      license_number: doctor.licenseNumber,
      experience_years: doctor.experienceYears,
      fee_minor: fee[0],
      fee_currency: fee[1],
      bio: doctor.bio,
      languages: JSON.stringify(doctor.languages),
      division: address.division ?? null,
      district: address.district ?? null,
      thana: address.thana ?? null,
      street: address.street ?? null,
      verified_at: doctor.unverified ? null : registered + DAY_MS,
      version: 1,
    }),
    // Their objects are woken to say when they are next free.
    insert('calendar', { doctor_id: id, epoch: 0, writer_epoch: 0, version: 0, next_check_at: 0 }),
    ...doctor.specialties.map((specialty) =>
      insert('doctor_specialty', { doctor_id: id, specialty_id: specialty }),
    ),
    insert('visit_type', {
      id: visitTypeId(doctor),
      doctor_id: id,
      name: 'Consultation',
      duration_minutes: VISIT_MINUTES,
      buffer_before_minutes: 0,
      buffer_after_minutes: 0,
      mode: doctor.mode,
      created_at: registered,
    }),
    ...(doctor.visitTypes ?? []).map((visitType, index) =>
      insertVisitType(doctor, visitType, index, registered),
    ),
    insert('schedule', {
      doctor_id: id,
      time_zone: doctor.timeZone,
      rules: JSON.stringify(rules),
      slot_minutes: policy.slotMinutes,
      min_notice_minutes: policy.minNoticeMinutes,
      horizon_days: policy.horizonDays,
      approval: policy.approval,
      cancellation_notice_minutes: policy.cancellationNoticeMinutes,
      daily_limit: policy.dailyLimit,
      version: 1,
      updated_at: registered + 2 * DAY_MS,
    }),
  ]
}

const insertVisitType = (
  doctor,
  { name, durationMinutes, bufferAfterMinutes, mode, fee },
  index,
  registered,
) =>
  insert('visit_type', {
    id: `${visitTypeId(doctor)}${padded(index)}`,
    doctor_id: doctor.id,
    name,
    duration_minutes: durationMinutes,
    buffer_before_minutes: 0,
    buffer_after_minutes: bufferAfterMinutes,
    mode,
    fee_minor: fee[0],
    fee_currency: fee[1],
    // After the ordinary one, which is what a booking gets that names none.
    created_at: registered + (index + 1) * MINUTE_MS,
  })

const newEvent = (type, actorId, subjectId, at, data) => ({
  type,
  actor_id: actorId,
  subject_id: subjectId,
  at,
  data: JSON.stringify(data),
})

const eventsOfVisit = ({ row, history }) =>
  history.map(([what, actorId, at, data]) => newEvent(`appointment.${what}`, actorId, row.id, at, data))

const eventsOfDoctor = ({ id, unverified }, registered) => [
  newEvent('user.registered', id, id, registered, { role: 'doctor' }),
  ...(unverified ? [] : [newEvent('doctor.verified', null, id, registered + DAY_MS, {})]),
  newEvent('schedule.changed', id, id, registered + 2 * DAY_MS, { doctorId: id, scheduleVersion: 1 }),
]
