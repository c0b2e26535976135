/** Readiness names what does not answer, whatever way it fails; the log tells why. */
import { env } from 'cloudflare:workers'
import { afterEach, expect, it, vi } from 'vitest'
import { app } from '../../src/app'
import { declared } from '../support/conformance'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const ask = async (settings: object = {}) => {
  const answer = await app.request('/health/ready', {}, { ...env, ...settings })
  return declared('GET', '/health/ready', answer)
}

const throwing = () => {
  throw new Error('Not bound to anything')
}

it('is 200 where everything answers, and the log has nothing to tell', async () => {
  const logged = vi.spyOn(console, 'error')
  const answer = await ask()
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok', failing: [] }])
  expect(logged).not.toHaveBeenCalled()
})

it.each([
  ['database', { DB: { withSession: throwing } }],
  ['kv', { OPENINGS: { get: throwing } }],
  ['kv', { OPENINGS: { get: () => Promise.reject(new Error('Not bound to anything')) } }],
  ['object', { DOCTOR_CALENDAR: { getByName: throwing } }],
  ['files', { FILES: { head: throwing } }],
])('names the %s that fails, and the log why', async (failing, settings) => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const answer = await ask(settings)
  expect([answer.status, await answer.json()]).toEqual([503, { status: 'failing', failing: [failing] }])
  expect(logged).toHaveBeenCalledOnce()
  const line = { what: 'readiness', probe: failing, name: 'Error', message: 'Not bound to anything' }
  expect(JSON.parse(String(logged.mock.calls[0]))).toMatchObject(line)
})

it('names what never answers', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const asked = ask({ OPENINGS: { get: () => new Promise(() => undefined) } })
  await vi.advanceTimersByTimeAsync(3000)
  expect(await (await asked).json()).toEqual({ status: 'failing', failing: ['kv'] })
  expect(String(logged.mock.calls[0])).toContain('No answer within 3000 ms')
})
