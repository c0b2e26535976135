/** What invalid requests are told, fault by fault: in words for people, and never those of the validator. */
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { seedUser } from '../support/accounts'
import { call } from '../support/api'
import { expectProblem } from './refusal'

type Told = Record<string, string>

const told = (errors: { pointer: string; detail: string }[]): Told =>
  Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]))

it('A registration that lacks everything', async () => {
  const answer = await call('POST', '/v1/auth/register', { body: {} })
  expectProblem(answer, 400, 'validation-failed')
  expect(told(answer.body.errors)).toMatchObject({
    '/email': 'Required',
    '/password': 'Required',
    '/fullName': 'Required',
    '/role': 'Send patient or doctor',
  })
})

it('A registration of the wrong kinds and lengths', async () => {
  const body = { email: 7, password: 'Xq7!', fullName: ' ', role: 'nurse', mobile: '123' }
  const answer = await call('POST', '/v1/auth/register', { body })
  expectProblem(answer, 400, 'validation-failed')
  expect(told(answer.body.errors)).toEqual({
    '/email': 'Send a string',
    '/password': 'At least 8 characters',
    '/fullName': 'At least 1 character',
    '/role': 'Send patient or doctor',
    '/mobile': 'Send a number as E.164 has it: +8801711000000',
  })
})

it.each([
  ['limit=abc&count=1', { '/limit': 'Send a whole number', '/count': 'Send one of: true, false' }],
  ['limit=1.5', { '/limit': 'Send a whole number' }],
  ['limit=0', { '/limit': 'At least 1' }],
  ['limit=101', { '/limit': 'At most 100' }],
  [
    'sort=luck&place=here',
    { '/sort': 'Send one of: name, fee, experience, nextAvailable', '/place': 'Unknown member' },
  ],
])('A listing with ?%s', async (query, words) => {
  const answer = await call('GET', `/v1/doctors?${query}`)
  expectProblem(answer, 400, 'validation-failed')
  expect(told(answer.body.errors)).toEqual(words)
})

it('Hours of the wrong form', async () => {
  const { token } = await seedUser(env, 'doctor', { fullName: 'Wrong Hours' })
  const rule = { rrule: 'FREQ=DAILY', startTime: '9:00', endTime: 24, startDate: 'today' }
  const body = { timeZone: 'Asia/Dhaka', rules: [rule, 'daily'], slotMinutes: '30', horizonDays: 367 }
  const answer = await call('PUT', '/v1/doctors/me/schedule', { token, body })
  expectProblem(answer, 400, 'validation-failed')
  expect(told(answer.body.errors)).toMatchObject({
    '/rules/0/startTime': 'Send a time: HH:mm',
    '/rules/0/endTime': 'Send a time: HH:mm, or 24:00',
    '/rules/0/startDate': 'Send a date: YYYY-MM-DD',
    '/rules/1': 'Send an object',
    '/slotMinutes': 'Send a whole number',
    '/horizonDays': 'At most 366',
  })
  const listless = await call('PUT', '/v1/doctors/me/schedule', { token, body: { ...body, rules: 'daily' } })
  expect(told(listless.body.errors)['/rules']).toBe('Send a list')
  const whole = await call('PUT', '/v1/doctors/me/schedule', { token, body: 'null' })
  expect(told(whole.body.errors)).toEqual({ '': 'Send an object' })
})

it('A fee', async () => {
  const { token } = await seedUser(env, 'doctor', { fullName: 'Wrong Fee' })
  const body = { consultationFee: { amountMinor: -1, currency: 'Taka' }, languages: Array(11).fill('bn') }
  const answer = await call('PATCH', '/v1/doctors/me', { token, body })
  expectProblem(answer, 400, 'validation-failed')
  expect(told(answer.body.errors)).toEqual({
    '/consultationFee/amountMinor': 'At least 0',
    '/consultationFee/currency': 'Send a code of ISO 4217, such as BDT',
    '/languages': 'At most 10 items',
  })
})
