/** Registering, signing in, refreshing, signing out: over HTTP, against a real D1. */

import { env } from 'cloudflare:workers'
import Argon2 from '@phi-ag/argon2'
import { describe, expect, test, vi } from 'vitest'
import { ensureFirstAdmin } from '#accounts/first-admin'
import { hashPassword, Password, verifyPassword } from '#accounts/password'
import { signAccessToken } from '#http/access-token'
import { app } from '../../src/app'
import { seedUser } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { declared } from '../support/conformance'

const PASSWORD = 'Correct-Horse-9'

let made = 0
const anEmail = (): string => `somebody-${++made}@test.praxis.example`

const aRegistration = (members: Record<string, unknown> = {}) => ({
  email: anEmail(),
  password: PASSWORD,
  fullName: 'Rahim Uddin',
  role: 'patient',
  ...members,
})

const register = (members: Record<string, unknown> = {}) =>
  call('POST', '/v1/auth/register', { body: aRegistration(members) })

/** A registered patient, signed in. */
async function signedIn() {
  const email = anEmail()
  await register({ email })
  return { email, session: (await login(email)).body }
}

const login = (email: string, password = PASSWORD) =>
  call('POST', '/v1/auth/login', { body: { email, password } })

const refresh = (refreshToken: string) => call('POST', '/v1/auth/refresh', { body: { refreshToken } })

const tokenForm = (form: string, headers = {}) =>
  call('POST', '/v1/auth/token', {
    body: form,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  })

const pointersOf = (answer: Answer): string[] =>
  (answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)

const count = async (sql: string, ...values: unknown[]): Promise<number> =>
  (await env.DB.prepare(sql)
    .bind(...values)
    .first<number>('n')) ?? 0

describe('registering', () => {
  test('answers the user, never the password, and remembers the event', async () => {
    const answer = await register({
      email: '  Rahim@Example.COM ',
      fullName: ' Rahim Uddin ',
      mobile: '+8801711000001',
      timeZone: 'Asia/Dhaka',
    })
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^usr_[0-9a-z]+$/),
      email: 'rahim@example.com',
      fullName: 'Rahim Uddin',
      role: 'patient',
      status: 'active',
      mobile: '+8801711000001',
      timeZone: 'Asia/Dhaka',
      emailVerified: false,
      photoUrl: null,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    })
    expect(answer.headers.get('Bookmark')).toBeTruthy()
    const { id } = answer.body
    expect(
      await count(`SELECT count(*) n FROM event WHERE subject_id = ? AND type = 'user.registered'`, id),
    ).toBe(1)
    expect(await count('SELECT count(*) n FROM patient WHERE user_id = ?', id)).toBe(1)
    const hash = await env.DB.prepare('SELECT password_hash h FROM user WHERE id = ?').bind(id).first('h')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  test('gives a doctor a profile, a calendar and a visit type', async () => {
    const { body } = await register({ role: 'doctor', fullName: 'Ayesha Siddiqua' })
    expect(body).toMatchObject({ role: 'doctor', timeZone: 'UTC', mobile: null })
    const rows = await env.DB.batch([
      env.DB.prepare('SELECT sort_name, verified_at, languages, version FROM doctor WHERE user_id = ?').bind(
        body.id,
      ),
      env.DB.prepare('SELECT epoch, writer_epoch, version FROM calendar WHERE doctor_id = ?').bind(body.id),
      env.DB.prepare('SELECT name, duration_minutes, mode FROM visit_type WHERE doctor_id = ?').bind(body.id),
    ])
    expect(rows.map(({ results }) => results)).toEqual([
      [{ sort_name: 'ayesha siddiqua', verified_at: null, languages: '[]', version: 1 }],
      [{ epoch: 0, writer_epoch: 0, version: 0 }],
      [{ name: 'Consultation', duration_minutes: 30, mode: 'in-person' }],
    ])
    expect((await login(body.email)).body.user.role).toBe('doctor')
  })

  test.each([
    ['admin', 403, 'role-not-allowed'],
    ['nurse', 400, 'validation-failed'],
  ])('as %s: %i %s', async (role, status, code) => {
    const answer = await register({ role })
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('tells which of e-mail and mobile is taken, whatever their capitals', async () => {
    const email = anEmail()
    expect((await register({ email, mobile: '+8801711000002' })).status).toBe(201)
    expect((await register({ email: email.toUpperCase() })).body.code).toBe('email-taken')
    const answer = await register({ mobile: '+8801711000002' })
    expect([answer.status, answer.body.code]).toEqual([409, 'mobile-taken'])
    expect((await register({ email: env.ADMIN_EMAIL })).body.code).toBe('email-taken')
  })

  test('two at once with one e-mail: one wins', async () => {
    const email = anEmail()
    const answers = await Promise.all([register({ email }), register({ email }), register({ email })])
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
    expect(await count('SELECT count(*) n FROM user WHERE email = ?', email)).toBe(1)
  })

  const name = `Robert'); DROP TABLE user;-- <script>alert("x")</script>`
  test.each([name, 'রহিম উদ্দিন', '👩🏽‍⚕️ Dr. O’Brien', '{{7*7}} %s \\', 'A'.repeat(100)])(
    'keeps the name as it came: %s',
    async (fullName) => expect((await register({ fullName })).body.fullName).toBe(fullName),
  )

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'nothing',
      { email: undefined, password: undefined, fullName: undefined, role: undefined },
      ['/email', '/password', '/fullName', '/role'],
    ],
    [
      'wrong types',
      { email: 1, password: [], fullName: {}, role: true, mobile: 7, timeZone: null },
      ['/email', '/password', '/fullName', '/role', '/mobile', '/timeZone'],
    ],
    [
      'empty',
      { email: '', fullName: '  ', mobile: '', timeZone: '' },
      ['/email', '/fullName', '/mobile', '/timeZone'],
    ],
    [
      'one over',
      {
        email: `${'a'.repeat(243)}@example.com`,
        fullName: 'x'.repeat(101),
        password: `Aq1!${'x'.repeat(97)}`,
      },
      ['/email', '/password', '/fullName'],
    ],
    ['an unknown member', { isAdmin: true, 'a/b': 1 }, ['/isAdmin', '/a~1b']],
    ['no address', { email: 'nobody' }, ['/email']],
    ['no number', { mobile: '01711000000' }, ['/mobile']],
    ['16 digits', { mobile: `+1${'2'.repeat(15)}` }, ['/mobile']],
    ['no zone', { timeZone: 'Mars/Olympus' }, ['/timeZone']],
    ['an offset', { timeZone: '+06:00' }, ['/timeZone']],
    ['a control character', { fullName: 'Rahim\u0000' }, ['/fullName']],
    ['a lone surrogate', { fullName: 'Rahim \ud800' }, ['/fullName']],
  ])('refuses %s, with every fault', async (_, members, pointers) => {
    const answer = await register(members)
    expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed'])
    expect([...new Set(pointersOf(answer))].sort()).toEqual([...pointers].sort())
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
  })

  test('takes the longest address', async () => {
    const local = 'a'.repeat(64)
    const domain = `${'b'.repeat(61)}.${'c'.repeat(61)}.${'d'.repeat(61)}.com`
    expect((await register({ email: `${local}@${domain.slice(-189)}` })).status).toBe(201)
  })

  test.each([
    ['malformed JSON', '{"email":', 'application/json', 400],
    ['an array', '[]', 'application/json', 400],
    ['null', 'null', 'application/json', 400],
    ['nothing', '', 'application/json', 400],
    ['another media type', '{}', 'text/plain', 415],
    ['2 MiB', JSON.stringify({ email: 'x'.repeat(2 * 1024 * 1024) }), 'application/json', 413],
  ])('refuses %s', async (_, body, type, status) => {
    const users = await count('SELECT count(*) n FROM user')
    const answer = await call('POST', '/v1/auth/register', { body, headers: { 'Content-Type': type } })
    expect([answer.status, answer.body.status]).toEqual([status, status])
    expect(await count('SELECT count(*) n FROM user')).toBe(users)
  })

  test('the limit per address answers 429', async () => {
    const limited = { ...env, ADDRESS_LIMIT: { limit: async () => ({ success: false }) } }
    const request = new Request('http://praxis.test/v1/auth/register', { method: 'POST' })
    const answer = await declared(
      'POST',
      '/v1/auth/register',
      await app.fetch(request, limited as unknown as Env),
    )
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([429, '60'])
  })
})

describe('passwords', () => {
  test.each(['Aq1!xxx', 'alllower1!', 'NoDigits!!', 'NoSpecial11', 'Only Space 1', `Aq1!${'x'.repeat(97)}`])(
    'the rules refuse %s',
    (password) => expect(Password.safeParse(password).success).toBe(false),
  )
  test.each([
    'Password1!',
    'P@ssw0rd',
    'PASSWORD123!',
    'Welc0m3!',
    '$ummeR2024!',
    'Qwerty@123',
    'Aa123456!',
    '1qaz@WSX',
    'Admin@123',
    'Abc123!@#',
    '!!123Letmein',
  ])('the list refuses %s', (password) => {
    const { error } = Password.safeParse(password)
    expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringContaining('commonest')])
  })
  test.each([
    PASSWORD,
    'Str0ng!er',
    'Test-Pass-1234!',
    'Demo-Pass-1234!',
    'Ünïcödé-Ωmega-7',
    '😀Aa1😀xyz',
    `Aq1!${'x'.repeat(96)}`,
  ])('pass: %s', (password) => expect(Password.safeParse(password).success).toBe(true))
  test('every rule broken is told', () => {
    expect(Password.safeParse('hello').error?.issues).toHaveLength(4)
  })
  test('every byte beyond ASCII counts, however its letters are spelt', () => {
    const hash = hashPassword('Pä😀sswörd-1')
    expect(verifyPassword(hash, 'Pä😀sswörd-1')).toBe(true)
    expect(verifyPassword(hash, 'Pä😀sswörd-1'.normalize('NFD'))).toBe(true)
    expect(verifyPassword(hash, 'Pä😀sswörd-2')).toBe(false)
    expect(verifyPassword(hash, 'Pä😀sswör')).toBe(false)
    expect(verifyPassword(hash, 'Pä😀sswörd-1\0')).toBe(false)
    expect(verifyPassword(undefined, PASSWORD)).toBe(false)
  })
})

describe('signing in', () => {
  test('answers a session that works', async () => {
    const email = anEmail()
    const user = (await register({ email })).body
    const answer = await login(` ${email.toUpperCase()} `)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.body).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      user,
    })
    expect((await call('GET', '/v1/me', { token: answer.body.accessToken })).body.id).toBe(user.id)
    const kept = await env.DB.prepare('SELECT hash FROM refresh_token').all<{ hash: string }>()
    expect(JSON.stringify(kept.results)).not.toContain(answer.body.refreshToken)
  })

  test('an unknown e-mail and a wrong password are one answer, after the same work', async () => {
    const { email } = await signedIn()
    const hashing = vi.spyOn(Argon2.prototype, 'tryVerify')
    const wrong = await login(email, 'Wrong-Horse-9')
    expect(hashing).toHaveBeenCalledTimes(1)
    const unknown = await login(anEmail())
    expect(hashing).toHaveBeenCalledTimes(2)
    const settings = hashing.mock.calls.map(([hash]) => hash.split('$').slice(0, 4).join('$'))
    expect(settings[0]).toBe(settings[1])
    hashing.mockRestore()
    for (const answer of [wrong, unknown]) {
      expect(answer.status).toBe(401)
      expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer realm="praxis"')
    }
    expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' })
  })

  test('that an account is suspended is told only to its owner', async () => {
    const email = anEmail()
    await seedUser(env, 'patient', { email, status: 'suspended', passwordHash: hashPassword(PASSWORD) })
    expect((await login(email, 'Wrong-Horse-9')).body.code).toBe('invalid-credentials')
    const answer = await login(email)
    expect([answer.status, answer.body.code]).toEqual([403, 'account-suspended'])
    expect(
      await count(
        `SELECT count(*) n FROM event WHERE type = 'user.signed-in' AND subject_id IN (SELECT id FROM user WHERE email = ?)`,
        email,
      ),
    ).toBe(0)
  })

  test.each<[unknown, string[]]>([
    [{}, ['/email', '/password']],
    [{ email: 1, password: null }, ['/email', '/password']],
    [{ email: '', password: '' }, ['/email', '/password']],
    [{ email: 'a'.repeat(255), password: 'x'.repeat(101) }, ['/email', '/password']],
    [{ email: 'a@b.example', password: 'x', role: 'admin' }, ['/role']],
  ])('refuses %j', async (body, pointers) => {
    const answer = await call('POST', '/v1/auth/login', { body })
    expect(answer.status).toBe(400)
    expect(pointersOf(answer)).toEqual(pointers)
  })

  test.each([`' OR 1=1 --`, 'nobody\u0000@example.com', '\ud800@example.com', '\udfff'])(
    'what can be no address is but an unknown one: %j',
    async (email) => expect((await login(email)).body.code).toBe('invalid-credentials'),
  )

  test('the limit per address answers 429 before anything is hashed', async () => {
    const limited = { ...env, SIGN_IN_ADDRESS_LIMIT: { limit: async () => ({ success: false }) } }
    const request = new Request('http://praxis.test/v1/auth/login', { method: 'POST' })
    const answer = await app.fetch(request, limited as unknown as Env)
    expect((await declared('POST', '/v1/auth/login', answer)).status).toBe(429)
  })

  test('a token signed by the older key still verifies; one of an unknown key does not', async () => {
    const { userId, sessionId } = await seedUser(env, 'patient')
    const [, older = ''] = env.TOKEN_KEYS.split(',')
    const sign = (keys: string) =>
      signAccessToken({ ...env, TOKEN_KEYS: keys }, { userId, sessionId, role: 'patient' }, Date.now())
    expect((await call('GET', '/v1/me', { token: await sign(older) })).status).toBe(200)
    const forged = await call('GET', '/v1/me', {
      token: await sign('test-1:another-secret-of-somebody-else'),
    })
    expect([forged.status, forged.body.code]).toEqual([401, 'invalid-token'])
  })
})

describe('the form of OAuth 2.0', () => {
  test('the password grant, and refreshing what it gave', async () => {
    const { email } = await signedIn()
    const form = `grant_type=password&username=${encodeURIComponent(email)}&password=${PASSWORD}`
    const first = await tokenForm(`${form}&scope=&client_id=app&vendor=x`)
    expect(first.status).toBe(200)
    expect(first.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
    })
    expect([first.headers.get('Cache-Control'), first.headers.get('Pragma')]).toEqual([
      'no-store',
      'no-cache',
    ])
    expect((await call('GET', '/v1/me', { token: first.body.access_token })).body.email).toBe(email)
    const again = `grant_type=refresh_token&refresh_token=${first.body.refresh_token}`
    expect((await tokenForm(again)).status).toBe(200)
    expect((await tokenForm(again)).body.error).toBe('invalid_grant')
  })

  test.each([
    ['', 'invalid_request'],
    ['grant_type=', 'invalid_request'],
    ['grant_type=password&grant_type=password&username=a&password=b', 'invalid_request'],
    ['grant_type=password', 'invalid_request'],
    ['grant_type=password&username=a', 'invalid_request'],
    ['grant_type=password&username=a&username=b&password=c', 'invalid_request'],
    ['grant_type=password&username=&password=', 'invalid_request'],
    ['grant_type=password&username=nobody&password=x', 'invalid_grant'],
    ['grant_type=refresh_token', 'invalid_request'],
    ['grant_type=refresh_token&refresh_token=made-up', 'invalid_grant'],
    ['grant_type=client_credentials', 'unsupported_grant_type'],
    ['grant_type=%00%ff', 'unsupported_grant_type'],
  ])('%s is %s', async (form, error) => {
    const answer = await tokenForm(form)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({ error, error_description: expect.any(String) })
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
  })

  test('JSON is another media type', async () => {
    expect((await tokenForm('{}', { 'Content-Type': 'application/json' })).status).toBe(415)
  })
})

describe('refreshing', () => {
  test('each token works once, and its reuse ends the whole family', async () => {
    const { session } = await signedIn()
    const second = await refresh(session.refreshToken)
    expect(second.status).toBe(200)
    expect(second.body.user).toEqual(session.user)
    expect((await call('GET', '/v1/me', { token: second.body.accessToken })).status).toBe(200)
    const reused = await refresh(session.refreshToken)
    expect([reused.status, reused.body.code]).toEqual([401, 'invalid-refresh-token'])
    // The access token is none of the matter.
    expect(reused.headers.get('WWW-Authenticate')).toBe('Bearer realm="praxis"')
    expect((await refresh(second.body.refreshToken)).body.code).toBe('invalid-refresh-token')
    for (const token of [session.accessToken, second.body.accessToken]) {
      expect((await call('GET', '/v1/me', { token })).body.code).toBe('session-ended')
    }
    const ended = `SELECT count(*) n FROM event WHERE type = 'session.ended' AND subject_id = ?`
    expect(await count(ended, session.user.id)).toBe(1)
  })

  test('two at once with one token: at most one succeeds, and the session ends', async () => {
    const { session } = await signedIn()
    const answers = await Promise.all([refresh(session.refreshToken), refresh(session.refreshToken)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    const won = answers.find(({ status }) => status === 200)
    expect((await refresh(won?.body.refreshToken)).status).toBe(401)
    expect((await call('GET', '/v1/me', { token: won?.body.accessToken })).body.code).toBe('session-ended')
  })

  test.each(['a fresh', 'a spent'])(
    'however many at once with %s token: the session ends once',
    async (which) => {
      const { session } = await signedIn()
      if (which === 'a spent') await refresh(session.refreshToken)
      const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(session.refreshToken)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(which === 'a spent' ? 0 : 1)
      const ended = `SELECT count(*) n FROM event WHERE type = 'session.ended' AND subject_id = ?`
      expect(await count(ended, session.user.id)).toBe(1)
    },
  )

  test('an expired token or session, a suspended user and a changed role get nothing', async () => {
    const changes = [
      'UPDATE refresh_token SET expires_at = 1 WHERE session_id IN (SELECT id FROM session WHERE user_id = ?)',
      'UPDATE session SET expires_at = 1 WHERE user_id = ?',
      `UPDATE user SET status = 'suspended', version = version + 1 WHERE id = ?`,
      `UPDATE user SET role = 'admin', version = version + 1 WHERE id = ?`,
    ]
    for (const change of changes) {
      const { session } = await signedIn()
      await env.DB.prepare(change).bind(session.user.id).run()
      expect((await refresh(session.refreshToken)).body.code).toBe('invalid-refresh-token')
    }
  })

  test.each<[unknown]>([
    [{}],
    [{ refreshToken: 1 }],
    [{ refreshToken: '' }],
    [{ refreshToken: 'x'.repeat(201) }],
    [{ refreshToken: 'x', a: 1 }],
  ])('refuses %j', async (body) =>
    expect((await call('POST', '/v1/auth/refresh', { body })).status).toBe(400),
  )
})

test('signing out ends the session and both its tokens', async () => {
  const { session } = await signedIn()
  const token = session.accessToken
  const answer = await call('POST', '/v1/auth/logout', { token })
  expect([answer.status, answer.body]).toEqual([204, ''])
  for (const [method, path] of [
    ['GET', '/v1/me'],
    ['POST', '/v1/auth/logout'],
  ] as const) {
    const after = await call(method, path, { token })
    expect([after.status, after.body.code]).toEqual([401, 'session-ended'])
    expect(after.headers.get('WWW-Authenticate')).toContain('invalid_token')
  }
  expect((await refresh(session.refreshToken)).status).toBe(401)
})

describe('the first administrator', () => {
  test('is made by the first sign-in, once, by however many at once', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => login(env.ADMIN_EMAIL.toUpperCase(), env.ADMIN_PASSWORD)),
    )
    expect(answers.map(({ status, body }) => [status, body.user?.role])).toEqual(
      Array(3).fill([200, 'admin']),
    )
    await ensureFirstAdmin(env, Date.now())
    expect(
      await count(`SELECT count(*) n FROM user WHERE role = 'admin' AND email = ?`, env.ADMIN_EMAIL),
    ).toBe(1)
    expect((await login(env.ADMIN_EMAIL)).body.code).toBe('invalid-credentials')
  })

  test('does not rise again under the old address', async () => {
    await env.DB.prepare(
      `UPDATE user SET email = 'renamed@test.praxis.example', version = version + 1 WHERE email = ?`,
    )
      .bind(env.ADMIN_EMAIL)
      .run()
    expect((await login(env.ADMIN_EMAIL, env.ADMIN_PASSWORD)).body.code).toBe('invalid-credentials')
    await ensureFirstAdmin(env, Date.now())
    expect(await count('SELECT count(*) n FROM user WHERE email = ?', env.ADMIN_EMAIL)).toBe(0)
  })

  test('is made by the cron where nobody has signed in; an unset configuration makes none', async () => {
    await env.DB.prepare(`DELETE FROM setting WHERE key = 'first-admin'`).run()
    await ensureFirstAdmin({ ...env, ADMIN_PASSWORD: '' }, Date.now())
    expect(await count('SELECT count(*) n FROM user WHERE email = ?', env.ADMIN_EMAIL)).toBe(0)
    await ensureFirstAdmin(env, Date.now())
    expect(
      await count(`SELECT count(*) n FROM user WHERE role = 'admin' AND email = ?`, env.ADMIN_EMAIL),
    ).toBe(1)
  })
})
