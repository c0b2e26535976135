/** What the actions on appointments, and holds, refuse: every fault is listed, nothing is written, nothing is a 500. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { dayFromNow, expectInvalid, expectProblem, writingNothing } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, isOpen, openStart, seedClinic } from '../support/clinic'
import { historyOf, holdsOf, releaseHold, takeHold } from '../support/visits'

type Case = readonly [body: unknown, pointers: readonly string[]]
type Change = readonly [change: object, pointers: readonly string[]]

/** A value of every type but a text. */
const noText = [1, true, [], {}, null]
const control = ['\u0000', 'bell \u0007', '\u007f', 'half a pair \ud83d']

/** Every action: its address below an appointment, its method, a valid body, who may take it, and bad bodies. */
const start = `${dayFromNow(5)}T10:00:00Z`
const words = (member: string, most: number): Case[] =>
  [...noText, ...control, 'x'.repeat(most + 1)].map((value) => [{ [member]: value }, [`/${member}`]])
const nothing: Case[] = [
  [{ remarks: 'x' }, ['/remarks']],
  [{ a: 1, b: 2 }, ['/a', '/b']],
  [[], ['']],
  [1, ['']],
]
const ACTIONS = {
  'POST /approve': { body: {}, roles: ['doctor', 'admin'], bad: nothing },
  'POST /reject': {
    body: { remarks: 'No' },
    roles: ['doctor', 'admin'],
    bad: [
      ...words('remarks', 500),
      [{}, ['/remarks']],
      [{ remarks: ' \n ' }, ['/remarks']],
      [{ remarks: 'x', reason: 'y' }, ['/reason']],
    ],
  },
  'POST /cancel': { body: {}, roles: ['patient', 'doctor', 'admin'], bad: words('reason', 500) },
  'POST /reschedule': {
    body: { start },
    roles: ['patient', 'doctor', 'admin'],
    bad: [
      [{}, ['/start']],
      ...[...noText, '', 'x', '2027-01-01', '2027-01-01T10:00:00', '2027-02-30T10:00:00Z'].map(
        (wrong): Case => [{ start: wrong }, ['/start']],
      ),
      ...[...noText, '', 'x'.repeat(65)].map(
        (visitTypeId): Case => [{ start, visitTypeId }, ['/visitTypeId']],
      ),
      ...[1, true, [], null, 'because'].map((override): Case => [{ start, override }, ['/override']]),
      ...[undefined, 1, null, '', ' ', 'x'.repeat(501)].map(
        (reason): Case => [{ start, override: { reason } }, ['/override/reason']],
      ),
      [{ start, override: { reason: 'x', by: 'me' } }, ['/override/by']],
      [{ start: start.replace('Z', '.5Z'), override: { reason: 'x' } }, ['/start']],
      [{ start, doctorId: 'usr_1', patientId: 'usr_2' }, ['/doctorId', '/patientId']],
      [{ start: 1, visitTypeId: 2, notes: 'x' }, ['/start', '/visitTypeId', '/notes']],
    ],
  },
  'POST /start': { body: {}, roles: ['doctor', 'admin'], bad: nothing },
  'POST /complete': { body: {}, roles: ['doctor', 'admin'], bad: nothing },
  'POST /no-show': { body: {}, roles: ['doctor', 'admin'], bad: nothing },
  'PATCH ': {
    body: { notes: 'x' },
    roles: ['patient', 'admin'],
    bad: [
      ...words('notes', 500).filter(([body]) => (body as { notes: unknown }).notes !== null),
      [{}, ['/notes']],
      [{ notes: 'x', status: 'completed', start }, ['/status', '/start']],
    ],
  },
} as const satisfies Record<string, { body: object; roles: readonly string[]; bad: readonly Case[] }>

let admin: SeededUser

beforeAll(async () => {
  admin = await seedUser(env, 'admin')
})

const send = (action: string, id: string, { token }: SeededUser, options: object) => {
  const [method = '', path = ''] = action.split(' ')
  return call(method, `/v1/appointments/${encodeURIComponent(id)}${path}`, { token, ...options })
}

describe.each(Object.entries(ACTIONS))('%s', (action, { body, roles, bad }) => {
  let parties: Record<string, SeededUser>
  let strangers: Record<string, SeededUser>
  let id: string

  beforeAll(async () => {
    const doctor = await seedClinic({ approval: 'manual' })
    const patient = await seedUser(env, 'patient')
    parties = { doctor, patient, admin }
    strangers = { doctor: await seedUser(env, 'doctor'), patient: await seedUser(env, 'patient') }
    id = (await book(patient, doctor.userId, `${dayFromNow(3)}T10:00:00Z`)).body.id
  })

  const by = (role: string): SeededUser => {
    const user = parties[role]
    if (user === undefined) throw new Error(role)
    return user
  }

  it('refuses malformed bodies, with every fault and no other', async () => {
    await writingNothing(async () => {
      const [role] = roles
      for (const [wrong, pointers] of bad) {
        expectInvalid(await send(action, id, by(role), { body: wrong }), pointers, JSON.stringify(wrong))
      }
      expectInvalid(await send(action, id, by(role), { body: '{' }), [''], 'no JSON')
      const headers = { 'Content-Type': 'text/plain' }
      expectProblem(await send(action, id, by(role), { body: 'x', headers }), 415, 'unsupported-media-type')
    })
  })

  it('refuses other roles, strangers, and appointments that are none', async () => {
    await writingNothing(async () => {
      for (const role of ['patient', 'doctor', 'admin'].filter((one) => !roles.some((may) => may === one))) {
        expectProblem(await send(action, id, by(role), { body }), 403, 'forbidden', role)
      }
      for (const role of roles) {
        const stranger = strangers[role]
        if (stranger !== undefined) {
          expectProblem(await send(action, id, stranger, { body }), 404, 'not-found', role)
        }
        for (const unknown of [newId('apt'), 'x', `' OR 1=1 --`, '😀', 'null', 'x'.repeat(3000)]) {
          expectProblem(await send(action, unknown, by(role), { body }), 404, 'not-found', unknown)
        }
      }
    })
  })

  it('refuses a version that the appointment does not have', async () => {
    await writingNothing(async () => {
      for (const tag of ['"2"', 'W/"1"', '1', '""', 'x', '"1', '"01x"']) {
        for (const role of roles) {
          const answer = await send(action, id, by(role), { body, headers: { 'If-Match': tag } })
          expectProblem(answer, 412, 'precondition-failed', `${role} ${tag}`)
        }
      }
    })
  })
})

describe('A history', () => {
  it('is its parties’ and administrators’, in pages that it gave out itself', async () => {
    const doctor = await seedClinic()
    const [patient, stranger] = await seedUsers('patient', 2)
    const colleague = await seedUser(env, 'doctor')
    const booked = await book(patient, doctor.userId, `${dayFromNow(3)}T10:00:00Z`)
    const { id } = booked.body
    await writingNothing(async () => {
      for (const caller of [stranger, colleague]) {
        expectProblem(await historyOf(caller, id), 404, 'not-found')
      }
      for (const caller of [patient, doctor, admin]) {
        for (const unknown of [newId('apt'), doctor.userId, 'x', '%27%20OR%201%3D1']) {
          expectProblem(await historyOf(caller, unknown), 404, 'not-found', unknown)
        }
      }
      const cases: [string, string[]][] = [
        ['?limit=0', ['/limit']],
        ['?limit=101&count=1', ['/limit', '/count']],
        ['?cursor=made-up', ['/cursor']],
        [`?cursor=${btoa('["x"]')}`, ['/cursor']],
        [`?cursor=${btoa('[1,2]')}`, ['/cursor']],
        ['?after=1', ['/after']],
      ]
      for (const [query, pointers] of cases)
        expectInvalid(await historyOf(patient, id, query), pointers, query)
    })
  })
})

describe('A hold', () => {
  it('a malformed request, with every fault and no other', async () => {
    const doctor = await seedClinic()
    const [owner] = await seedUsers('patient', 1)
    const valid = { doctorId: doctor.userId, start: `${dayFromNow(3)}T10:00:00Z` }
    const send = (body: unknown, headers: Record<string, string> = {}) =>
      call('POST', '/v1/holds', { token: owner?.token ?? '', body, headers })
    const wrong = [1, true, [], {}, null]
    const cases: Change[] = [
      ...wrong.map((doctorId): Change => [{ doctorId }, ['/doctorId']]),
      ...wrong.map((start): Change => [{ start }, ['/start']]),
      ...wrong.map((visitTypeId): Change => [{ visitTypeId }, ['/visitTypeId']]),
      [{ doctorId: '' }, ['/doctorId']],
      [{ doctorId: 'x'.repeat(65), visitTypeId: 'x'.repeat(65) }, ['/doctorId', '/visitTypeId']],
      [{ start: '2026-12-01' }, ['/start']],
      [{ start: '2026-12-01T10:00:00' }, ['/start']],
      [{ patientId: owner?.userId }, ['/patientId']],
      [{ expiresAt: '2030-01-01T00:00:00Z', origin: 'waitlist' }, ['/expiresAt', '/origin']],
    ]
    await writingNothing(async () => {
      for (const [change, pointers] of cases) {
        expectInvalid(await send({ ...valid, ...change }), pointers, JSON.stringify(change))
      }
      expectInvalid(await send({}), ['/doctorId', '/start'], 'nothing')
      expectInvalid(await send('{'), [''], 'no JSON')
      expectInvalid(await send(valid, { 'Idempotency-Key': 'a b' }), ['/Idempotency-Key'], 'key')
      expectProblem(
        await call('POST', '/v1/holds', { token: owner?.token ?? '' }),
        415,
        'unsupported-media-type',
      )
    })
  })

  it('what the doctor does not offer, whoever they are', async () => {
    const doctor = await seedClinic({ minNoticeMinutes: 1440 })
    const unverified = await seedUser(env, 'doctor', { verified: false })
    const [owner, busy] = await seedUsers('patient', 2)
    const start = `${dayFromNow(3)}T10:00:00Z`
    const booked = await book(busy, doctor.userId, start)
    const elsewhere = await seedClinic()
    await writingNothing(async () => {
      for (const doctorId of [newId('usr'), unverified.userId, 'x', '../admin']) {
        expectProblem(await takeHold(owner, doctorId, start), 404, 'doctor-not-found', doctorId)
      }
      const visitTypeId = newId('vis')
      const unknown = await takeHold(owner, doctor.userId, start, undefined, { visitTypeId })
      expectProblem(unknown, 404, 'visit-type-not-found')
      const past = await takeHold(owner, doctor.userId, `${dayFromNow(-1)}T10:07:00Z`)
      expectProblem(past, 422, 'slot-not-offered')
      expect(past.body.reasons.sort()).toEqual(['in-the-past', 'off-grid'])
      const soon = await takeHold(owner, doctor.userId, await openStart(elsewhere.userId))
      expect(soon.body.reasons).toEqual(['too-soon'])
      expectProblem(await takeHold(owner, doctor.userId, start), 409, 'slot-taken')
      const own = await takeHold(busy, doctor.userId, start)
      expectProblem(own, 409, 'already-booked')
      expect(own.body.appointment).toBe(`/v1/appointments/${booked.body.id}`)
      expectProblem(await takeHold(busy, elsewhere.userId, start), 409, 'patient-busy')
    })
    expect(await isOpen(elsewhere.userId, start)).toBe(true)
  })

  it('other roles, unknown ids, and an attempt too many', async () => {
    const doctor = await seedClinic()
    const [owner] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const held = await takeHold(owner, doctor.userId, start)
    await writingNothing(async () => {
      for (const caller of [doctor, admin]) {
        expectProblem(await takeHold(caller, doctor.userId, start), 403, 'forbidden')
        expectProblem(await holdsOf(caller), 403, 'forbidden')
        expectProblem(await releaseHold(caller, held.body.id), 403, 'forbidden')
      }
      for (const id of [newId('hld'), 'x', `' OR 1=1 --`, '😀', 'x'.repeat(3000)]) {
        expectProblem(await releaseHold(owner, encodeURIComponent(id)), 404, 'not-found', id)
      }
      for (let attempt = 1; attempt < 10; attempt++) await takeHold(owner, doctor.userId, start)
      const limited = await takeHold(owner, doctor.userId, start)
      expectProblem(limited, 429, 'rate-limited')
      expect(Number(limited.headers.get('Retry-After'))).toBeGreaterThan(0)
    })
    expect((await holdsOf(owner)).body.items).toHaveLength(1)
  })
})
