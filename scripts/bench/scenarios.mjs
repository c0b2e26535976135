/** What is measured: each scenario makes the requests of its runs, and says which answer is right. */
import { BUSY, busyStart, ORDINARY, PASSWORD, seedDoctors, seedPatients } from './seed.mjs'

/** So many that none of them meets the limit of ten bookings a minute with one doctor. */
const PATIENTS = 4000
/** Bookings that one run may make. */
const MAX_BOOKINGS = 6000
const DISTANT_BOOKINGS = 4000
const FIFTY = 50
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

/** Seeds what the scenarios need. `each` is a function of the run, whose bookings are for nobody else. */
export async function prepare(database) {
  const patients = await seedPatients(database, PATIENTS)
  const listed = await seedDoctors(database, LISTED_DOCTORS, ORDINARY)
  const [shown] = listed
  let slot = 0
  /** Bookings of patients in turn: no patient twice at one time, no slot twice. */
  const bookings = async (doctors, count) => {
    const first = slot
    slot += Math.ceil(count / doctors.length)
    return Array.from({ length: count }, (_, index) =>
      request('POST', '/v1/appointments', {
        token: patients[index % PATIENTS].token,
        body: {
          doctorId: doctors[index % doctors.length].id,
          start: busyStart(first + Math.floor(index / doctors.length)),
        },
      }),
    )
  }
  const busy = (count) => seedDoctors(database, count, BUSY)
  const listing = ({ id }, query = '') => request('GET', `/v1/doctors/${id}/slots${query}`)

  const scenarios = [
    { name: 'hello', at: 'hello', expects: 200, again: true, requests: () => [request('GET', '/')] },
    { name: 'listing, kept in the isolate', expects: 200, again: true, requests: () => [listing(shown)] },
    {
      name: 'listing, from KV',
      expects: 200,
      again: true,
      requests: () => listed.map((doctor) => listing(doctor)),
    },
    { name: 'listing, fresh', expects: 200, again: true, requests: () => [listing(shown, '?fresh=true')] },
    {
      name: 'booking, one doctor',
      expects: 201,
      requests: async () => bookings(await busy(1), MAX_BOOKINGS),
    },
    {
      name: 'booking, fifty doctors',
      expects: 201,
      requests: async () => bookings(await busy(FIFTY), MAX_BOOKINGS),
    },
    {
      name: 'signed-in read',
      expects: 200,
      again: true,
      async requests() {
        const { results } = await database
          .prepare(`SELECT id, patient_id FROM appointment WHERE status = 'confirmed' LIMIT 1000`)
          .all()
        const tokens = new Map(patients.map(({ id, token }) => [id, token]))
        return results.map(({ id, patient_id }) =>
          request('GET', `/v1/appointments/${id}`, { token: tokens.get(patient_id) }),
        )
      },
    },
    {
      name: 'login',
      expects: 200,
      again: true,
      requests: () =>
        patients
          .slice(0, 100)
          .map(({ email }) => request('POST', '/v1/auth/login', { body: { email, password: PASSWORD } })),
    },
    {
      name: 'booking, one doctor, D1 20 ms away',
      at: 'distant',
      expects: 201,
      requests: async () => bookings(await busy(1), DISTANT_BOOKINGS),
    },
  ]

  /** Before anything else: the openings of every listed doctor are in KV once their object has been asked. */
  const fillKv = () => listed.map((doctor) => listing(doctor, '?fresh=true'))

  /** Everybody wants the same slot of one doctor, whose object is awake. */
  const race = async () => {
    const [doctor] = await busy(1)
    const start = busyStart(slot)
    slot += 1
    return {
      wake: [listing(doctor, '?fresh=true')],
      requests: patients
        .slice(0, RACERS)
        .map(({ token }) =>
          request('POST', '/v1/appointments', { token, body: { doctorId: doctor.id, start } }),
        ),
    }
  }
  return { scenarios, fillKv, race }
}
