/** What openings and cancelling refuse: every fault is listed, nothing is written, nothing is a 500. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'
import { dayFromNow, expectInvalid, expectProblem, writingNothing } from './refusal'

type Body = Record<string, unknown>
type Case = readonly [what: string, change: Body, pointers: readonly string[]]

const rule = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '17:00', startDate: '2020-01-01' }
const hours = { timeZone: 'UTC', rules: [rule] }

let doctor: SeededUser
let patient: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
  const answer = await call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body: hours })
  expect(answer.status).toBe(200)
})

describe('An opening', () => {
  const path = '/v1/doctors/me/availability'
  const add = (body: unknown, headers: Record<string, string> = {}) =>
    call('POST', path, { token: doctor.token, body, headers })
  const valid = () => ({ start: `${dayFromNow(3)}T18:00:00Z`, end: `${dayFromNow(3)}T19:00:00Z` })

  it('that is malformed is refused, with every fault and no other', async () => {
    const wrong = [
      undefined,
      1,
      null,
      {},
      '',
      'x',
      '2027-01-01',
      '2027-01-01T10:00:00',
      '2027-02-30T10:00:00Z',
    ]
    const cases: Case[] = [
      ...wrong.map((start): Case => [`start ${start}`, { start }, ['/start']]),
      ...wrong.map((end): Case => [`end ${end}`, { end }, ['/end']]),
      ['both', { start: 'x', end: 'y' }, ['/start', '/end']],
      ['no length', { end: valid().start }, ['/end']],
      ['backwards', { end: `${dayFromNow(3)}T17:59:59Z` }, ['/end']],
      ['more than a day', { end: `${dayFromNow(4)}T18:00:01Z` }, ['/end']],
      ['unknown members', { id: 'opn_1', doctorId: 'x' }, ['/id', '/doctorId']],
      ['everything', { start: 1, end: 2, id: 3 }, ['/start', '/end', '/id']],
    ]
    await writingNothing(async () => {
      for (const [what, change, pointers] of cases) {
        expectInvalid(await add({ ...valid(), ...change }), pointers, what)
      }
      for (const key of ['', 'a b', 'x'.repeat(256)]) {
        expectInvalid(await add(valid(), { 'Idempotency-Key': key }), ['/Idempotency-Key'], key)
      }
    })
  })

  it('in the past is refused, however far', async () => {
    await writingNothing(async () => {
      const starts = [`${dayFromNow(-1)}T18`, '1970-01-01T00', '0001-01-01T00', `${dayFromNow(-366)}T23`]
      for (const start of starts) {
        const answer = await add({ start: `${start}:00:00Z`, end: `${start}:30:00Z` })
        expectProblem(answer, 422, 'opening-in-past', start)
      }
    })
  })

  it('at the end of time is none of our failures', async () => {
    const { token } = await seedUser(env, 'doctor')
    for (const rules of [[], [rule]]) {
      const put = await call('PUT', '/v1/doctors/me/schedule', { token, body: { ...hours, rules } })
      expect(put.status).toBe(200)
      const body = { start: `9999-12-31T1${rules.length}:00:00Z`, end: `9999-12-31T1${rules.length}:30:00Z` }
      const answer = await call('POST', path, { token, body })
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500)
      expect((await call('GET', '/v1/doctors/me/availability', { token })).status).toBe(200)
    }
  })

  it('that is not one’s own is none: it is removed by nobody else, by no id that is made up', async () => {
    const colleague = await seedUser(env, 'doctor')
    const added = await call('POST', path, { token: colleague.token, body: valid() })
    expect(added.status).toBe(201)
    await writingNothing(async () => {
      const ids = [
        added.body.id,
        newId('opn'),
        'x',
        `' OR 1=1 --`,
        '%00',
        '*',
        'x'.repeat(2000),
        '😀',
        'null',
      ]
      for (const id of ids) {
        const at = `${path}/${encodeURIComponent(id)}`
        expectProblem(await call('DELETE', at, { token: doctor.token }), 404, 'not-found', id)
      }
    })
  })
})

describe('An appointment', () => {
  const ids = ['x', `' OR 1=1 --`, '%00', '*', '😀', 'x'.repeat(3000), 'null', newId('apt')]

  it('that is none, or somebody else’s, is 404 to read and to cancel', async () => {
    const other = await seedUser(env, 'patient')
    const colleague = await seedUser(env, 'doctor')
    const body = { doctorId: doctor.userId, start: `${dayFromNow(3)}T10:00:00Z` }
    const booked = await call('POST', '/v1/appointments', { token: patient.token, body })
    expect(booked.status).toBe(201)
    await writingNothing(async () => {
      for (const { token } of [other, colleague]) {
        for (const id of [...ids, booked.body.id]) {
          const path = `/v1/appointments/${encodeURIComponent(id)}`
          expectProblem(await call('GET', path, { token }), 404, 'not-found', id)
          expectProblem(await call('DELETE', path, { token }), 404, 'not-found', id)
          expectProblem(await call('POST', `${path}/cancel`, { token }), 404, 'not-found', id)
        }
      }
    })
  })

  it('is not cancelled by a malformed request, nor on a version that it does not have', async () => {
    const body = { doctorId: doctor.userId, start: `${dayFromNow(4)}T10:00:00Z` }
    const { body: booked } = await call('POST', '/v1/appointments', { token: patient.token, body })
    const path = `/v1/appointments/${booked.id}`
    const cancel = (options: object) => call('POST', `${path}/cancel`, { token: patient.token, ...options })
    await writingNothing(async () => {
      for (const reason of [1, null, {}, 'x'.repeat(501), 'bell \u0007', '\u0000', 'half \ud83d']) {
        expectInvalid(await cancel({ body: { reason } }), ['/reason'], JSON.stringify(reason))
      }
      expectInvalid(await cancel({ body: { why: 'x', remarks: 'y' } }), ['/why', '/remarks'], 'unknown')
      for (const tag of ['"2"', 'W/"1"', '1', '""', 'x', '"1', '"01x"']) {
        const answer = await cancel({ headers: { 'If-Match': tag } })
        expectProblem(answer, 412, 'precondition-failed', tag)
        const deleted = await call('DELETE', path, { token: patient.token, headers: { 'If-Match': tag } })
        expectProblem(deleted, 412, 'precondition-failed', tag)
      }
    })
    expect((await call('GET', path, { token: patient.token })).body.status).toBe('confirmed')
    const right = await cancel({
      headers: { 'If-Match': '"7", "1"' },
      body: { reason: `'); DROP TABLE event; --` },
    })
    expect([right.status, right.body.status]).toEqual([200, 'cancelled'])
  })

  it('leaves ids and codes in its events, and no words of people: those could never be taken out again', async () => {
    const body = { doctorId: doctor.userId, start: `${dayFromNow(5)}T10:00:00Z`, notes: 'Word of notes' }
    const { body: booked } = await call('POST', '/v1/appointments', { token: patient.token, body })
    const reason = 'Word of reason'
    const path = `/v1/appointments/${booked.id}/cancel`
    expect((await call('POST', path, { token: patient.token, body: { reason } })).status).toBe(200)
    const { results } = await env.DB.prepare('SELECT type, data FROM event WHERE subject_id = ?')
      .bind(booked.id)
      .all<{ type: string; data: string }>()
    expect(results.map(({ type }) => type)).toEqual(['appointment.booked', 'appointment.cancelled'])
    for (const { type, data } of results) expect(data, type).not.toContain('Word of')
  })
})
