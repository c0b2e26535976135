/** Bodies: what is too large, of the wrong kind or malformed; and the one line that a request leaves in the log. */
import { env, exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUser } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { declared } from '../support/conformance'
import { expectProblem } from './refusal'

let patient: SeededUser
let doctor: SeededUser

beforeAll(async () => {
  patient = await seedUser(env, 'patient', { fullName: 'Farida Rahman' })
  doctor = await seedUser(env, 'doctor', { fullName: 'Kamrul Hasan' })
})

const events = async (): Promise<unknown> =>
  (await env.DB.prepare('SELECT count(*) AS n FROM event').first<{ n: number }>())?.n

const JSON_ROUTES: readonly (readonly [
  method: string,
  path: string,
  who: 'patient' | 'doctor' | undefined,
])[] = [
  ['POST', '/v1/appointments', 'patient'],
  ['PUT', '/v1/doctors/me/schedule', 'doctor'],
  ['POST', '/v1/doctors/me/availability', 'doctor'],
  ['POST', '/v1/doctors/me/time-off', 'doctor'],
  ['POST', '/v1/doctors/me/visit-types', 'doctor'],
  ['PATCH', '/v1/me', 'patient'],
  ['PATCH', '/v1/doctors/me', 'doctor'],
  ['POST', '/v1/auth/register', undefined],
  ['POST', '/v1/auth/login', undefined],
]
const tokenOf = (who: 'patient' | 'doctor' | undefined): { token?: string } =>
  who === undefined ? {} : { token: { patient, doctor }[who].token }

/** The largest body that the contract allows. */
const MAX_BODY_BYTES = 1_048_576

/** JSON of exactly so many bytes. */
const jsonOf = (bytes: number): string => `{"x":"${'a'.repeat(bytes - 8)}"}`

describe.each(JSON_ROUTES)('%s %s', (method, path, who) => {
  it('refuses 2 MiB, declared or not, and takes exactly 1 MiB for what it is', async () => {
    const before = await events()
    const send = (body: string) => call(method, path, { ...tokenOf(who), body })
    expectProblem(await send(jsonOf(2 * MAX_BODY_BYTES)), 413, 'request-too-large')
    expectProblem(await send(jsonOf(MAX_BODY_BYTES + 1)), 413, 'request-too-large')
    expectProblem(await send(jsonOf(MAX_BODY_BYTES)), 400, 'validation-failed')
    const chunk = new TextEncoder().encode('a'.repeat(64 * 1024))
    let left = 2 * MAX_BODY_BYTES
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(chunk)
        left -= chunk.length
        if (left <= 0) controller.close()
      },
    })
    const headers = { 'Content-Type': 'application/json' }
    const { token } = tokenOf(who)
    const streamed = exports.default.fetch(`http://praxis.test${path}`, {
      method,
      headers: token === undefined ? headers : { ...headers, Authorization: `Bearer ${token}` },
      body: endless,
    })
    const response = await declared(method, path, await streamed)
    const body = await response.json()
    expectProblem({ status: response.status, headers: response.headers, body }, 413, 'request-too-large')
    expect(await events()).toBe(before)
  })

  it.each([
    'text/plain',
    'application/xml',
    'application/jsonx',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/merge-patch+json',
    ',',
    '',
  ])('refuses a body that is not called JSON: %s', async (type) => {
    const answer = await call(method, path, {
      ...tokenOf(who),
      body: '{}',
      headers: { 'Content-Type': type },
    })
    expectProblem(answer, 415, 'unsupported-media-type')
  })

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;x=y'])(
    'takes JSON by any spelling of its name: %s',
    async (type) => {
      const options = { ...tokenOf(who), body: '{"?":1}', headers: { 'Content-Type': type } }
      expectProblem(await call(method, path, options), 400, 'validation-failed')
    },
  )

  it.each(['', '{', '{"a":1', `{'a':1}`, '{"a":1,}', 'undefined', 'NaN', '[1,', '{} {}', '\u0000', '<a/>'])(
    'refuses what is no JSON, and says so: %s',
    async (body) => {
      const answer = await call(method, path, { ...tokenOf(who), body })
      expectProblem(answer, 400, 'validation-failed')
      expect(answer.body.errors).toEqual([{ pointer: '', detail: 'This is not JSON' }])
    },
  )

  it.each(['null', '[]', '1', '"text"', 'true', '[{}]', `${'['.repeat(100_000)}${']'.repeat(100_000)}`])(
    'refuses JSON that is no object',
    async (body) => {
      const answer = await call(method, path, { ...tokenOf(who), body })
      expectProblem(answer, 400, 'validation-failed')
      expect(answer.body.errors[0].pointer).toBe('')
    },
  )
})

it('The form of OAuth 2.0 is no JSON, and JSON is no form', async () => {
  const json = await call('POST', '/v1/auth/token', { body: { grant_type: 'password' } })
  expectProblem(json, 415, 'unsupported-media-type')
})

describe('The log', () => {
  /** What the worker wrote to its log during a request. */
  async function logged(act: () => Promise<Answer>): Promise<{ lines: string[]; answer: Answer }> {
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => undefined),
    )
    try {
      const answer = await act()
      return {
        answer,
        lines: spies.flatMap((spy) => spy.mock.calls.map((call) => call.map(String).join(' '))),
      }
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  }

  const email = 'tell.nobody@private.example'
  const secrets = [
    email,
    'tell.nobody',
    'Farida',
    'Rahman',
    'Kamrul',
    'Nadia',
    'Sultana',
    '+8801799',
    'Tell-Nobody-1!',
    'itches',
    'Bearer',
    'eyJ',
    'wrong-token',
  ]

  const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const person = { email, password: 'Tell-Nobody-1!', fullName: 'Nadia Sultana', mobile: '+8801799000001' }
  const booking = () => ({ doctorId: doctor.userId, start: `${day}T09:00:00Z`, notes: 'It itches' })
  const requests: readonly (readonly [string, string, () => Parameters<typeof call>[2]])[] = [
    ['POST', '/v1/auth/register', () => ({ body: { ...person, role: 'patient' } })],
    [
      'POST',
      '/v1/auth/register',
      () => ({ body: { ...person, role: 'Nadia Sultana', 'tell.nobody': email } }),
    ],
    ['POST', '/v1/auth/login', () => ({ body: { email, password: person.password } })],
    ['POST', '/v1/auth/login', () => ({ body: { email, password: 'Tell-Nobody-1!!' } })],
    ['GET', '/v1/me', () => ({ token: patient.token })],
    ['GET', '/v1/me', () => ({ token: 'wrong-token' })],
    ['PATCH', '/v1/me', () => ({ token: patient.token, body: { fullName: 'Farida Rahman' } })],
    ['GET', '/v1/doctors?q=Kamrul', () => ({})],
    ['GET', `/v1/appointments?doctorId=${email}`, () => ({ token: patient.token })],
    ['POST', '/v1/appointments', () => ({ token: patient.token, body: booking() })],
    ['POST', '/v1/appointments', () => ({ token: patient.token, body: { ...booking(), extra: email } })],
    ['GET', `/v1/appointments/${email}`, () => ({ token: patient.token })],
    ['POST', '/v1/appointments/x/cancel', () => ({ token: patient.token, body: { reason: 'It itches' } })],
    ['GET', `/v1/nothing/${email}`, () => ({})],
    ['DELETE', `/v1/doctors/${email}`, () => ({})],
    ['GET', '/health', () => ({ headers: { 'X-Request-Id': email } })],
  ]

  beforeAll(async () => {
    const rules = [{ rrule: 'FREQ=DAILY', startTime: '00:00', endTime: '24:00', startDate: '2026-01-01' }]
    const body = { timeZone: 'UTC', rules }
    expect((await call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body })).status).toBe(200)
  })

  it.each(requests)(
    'has one line of JSON for %s %s, and nothing of a person in it',
    async (method, path, options) => {
      const { lines, answer } = await logged(() => call(method, path, options()))
      expect(lines).toHaveLength(1)
      const line = JSON.parse(lines[0] ?? '')
      expect(line).toMatchObject({
        level: 'info',
        requestId: answer.headers.get('X-Request-Id'),
        method,
        route: expect.stringMatching(/^\/[\w:/*-]*$/),
        status: answer.status,
        ms: expect.any(Number),
      })
      for (const cost of ['d1Batches', 'd1RowsRead', 'd1RowsWritten', 'kvReads', 'objectCalls'])
        expect(line[cost]).toBeTypeOf('number')
      expect(line.problem).toBe(answer.status >= 400 ? answer.body.code : undefined)
      for (const secret of secrets) expect(lines[0]).not.toContain(secret)
    },
  )

  it('names the route by its pattern, and what the request cost', async () => {
    const missing = () => call('GET', `/v1/appointments/${newId('apt')}`, { token: patient.token })
    const { lines } = await logged(missing)
    const line = JSON.parse(lines[0] ?? '')
    expect(line).toMatchObject({
      route: '/v1/appointments/:id',
      status: 404,
      problem: 'not-found',
      d1Batches: 1,
    })
    expect(line.d1RowsRead).toBeGreaterThan(0)
  })
})
