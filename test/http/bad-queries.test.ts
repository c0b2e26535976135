/** What listings refuse: every fault is listed, nothing is written, nothing is a 500. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUser } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { dayFromNow, expectInvalid, expectProblem, writingNothing } from './refusal'

const rule = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '17:00', startDate: '2020-01-01' }

let doctor: SeededUser
let patient: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
  const body = { timeZone: 'UTC', rules: [rule] }
  expect((await call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body })).status).toBe(200)
})

const query = (members: Record<string, string>): string => `?${new URLSearchParams(members)}`

/** Cursors that no list gave out: no base64, no JSON, of another shape, of another list, too long. */
const cursors = [
  '',
  'x',
  '%%%',
  '../../etc',
  `' OR 1=1 --`,
  '{}',
  'bnVsbA',
  btoa('[]'),
  btoa('[1]'),
  btoa('["a","b"]'),
  btoa('{"0":1,"1":"a"}'),
  btoa('[1.5,"a"]'),
  btoa('[1e400,"a"]'),
  btoa('[1,2]'),
  btoa('[1,"a",3]'),
  btoa(`["1","a"]`),
  btoa(`[1,"${'x'.repeat(65)}"]`),
  'x'.repeat(601),
  btoa('\xff\xfe'),
  btoa('[1,"a"'),
]

describe('A list', () => {
  const lists = (): readonly (readonly [path: string, token: string])[] => [
    ['/v1/appointments', patient.token],
    ['/v1/appointments', doctor.token],
    ['/v1/doctors/me/availability', doctor.token],
    ['/v1/doctors/me/visit-types', doctor.token],
    ['/v1/doctors/me/time-off', doctor.token],
  ]

  it('refuses a cursor that somebody made up', async () => {
    for (const [path, token] of lists()) {
      for (const cursor of cursors) {
        expectInvalid(
          await call('GET', path + query({ cursor }), { token }),
          ['/cursor'],
          `${path} ${cursor}`,
        )
      }
    }
  })

  it.each([
    ['limit', ['0', '101', '-1', '1.5', 'x', '', 'Infinity', 'NaN', '1e3', `1;DROP TABLE user`]],
    ['count', ['yes', '', '1', 'TRUE']],
    ['unknown', ['1', '']],
    ['__proto__', ['1']],
  ])('refuses %s where it is not what the list takes', async (member, values) => {
    for (const [path, token] of lists()) {
      for (const value of values) {
        const answer = await call('GET', path + query({ [member]: value }), { token })
        expectInvalid(answer, [`/${member}`], `${path} ${member}=${value}`)
      }
    }
  })

  it('refuses a member that comes twice, and lists every fault', async () => {
    for (const [path, token] of lists()) {
      expectInvalid(await call('GET', `${path}?limit=1&limit=2`, { token }), ['/limit'], path)
      const all = await call('GET', `${path}?limit=x&count=y&cursor=&z=1`, { token })
      expectInvalid(all, ['/limit', '/count', '/cursor', '/z'], path)
    }
  })

  it('of appointments refuses filters that are none', async () => {
    const wrong: Record<string, readonly string[]> = {
      'status/0': ['', 'unknown', 'confirmed;pending', 'CONFIRMED', `' OR 1=1 --`],
      'status/1': ['confirmed,', 'confirmed,x'],
      status: [Array(8).fill('pending').join()],
      from: ['', 'x', '2026-02-30', '2026-12-01T10:00:00', '1'],
      to: ['', 'x', '2026-13-01', '2026-12-01T10:00', 'tomorrow'],
      doctorId: ['x'.repeat(65)],
      patientId: ['x'.repeat(65)],
      sort: ['', 'end', '-', 'start,id', '--start'],
    }
    for (const [fault, values] of Object.entries(wrong)) {
      const member = fault.split('/')[0] ?? ''
      for (const value of values) {
        const path = `/v1/appointments${query({ [member]: value })}`
        expectInvalid(await call('GET', path, { token: patient.token }), [`/${fault}`], `${member}=${value}`)
      }
    }
    const every = query({ status: 'x', from: 'x', to: 'x', sort: 'x', limit: 'x', x: 'x' })
    const answer = await call('GET', `/v1/appointments${every}`, { token: patient.token })
    expectInvalid(answer, ['/status/0', '/from', '/to', '/sort', '/limit', '/x'], 'all at once')
    const backwards = query({ from: '2026-12-02', to: '2026-12-01' })
    const reversed = await call('GET', `/v1/appointments${backwards}`, { token: patient.token })
    expectInvalid(reversed, ['/to'], 'from after to')
  })

  it('of appointments finds nothing by SQL, and takes the first and the last day that there are', async () => {
    for (const id of [`' OR '1'='1`, '%', '_', '*', 'usr_%', '']) {
      const answer = await call('GET', `/v1/appointments${query({ doctorId: id })}`, { token: patient.token })
      expect([answer.status, answer.body.items]).toEqual([200, []])
    }
    const all = query({ from: '0001-01-01', to: '9999-12-31' })
    expect((await call('GET', `/v1/appointments${all}`, { token: patient.token })).status).toBe(200)
  })
})

describe('A listing of slots', () => {
  const list = (members: Record<string, string>, id = doctor.userId): Promise<Answer> =>
    call('GET', `/v1/doctors/${encodeURIComponent(id)}/slots${query(members)}`)

  it('refuses members that are not what it takes, with every fault', async () => {
    const wrong: Record<string, readonly string[]> = {
      from: ['', 'x', '2026-02-30', '2026-12-01T10:00:00', '2026-12-01T10:00', '0', '10000-01-01'],
      to: ['', 'x', '2026-2-3', '2026-12-01T10:00:00', '20261201'],
      timeZone: ['', 'Mars/Olympus', '+06:00', 'EST6', `'; --`, 'x'.repeat(65)],
      visitTypeId: ['x'.repeat(65)],
      fresh: ['', 'yes', '1', 'TRUE'],
      atLeast: ['-1', '1.5', 'x', 'Infinity', '1e99'],
      date: ['2026-12-01'],
    }
    for (const [member, values] of Object.entries(wrong)) {
      for (const value of values) {
        expectInvalid(await list({ [member]: value }), [`/${member}`], `${member}=${value}`)
      }
    }
    const all = { from: 'x', to: 'y', timeZone: 'z', fresh: 'f', atLeast: 'a', other: 'o' }
    expectInvalid(
      await list(all),
      Object.keys(all).map((member) => `/${member}`),
      'all at once',
    )
    const twice = await call('GET', `/v1/doctors/${doctor.userId}/slots?from=2026-12-01&from=2026-12-02`)
    expectInvalid(twice, ['/from'], 'twice')
  })

  it('refuses a range that goes backwards', async () => {
    const backwards = [
      { from: dayFromNow(3), to: dayFromNow(2) },
      { from: `${dayFromNow(3)}T10:00:01Z`, to: `${dayFromNow(3)}T10:00:00Z` },
      { from: `${dayFromNow(3)}T10:00:00+01:00`, to: `${dayFromNow(3)}T08:59:59Z` },
      { from: `${dayFromNow(4)}T00:00:01Z`, to: dayFromNow(3) },
      { to: dayFromNow(-2) },
    ]
    for (const range of backwards) expectInvalid(await list(range), ['/to'], JSON.stringify(range))
  })

  it('takes 62 days and refuses one more, or a second more', async () => {
    const at = (days: number) => `${dayFromNow(days)}T00:00:00Z`
    for (const range of [
      { from: dayFromNow(1), to: dayFromNow(62) },
      { from: at(1), to: at(63) },
    ]) {
      expect((await list(range)).status, JSON.stringify(range)).toBe(200)
    }
    const tooLong = [
      { from: dayFromNow(1), to: dayFromNow(63) },
      { from: at(1), to: `${dayFromNow(63)}T00:00:01Z` },
      { to: dayFromNow(70) },
      { from: '0001-01-01', to: '9999-12-30' },
    ]
    for (const range of tooLong)
      expectProblem(await list(range), 422, 'range-too-long', JSON.stringify(range))
  })

  it.each(['0001-01-01', '9999-12-31', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])(
    'from or until the first and the last day that there are is empty or refused, and does not fail: %s',
    async (end) => {
      for (const timeZone of ['UTC', 'Asia/Dhaka', 'America/New_York']) {
        for (const range of [{ from: end, to: end }, { from: end }, { to: end }]) {
          const { status, body } = await list({ ...range, timeZone })
          expect([200, 400, 422], JSON.stringify([range, timeZone, body])).toContain(status)
          if (status === 200) expect(body.slots).toEqual([])
        }
      }
    },
  )

  it('of a doctor who is unknown, not listed, or no doctor, is refused as if there were none', async () => {
    const unverified = await seedUser(env, 'doctor', { verified: false })
    const suspended = await seedUser(env, 'doctor', { status: 'suspended' })
    await writingNothing(async () => {
      for (const id of [
        newId('usr'),
        patient.userId,
        unverified.userId,
        suspended.userId,
        'x',
        `usr_' --`,
        'USR_1',
        '😀',
        'usr_%00',
        'x'.repeat(3000),
        'undefined',
      ]) {
        for (const fresh of ['true', 'false']) {
          expectProblem(await list({ fresh }, id), 404, 'doctor-not-found', id)
        }
      }
    })
  })

  it('of a visit type that the doctor does not offer is refused', async () => {
    for (const visitTypeId of [newId('vis'), 'x', '', `' --`]) {
      expectProblem(await list({ visitTypeId }), 404, 'visit-type-not-found', visitTypeId)
    }
  })
})
