/** What is measured: each scenario makes the requests of its runs, and says which answer is right. */
import { BUSY, busyStart, ORDINARY, PASSWORD, seedDoctors, seedPatients } from './seed.mjs'

/** So many that none of them meets the limit of ten bookings a minute with one doctor. */
const PATIENTS = 4000
/** Bookings that one run may make. */
const MAX_BOOKINGS = 6000
const DISTANT_BOOKINGS = 4000
const FIFTY = 50
/** Patients who sign in. */
const SIGNING_IN = 100
/** More than an isolate keeps openings of, so that each listing reads KV. */
const LISTED_DOCTORS = 600

/** One racer a patient, each on a connection of their own. */
export const RACERS = 500

/** The text of a request. */
function request(method, path, { token, body } = {}) {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: praxis.bench']
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`)
  const text = body === undefined ? '' : JSON.stringify(body)
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${text.length}`)
  return `${lines.join('\r\n')}\r\n\r\n${text}`
}

const listing = ({ id }, query = '') => request('GET', `/v1/doctors/${id}/slots${query}`)

const login = ({ email }) => request('POST', '/v1/auth/login', { body: { email, password: PASSWORD } })

const booking = ({ token }, { id: doctorId }, start) =>
  request('POST', '/v1/appointments', { token, body: { doctorId, start } })

/** Seeds what the scenarios need, in the order in which they run: the signed-in read reads what was booked. */
export async function prepare(database) {
  const patients = await seedPatients(database, PATIENTS)
  const listed = await seedDoctors(database, LISTED_DOCTORS, ORDINARY)
  const busy = (count) => seedDoctors(database, count, BUSY)
  const slots = freeSlots()
  const bookings = bookingsOf(patients, busy, slots)
  return {
    scenarios: scenariosOf(listed, bookings, patients, database),
    /** Before anything else: the openings of every listed doctor are in KV once their object has been asked. */
    fillKv: () => listed.map((doctor) => listing(doctor, '?fresh=true')),
    /** Everybody wants the same slot of one doctor, whose object is awake. */
    async race() {
      const [doctor] = await busy(1)
      const start = busyStart(slots.take(1))
      return {
        wake: [listing(doctor, '?fresh=true')],
        requests: patients.slice(0, RACERS).map((patient) => booking(patient, doctor, start)),
      }
    },
  }
}

/** Slots in turn, none of them twice: a patient who books again books another time. */
function freeSlots() {
  let next = 0
  return {
    /** The index of the first of so many. */
    take(count) {
      next += count
      return next - count
    },
  }
}

/** Makes so many bookings of so many doctors of their own, by patients in turn. */
const bookingsOf = (patients, busy, slots) => async (doctorCount, count) => {
  const doctors = await busy(doctorCount)
  const first = slots.take(Math.ceil(count / doctorCount))
  return Array.from({ length: count }, (_, index) => {
    const start = busyStart(first + Math.floor(index / doctorCount))
    return booking(patients[index % PATIENTS], doctors[index % doctorCount], start)
  })
}

function scenariosOf(listed, bookings, patients, database) {
  const [shown] = listed
  const reading = { expects: 200, again: true }
  const writing = { expects: 201 }
  return [
    { name: 'hello', at: 'hello', ...reading, requests: () => [request('GET', '/')] },
    { name: 'listing, kept in the isolate', ...reading, requests: () => [listing(shown)] },
    { name: 'listing, from KV', ...reading, requests: () => listed.map((doctor) => listing(doctor)) },
    { name: 'listing, fresh', ...reading, requests: () => [listing(shown, '?fresh=true')] },
    { name: 'booking, one doctor', ...writing, requests: () => bookings(1, MAX_BOOKINGS) },
    { name: 'booking, fifty doctors', ...writing, requests: () => bookings(FIFTY, MAX_BOOKINGS) },
    { name: 'signed-in read', ...reading, requests: () => signedInReads(patients, database) },
    { name: 'login', ...reading, requests: () => patients.slice(0, SIGNING_IN).map(login) },
    {
      name: 'booking, one doctor, D1 20 ms away',
      at: 'distant',
      ...writing,
      requests: () => bookings(1, DISTANT_BOOKINGS),
    },
  ]
}

async function signedInReads(patients, database) {
  const { results } = await database
    .prepare(`SELECT id, patient_id FROM appointment WHERE status = 'confirmed' LIMIT 1000`)
    .all()
  const tokens = new Map(patients.map(({ id, token }) => [id, token]))
  return results.map(({ id, patient_id }) =>
    request('GET', `/v1/appointments/${id}`, { token: tokens.get(patient_id) }),
  )
}
