/** People for the measurements, written straight to D1 with live sessions and signed tokens, and one password. */
import { createHmac } from 'node:crypto'
import initializeArgon2 from '@phi-ag/argon2/node'
import { TOKEN_KEY } from './runtime.mjs'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const TOKEN_SECONDS = 15 * 60

export const PASSWORD = 'Bench-Pass-1234!'

/** As in src/accounts/password.ts: Argon2id, 19 MiB, two passes, one lane. */
const ARGON2_SETTINGS = { type: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** A booking takes five minutes around the clock, so that one doctor has room for a whole run. */
export const BUSY = {
  rule: { rrule: 'FREQ=DAILY', startTime: '00:00', endTime: '24:00' },
  slotMinutes: 5,
  horizonDays: 365,
}
/** What a listing shows: a week of half hours, from nine to five on weekdays. */
export const ORDINARY = {
  rule: { rrule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR', startTime: '09:00', endTime: '17:00' },
  slotMinutes: 30,
  horizonDays: 60,
}

let seeded = 0

export async function seedPatients(database, count) {
  const argon2 = await initializeArgon2()
  const patients = people('patient', count)
  const { encoded } = argon2.hash(PASSWORD, ARGON2_SETTINGS)
  await insertPeople(database, patients, 'patient', encoded, [
    `INSERT INTO patient (user_id) SELECT value ->> 'id' FROM json_each(?1)`,
  ])
  return patients
}

export async function seedDoctors(database, count, { rule, slotMinutes, horizonDays }) {
  const doctors = people('doctor', count)
  const rules = JSON.stringify([{ ...rule, startDate: '2020-01-01' }])
  await insertPeople(database, doctors, 'doctor', '$argon2id$none', [
    `INSERT INTO doctor (user_id, sort_name, languages, verified_at, version)
     SELECT value ->> 'id', value ->> 'id', '[]', 1, 1 FROM json_each(?1)`,
    `INSERT INTO calendar (doctor_id, epoch, writer_epoch, version, next_check_at)
     SELECT value ->> 'id', 0, 0, 0, 0 FROM json_each(?1)`,
    `INSERT INTO visit_type (id, doctor_id, name, duration_minutes, buffer_before_minutes, buffer_after_minutes,
       mode, created_at)
     SELECT value ->> 'visitTypeId', value ->> 'id', 'Consultation', ${slotMinutes}, 0, 0, 'in-person', 1
     FROM json_each(?1)`,
    `INSERT INTO schedule (doctor_id, time_zone, rules, slot_minutes, min_notice_minutes, horizon_days, approval,
       cancellation_notice_minutes, daily_limit, version, updated_at)
     SELECT value ->> 'id', 'UTC', '${rules}', ${slotMinutes}, 0, ${horizonDays}, 'auto', 0, NULL, 1, 1
     FROM json_each(?1)`,
  ])
  return doctors
}

const people = (role, count) =>
  Array.from({ length: count }, () => {
    seeded += 1
    const number = String(seeded).padStart(8, '0')
    const id = `usr_bench${number}`
    const sessionId = `ses_bench${number}`
    return {
      id,
      sessionId,
      visitTypeId: `vis_bench${number}`,
      email: `${id}@bench.praxis.example`,
      token: tokenOf({ sub: id, sid: sessionId, role }),
    }
  })

async function insertPeople(database, users, role, passwordHash, others) {
  const nowMs = Date.now()
  const statements = [
    [
      `INSERT INTO user (id, email, password_hash, full_name, role, status, time_zone, version, created_at, updated_at)
       SELECT value ->> 'id', value ->> 'email', ?2, 'Bench ' || ?3 || ' ' || (key + 1), ?3, 'active', 'UTC', 1, ?4, ?4
       FROM json_each(?1)`,
      passwordHash,
      role,
      nowMs,
    ],
    [
      `INSERT INTO session (id, user_id, role, created_at, last_seen_at, expires_at)
       SELECT value ->> 'sessionId', value ->> 'id', ?2, ?3, ?3, ?4 FROM json_each(?1)`,
      role,
      nowMs,
      nowMs + DAY_MS,
    ],
    ...others.map((sql) => [sql]),
  ]
  const rows = JSON.stringify(users.map(({ token: _, ...user }) => user))
  await database.batch(statements.map(([sql, ...params]) => database.prepare(sql).bind(rows, ...params)))
}

/** A token as src/http/access-token.ts signs them. */
function tokenOf(claims) {
  const iat = Math.floor(Date.now() / 1000)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: TOKEN_KEY.kid })}.${part({
    iss: 'praxis',
    aud: 'praxis-api',
    iat,
    exp: iat + TOKEN_SECONDS,
    jti: claims.sid,
    ...claims,
  })}`
  return `${signed}.${createHmac('sha256', TOKEN_KEY.secret).update(signed).digest('base64url')}`
}

/** The start of the n-th slot of a busy doctor, from tomorrow on. */
export const busyStart = (index) =>
  new Date(
    (Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS + index * BUSY.slotMinutes * MINUTE_MS,
  ).toISOString()
