/** A Worker with missing, short or development secrets refuses to serve, and tells nobody which but its log. */
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { GivenPassword } from '#accounts/password'
import { configurationFaults } from '#http/settings'
import { DEMONSTRATION_PASSWORD } from '../../scripts/demonstration/statements.mjs'
import { app } from '../../src/app'
import worker from '../../src/index'
import { declared } from '../support/conformance'

const SECRET = 'a-long-and-random-secret-of-production-0123456789'

const production = {
  ENVIRONMENT: 'production',
  TOKEN_KEYS: `2026-11:${SECRET}`,
  TOKEN_ISSUER: 'praxis',
  TOKEN_AUDIENCE: 'praxis-api',
  CORS_ORIGINS: '',
  MEETING_BASE_URL: '',
  ADMIN_EMAIL: 'chief@clinic.example',
  ADMIN_PASSWORD: 'Long-Enough-1234!',
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('what is wrong with a configuration', () => {
  it('is nothing where all is right, in production and in development', () => {
    expect(configurationFaults(production)).toEqual([])
    expect(configurationFaults({ ...production, TOKEN_KEYS: `new:${SECRET},old:${SECRET}` })).toEqual([])
    const longest = { ...production, ADMIN_PASSWORD: `Aq1!${'x'.repeat(96)}` }
    expect(configurationFaults(longest)).toEqual([])
    expect(GivenPassword.safeParse(longest.ADMIN_PASSWORD).success).toBe(true)
    expect(
      configurationFaults({ ...production, MEETING_BASE_URL: 'https://meet.clinic.example/rooms/' }),
    ).toEqual([])
    expect(configurationFaults(env)).toEqual([])
  })

  it.each([
    ['a missing key', { TOKEN_KEYS: undefined }],
    ['an empty key', { TOKEN_KEYS: '' }],
    ['a short key', { TOKEN_KEYS: '2026-11:short' }],
    ['a short key behind a good one', { TOKEN_KEYS: `2026-11:${SECRET},2026-10:short` }],
    ['a key without a name', { TOKEN_KEYS: SECRET }],
    ['a key of development', { TOKEN_KEYS: `dev-1:${SECRET}` }],
    ['a key of the tests', { TOKEN_KEYS: `test-2:${SECRET}` }],
    ['no issuer', { TOKEN_ISSUER: '' }],
    ['no audience', { TOKEN_AUDIENCE: undefined }],
    ['an environment that is none', { ENVIRONMENT: 'staging?' }],
    ['no administrator', { ADMIN_EMAIL: undefined }],
    ['the administrator of the demonstration', { ADMIN_EMAIL: 'admin@demo.praxis.example' }],
    ['a short password', { ADMIN_PASSWORD: 'Short-1!' }],
    ['a password that no sign-in takes', { ADMIN_PASSWORD: `Aq1!${'x'.repeat(97)}` }],
    ['the password of the demonstration', { ADMIN_PASSWORD: DEMONSTRATION_PASSWORD }],
    ['no origins, not even none', { CORS_ORIGINS: undefined }],
    ['no address of meetings, not even none', { MEETING_BASE_URL: undefined }],
    ['an address of meetings that is none', { MEETING_BASE_URL: 'meet.clinic.example' }],
  ])('is told of %s, by name and never by value', (_, wrong) => {
    const settings = { ...production, ...wrong } as typeof production
    const faults = configurationFaults(settings)
    expect(faults.length).toBeGreaterThan(0)
    for (const value of [SECRET, 'short', 'Short-1!', 'xxx', DEMONSTRATION_PASSWORD])
      expect(faults.join()).not.toContain(value)
  })
})

it('every request gets 503 while it is wrong, and the log says why once', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const wrong = { ...env, ...production, TOKEN_KEYS: 'dev-1:short' }
  for (const path of ['/health', '/v1/doctors', '/v1/me']) {
    const answer = await declared('GET', path, await app.request(path, {}, wrong))
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'misconfigured' })
  }
  expect(logged).toHaveBeenCalledOnce()
  expect(String(logged.mock.calls[0])).toContain('TOKEN_KEYS')
  expect((await app.request('/health', {}, { ...env, ...production })).status).toBe(200)
})

it('a browser is told so too where nobody has said which origins may call', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const { CORS_ORIGINS: _, ...unsaid } = env
  for (const method of ['GET', 'OPTIONS']) {
    const init = { method, headers: { Origin: 'https://app.praxis.example' } }
    const answer = await app.request('/health', init, unsaid)
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'misconfigured' }])
  }
})

describe('the cron', () => {
  const admins = () => env.DB.prepare(`SELECT count(*) AS n FROM user WHERE role = 'admin'`).first('n')
  const runCron = (settings: Env) =>
    worker.scheduled({ scheduledTime: Date.now(), cron: '* * * * *', noRetry() {} }, settings)

  it('makes no administrator of a wrong configuration, and the mark stays unset for the right one', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    for (const ADMIN_PASSWORD of ['Short-1!', DEMONSTRATION_PASSWORD]) {
      await runCron({ ...env, ...production, ADMIN_PASSWORD })
    }
    expect(await admins()).toBe(0)
    expect(logged).toHaveBeenCalledTimes(2)
    await runCron({ ...env, ...production })
    expect(await admins()).toBe(1)
    expect(logged).toHaveBeenCalledTimes(2)
  })
})
