/** What visit types, time off and changes of openings refuse: every fault is listed, and nothing is written. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'
import { dayFromNow, expectInvalid, expectProblem, writingNothing } from './refusal'

type Body = Record<string, unknown>
type Case = readonly [change: Body, pointers: readonly string[]]

const VISIT_TYPES = '/v1/doctors/me/visit-types'
const TIME_OFF = '/v1/doctors/me/time-off'
const OPENINGS = '/v1/doctors/me/availability'

const IDS = ['x', `' OR 1=1 --`, '%00', '*', '😀', 'x'.repeat(2000), 'null', newId('tof'), newId('vis')]
const NO_INSTANTS = [1, null, {}, '', 'x', '2027-01-01', '2027-01-01T10:00:00', '2027-02-30T10:00:00Z']
const BAD_KEYS = ['', 'a b', 'x'.repeat(256)]
/** Bodies that are no object; a strict one names no place. */
const NO_OBJECTS = ['[]', '"x"', '1', 'null', '{', '']

let doctor: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
})

const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(method, path, { token: doctor.token, body, headers })
const each = (member: string, ...values: unknown[]): Case[] =>
  values.map((value) => [{ [member]: value }, [`/${member}`]])

/** That each body is refused for faults at exactly its places, and nothing else is. */
async function expectRefused(
  method: string,
  path: string,
  valid: Body,
  cases: readonly Case[],
): Promise<void> {
  await writingNothing(async () => {
    for (const [change, pointers] of cases) {
      const what = JSON.stringify(change).slice(0, 80)
      expectInvalid(await send(method, path, { ...valid, ...change }), pointers, what)
    }
    for (const body of NO_OBJECTS) expectInvalid(await send(method, path, body), [''], body)
    const text = { 'Content-Type': 'text/plain' }
    expectProblem(await send(method, path, valid, text), 415, 'unsupported-media-type')
  })
}

describe('A visit type', () => {
  const valid = { name: 'Visit', durationMinutes: 30 }
  const faults: Case[] = [
    ...each('name', 1, null, '', '  ', 'x'.repeat(101), 'two\nlines', 'bell \u0007', 'half \ud83d'),
    ...each('durationMinutes', 4, 481, 30.5, '30', null, -30, 1e9),
    ...each('bufferBeforeMinutes', -1, 121, 0.5, '5', null),
    ...each('bufferAfterMinutes', -1, 121, 0.5, '5', null),
    ...each('mode', '', 'VIDEO', 'phone', null, 1),
    ...each('id', 'vis_1'),
    ...each('version', 1),
    [{ fee: 500 }, ['/fee']],
    [{ fee: { amountMinor: -1, currency: 'BDT' } }, ['/fee/amountMinor']],
    [{ fee: { amountMinor: 1.5, currency: 'ZZZ' } }, ['/fee/amountMinor', '/fee/currency']],
    [{ fee: { amountMinor: 1_000_000_001, currency: 'bdt' } }, ['/fee/amountMinor', '/fee/currency']],
    [{ fee: { amountMinor: 1 } }, ['/fee/currency']],
    [{ fee: { amountMinor: 1, currency: 'BDT', minor: 1 } }, ['/fee/minor']],
    [
      {
        name: 1,
        durationMinutes: 0,
        bufferBeforeMinutes: -1,
        bufferAfterMinutes: 200,
        mode: 1,
        fee: 1,
        x: 1,
      },
      ['/name', '/durationMinutes', '/bufferBeforeMinutes', '/bufferAfterMinutes', '/mode', '/fee', '/x'],
    ],
  ]

  it('that is malformed is not added', async () => {
    const missing = each('name', undefined).concat(each('durationMinutes', undefined))
    await expectRefused('POST', VISIT_TYPES, valid, [...faults, ...missing])
    await writingNothing(async () => {
      for (const key of BAD_KEYS) {
        const answer = await send('POST', VISIT_TYPES, valid, { 'Idempotency-Key': key })
        expectInvalid(answer, ['/Idempotency-Key'], key)
      }
    })
  })

  it('is not changed by what is malformed, nor by nothing', async () => {
    const path = `${VISIT_TYPES}/${doctor.visitTypeId}`
    await expectRefused('PATCH', path, { name: 'Visit' }, faults)
    expectInvalid(await send('PATCH', path, {}), [''], 'nothing')
  })

  it('of no such id is neither changed nor archived', async () => {
    await writingNothing(async () => {
      for (const id of [...IDS, newId('vis')]) {
        const path = `${VISIT_TYPES}/${encodeURIComponent(id)}`
        expectProblem(await send('PATCH', path, { name: 'X' }), 404, 'not-found', id)
        expectProblem(await send('DELETE', path, undefined), 404, 'not-found', id)
      }
    })
  })

  it('of the longest lengths is one', async () => {
    const longest = { name: 'ব'.repeat(100), durationMinutes: 480, mode: 'video', fee: null }
    const buffers = { bufferBeforeMinutes: 120, bufferAfterMinutes: 120 }
    const added = await send('POST', VISIT_TYPES, { ...longest, ...buffers })
    expect([added.status, added.body]).toMatchObject([201, { ...longest, ...buffers }])
  })
})

describe('Time off', () => {
  const valid = {
    start: `${dayFromNow(3)}T10:00:00Z`,
    end: `${dayFromNow(3)}T12:00:00Z`,
    onConflict: 'keep',
  }

  it('that is malformed, reversed or of no whole minutes is not taken', async () => {
    await expectRefused('POST', TIME_OFF, valid, [
      ...each('start', undefined, ...NO_INSTANTS, valid.start.replace('00Z', '30Z')),
      ...each('end', undefined, ...NO_INSTANTS, valid.end.replace('Z', '.500Z')),
      ...each('end', valid.start, `${dayFromNow(2)}T12:00:00Z`, valid.end.replace('Z', '+06:00')),
      ...each('onConflict', undefined, null, '', 'KEEP', 'ask', true),
      ...each('reason', 1, {}, 'x'.repeat(501), 'bell \u0007', '\u0000', 'half \ud83d'),
      ...each('id', 'tof_1'),
      [
        { start: 'x', end: 1, onConflict: 2, reason: 3, doctorId: 4 },
        ['/start', '/end', '/onConflict', '/reason', '/doctorId'],
      ],
    ])
    await writingNothing(async () => {
      for (const key of BAD_KEYS) {
        const answer = await send('POST', TIME_OFF, valid, { 'Idempotency-Key': key })
        expectInvalid(answer, ['/Idempotency-Key'], key)
      }
    })
  })

  it('that is over, or has more than 366 days, is refused', async () => {
    await writingNothing(async () => {
      for (const day of [dayFromNow(-1), dayFromNow(-400), '1970-01-01', '0001-01-01']) {
        const body = { ...valid, start: `${day}T10:00:00Z`, end: `${day}T12:00:00Z` }
        expectProblem(await send('POST', TIME_OFF, body), 422, 'time-off-in-past', day)
      }
      for (const [start, end] of [
        [valid.start, `${dayFromNow(370)}T10:00:00Z`],
        ['0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z'],
        ['1970-01-01T00:00:00Z', valid.end],
      ]) {
        expectProblem(await send('POST', TIME_OFF, { ...valid, start, end }), 422, 'range-too-long', start)
      }
    })
  })

  it('at the end of time is none of our failures', async () => {
    const body = { ...valid, start: '9999-12-31T10:00:00Z', end: '9999-12-31T23:59:00Z' }
    expect((await send('POST', TIME_OFF, body)).status).toBe(201)
    expect((await send('GET', TIME_OFF, undefined)).body.items).toHaveLength(1)
  })

  it('of no such id, or somebody else’s, is not withdrawn', async () => {
    const colleague = await seedUser(env, 'doctor')
    const taken = await call('POST', TIME_OFF, { token: colleague.token, body: valid })
    expect(taken.status).toBe(201)
    await writingNothing(async () => {
      for (const id of [...IDS, taken.body.id]) {
        const path = `${TIME_OFF}/${encodeURIComponent(id)}`
        expectProblem(await send('DELETE', path, undefined), 404, 'not-found', id)
      }
    })
  })
})

describe('A change of an opening', () => {
  it('that is malformed is not made', async () => {
    const whole = { start: `${dayFromNow(3)}T10:00:00Z`, end: `${dayFromNow(3)}T12:00:00Z` }
    const { body: opening } = await send('POST', OPENINGS, whole)
    const path = `${OPENINGS}/${opening.id}`
    await expectRefused('PATCH', path, {}, [
      ...each('start', ...NO_INSTANTS, whole.start.replace('00Z', '30Z')),
      ...each('end', ...NO_INSTANTS, whole.end.replace('Z', '.500Z')),
      [{ start: whole.end, end: whole.start }, ['/end']],
      [{ start: whole.end, end: whole.end }, ['/end']],
      [{ start: whole.start, version: 2, id: 'opn_1' }, ['/version', '/id']],
      [{}, ['']],
    ])
  })

  it('of no such id is none', async () => {
    await writingNothing(async () => {
      for (const id of IDS) {
        const path = `${OPENINGS}/${encodeURIComponent(id)}`
        const answer = await send('PATCH', path, { end: `${dayFromNow(3)}T13:00:00Z` })
        expectProblem(answer, 404, 'not-found', id)
      }
    })
  })
})
