/** What holds for every request, whatever its route: id, headers, origins, limits, bookmarks, log line. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { app } from '../../src/app'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'
import { declared } from '../support/conformance'
import { expectProblem } from './refusal'

let patient: SeededUser
let doctor: SeededUser

beforeAll(async () => {
  patient = await seedUser(env, 'patient', { fullName: 'Farida Rahman', mobile: '+8801711000042' })
  doctor = await seedUser(env, 'doctor', { fullName: 'Kamrul Hasan' })
})

/** The real app with other settings than those of the tests. */
async function withSettings(settings: Partial<Env>, path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext()
  const response = await app.request(path, init, { ...env, ...settings }, context)
  await waitOnExecutionContext(context)
  return declared(init.method ?? 'GET', path, response)
}

describe('The request id', () => {
  it.each(['12345678', 'A-b_9'.repeat(5), 'x'.repeat(128)])(
    'is kept where the client sends one: %s',
    async (id) => {
      for (const path of ['/health', '/nowhere', '/v1/me']) {
        const answer = await call('GET', path, { headers: { 'X-Request-Id': id } })
        expect(answer.headers.get('X-Request-Id')).toBe(id)
        if (answer.status >= 400) expect(answer.body.requestId).toBe(id)
      }
    },
  )

  it.each(['1234567', 'x'.repeat(129), 'has space', 'a@example.org', 'quote"quote"', 'é-é-é-é-é'])(
    'is made anew where what the client sends is none: %s',
    async (id) => {
      const answer = await call('GET', '/health', { headers: { 'X-Request-Id': id } })
      expect(answer.headers.get('X-Request-Id')).toMatch(/^req_[0-9a-f]{32}$/)
    },
  )

  it('is different for every request that brings none', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => call('GET', '/health')))
    expect(new Set(answers.map(({ headers }) => headers.get('X-Request-Id'))).size).toBe(5)
  })
})

describe('An address', () => {
  it.each([
    '/nothing',
    '/v1',
    '/v1/',
    '/v1/appointments/',
    '/v2/doctors',
    '/v1/doctors/a/b',
    '/v1/Doctors',
    '/health/',
    '/v1/me/sessions',
    '/v1/appointments//cancel',
    '/v1/%E0%A4%A',
    '/.env',
  ])('that names nothing is 404, whatever the method: %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE'])
      expectProblem(await call(method, path), 404, 'not-found', method)
  })

  it.each([
    ['DELETE', '/health', 'GET'],
    ['GET', '/v1/auth/login', 'POST'],
    ['PATCH', '/v1/appointments', 'GET, POST'],
    ['PUT', '/v1/appointments/apt_1', 'GET, PATCH, DELETE'],
    ['GET', '/v1/appointments/apt_1/cancel', 'POST'],
    ['POST', '/v1/doctors/me/schedule', 'GET, PUT'],
    ['POST', '/v1/doctors/me', 'GET, PATCH'],
    ['PUT', '/v1/doctors/me/availability', 'GET, POST'],
    ['POST', '/v1/doctors/usr_1', 'GET'],
  ])('that does not take %s %s is 405, and tells what it takes: %s', async (method, path, allow) => {
    const answer = await call(method, path)
    expectProblem(answer, 405, 'method-not-allowed')
    expect(answer.headers.get('Allow')).toBe(allow)
  })

  it('that answers GET answers HEAD alike, without a body', async () => {
    const ask = async (path: string) =>
      declared('HEAD', path, await exports.default.fetch(`http://praxis.test${path}`, { method: 'HEAD' }))
    const head = await ask('/health')
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(head.headers.get('Content-Type')).toBe('application/json')
    const nothing = await ask('/nothing')
    expect(nothing.status).toBe(404)
  })
})

describe('The headers', () => {
  const paths = ['/health', '/nothing', '/v1/me', '/openapi.json', '/v1/doctors?limit=0']

  it.each(paths)('that protect browsers are on every answer: %s', async (path) => {
    const { headers } = await call('GET', path)
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(headers.get('X-Frame-Options')).toBe('DENY')
    expect(headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(headers.get('Strict-Transport-Security')).toMatch(/max-age=\d{7,}/)
    expect(headers.get('Content-Security-Policy')).toContain(`default-src 'none'`)
    expect(headers.get('X-Powered-By')).toBeNull()
    expect(headers.get('Cache-Control')).toBe('no-store')
  })

  it('let a public listing be kept, where it says so', async () => {
    const { headers } = await call('GET', `/v1/doctors/${doctor.userId}/slots`)
    expect(headers.get('Cache-Control')).toBe('public, max-age=0, must-revalidate')
  })
})

describe('A browser', () => {
  const CORS_ORIGINS = 'https://app.praxis.example, https://admin.praxis.example'
  const from = (origin: string, init: RequestInit = {}, path = '/v1/me') =>
    withSettings({ CORS_ORIGINS }, path, { ...init, headers: { Origin: origin, ...init.headers } })

  it.each(CORS_ORIGINS.split(', '))('may read every answer from a configured origin: %s', async (origin) => {
    for (const path of ['/v1/me', '/health', '/nothing']) {
      const { headers } = await from(origin, {}, path)
      expect(headers.get('Access-Control-Allow-Origin')).toBe(origin)
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
      expect(headers.get('Vary')).toMatch(/\bOrigin\b/)
      const exposed = headers.get('Access-Control-Expose-Headers') ?? ''
      for (const name of ['Bookmark', 'ETag', 'Location', 'X-Request-Id', 'Retry-After', 'RateLimit'])
        expect(exposed.split(',').map((header) => header.trim())).toContain(name)
    }
  })

  it('may send what the API takes, when it asks beforehand', async () => {
    const init = { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'PATCH' } }
    const { status, headers } = await from('https://app.praxis.example', init)
    expect(status).toBe(204)
    expect(headers.get('Access-Control-Allow-Origin')).toBe('https://app.praxis.example')
    expect(headers.get('Access-Control-Allow-Methods')?.split(',')).toEqual(
      expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    )
    const allowed = headers.get('Access-Control-Allow-Headers')?.split(',') ?? []
    const needed = [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Bookmark',
    ]
    expect(allowed).toEqual(expect.arrayContaining(needed))
  })

  it.each([
    'https://evil.example',
    'https://app.praxis.example.evil.example',
    'http://app.praxis.example',
    'https://app.praxis.example:8443',
    'null',
    'https://praxis.example',
    CORS_ORIGINS,
  ])('may read nothing from another: %s', async (origin) => {
    const preflight = { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'POST' } }
    for (const init of [{}, preflight]) {
      expect((await from(origin, init)).headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
  })

  it('may read nothing from anywhere while no origin is configured', async () => {
    const { headers } = await withSettings({ CORS_ORIGINS: '' }, '/health', { headers: { Origin: 'null' } })
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull()
  })
})

describe('A failure of ours', () => {
  it('tells the caller nothing but the request’s id, and the log no message', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const broken = {
      withSession: () => {
        throw new Error('secret@example.org')
      },
    } as unknown as D1Database
    const response = await withSettings({ DB: broken }, '/v1/doctors')
    const body = await response.json<Record<string, unknown>>()
    expect([response.status, body.code]).toEqual([500, 'internal-error'])
    expect(body.requestId).toBe(response.headers.get('X-Request-Id'))
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(error).toHaveBeenCalledOnce()
    expect(JSON.stringify(error.mock.calls)).not.toContain('secret')
    expect(JSON.stringify(error.mock.calls)).toContain(String(body.requestId))
    error.mockRestore()
  })

  /** D1 as it is, but for what it says to a batch. */
  const failing = (message: string) =>
    ({
      withSession: () => ({
        prepare: (sql: string) => env.DB.prepare(sql),
        batch: () => Promise.reject(new Error(message)),
        getBookmark: () => null,
      }),
    }) as unknown as D1Database

  it.each([
    'Network connection lost.',
    'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
    'D1_ERROR: database or disk is full: SQLITE_FULL',
    'D1_ERROR: interrupted: SQLITE_INTERRUPT',
  ])('of D1 is 503, says when to come again, and the log what D1 said: %s', async (message) => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const response = await withSettings({ DB: failing(message) }, '/v1/doctors')
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '1'])
    expect(await response.json()).toMatchObject({ code: 'unavailable' })
    expect(JSON.parse(String(error.mock.calls[0]))).toMatchObject({ name: 'DatabaseFailure', message })
    error.mockRestore()
  })

  it.each([
    ['a table that is not there', 'SELECT * FROM nowhere', 'SQLITE_ERROR'],
    ['a syntax error', 'SELECT FROM', 'SQLITE_ERROR'],
    [
      'a column that must not be null',
      'INSERT INTO doctor_specialty VALUES (NULL, NULL)',
      'SQLITE_CONSTRAINT',
    ],
    [
      'a row that is referred to and not there',
      `INSERT INTO patient (user_id) VALUES ('usr_x')`,
      'SQLITE_CONSTRAINT',
    ],
  ])('that D1 can do nothing about is a bug, which no retry mends: %s', async (_, sql, verdict) => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const wrong = {
      withSession: () => {
        const session = env.DB.withSession('first-primary')
        return {
          prepare: (text: string) => session.prepare(text),
          batch: () => session.batch([session.prepare(sql)]),
          getBookmark: () => session.getBookmark(),
        }
      },
    } as unknown as D1Database
    const response = await withSettings({ DB: wrong }, '/v1/doctors')
    expect(await response.json()).toMatchObject({ status: 500, code: 'internal-error' })
    expect(JSON.parse(String(error.mock.calls[0])).message).toContain(verdict)
    error.mockRestore()
  })
})

describe('A bookmark', () => {
  it('comes with every answer that touched D1, and with no other', async () => {
    const read = await call('GET', '/v1/me', { token: patient.token })
    expect(read.headers.get('Bookmark')).toMatch(/^[0-9a-f-]{59}$/)
    for (const path of ['/health', '/nothing', '/v1/auth/login']) {
      expect((await call('GET', path)).headers.get('Bookmark')).toBeNull()
    }
    const ended = await seedUser(env, 'patient', { status: 'suspended' })
    const refused = await call('GET', '/v1/me', { token: ended.token })
    expect([refused.status, refused.headers.has('Bookmark')]).toEqual([401, true])
  })

  it('of a write, also of one that a doctor’s object made, is taken back and never goes back', async () => {
    const body = { timeZone: 'UTC', rules: [] }
    const written = await call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body })
    const bookmark = written.headers.get('Bookmark') ?? ''
    expect([written.status, bookmark.length]).toEqual([200, 59])
    const again = { token: doctor.token, headers: { Bookmark: bookmark } }
    const read = await call('GET', '/v1/doctors/me/schedule', again)
    expect(read.status).toBe(200)
    expect((read.headers.get('Bookmark') ?? '') >= bookmark).toBe(true)
  })

  it.each([
    'x',
    'first-primary',
    'first-unconstrained',
    '00000000-00000000-00000000',
    `'; DROP TABLE user; --`,
  ])('that we cannot have given out is refused before anything else: %s', async (bookmark) => {
    for (const [method, path] of [
      ['GET', '/v1/doctors'],
      ['GET', '/v1/me'],
      ['POST', '/v1/appointments'],
    ]) {
      const options = { token: patient.token, headers: { Bookmark: bookmark } }
      const answer = await call(String(method), String(path), options)
      expectProblem(answer, 400, 'validation-failed', `${method} ${path}`)
      expect(answer.body.errors).toEqual([{ pointer: '/Bookmark', detail: expect.any(String) }])
    }
  })
})
