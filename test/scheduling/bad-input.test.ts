/** What booking refuses: every fault is listed, nothing is written, nothing is a 500. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { dayFromNow, expectInvalid, expectProblem, writingNothing } from '../http/refusal'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'

type Body = Record<string, unknown>
type Case = readonly [what: string, change: Body, pointers: readonly string[]]

/** A value of every type but a text, and the texts that are always too little. */
const noText = [1, true, [], {}, null]
const wrongTexts = (member: string): Case[] =>
  noText.map((value) => [`${member}: ${JSON.stringify(value)}`, { [member]: value }, [`/${member}`]])

const rule = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '17:00', startDate: '2020-01-01' }
const hours = { timeZone: 'UTC', rules: [rule] }

let doctor: SeededUser
let patient: SeededUser
let admin: SeededUser

/** A doctor of UTC who works from 9 to 17, with what else the hours say. */
async function working(policy: Body = {}): Promise<SeededUser> {
  const owner = await seedUser(env, 'doctor')
  const answer = await call('PUT', '/v1/doctors/me/schedule', {
    token: owner.token,
    body: { ...hours, ...policy },
  })
  expect(answer.status).toBe(200)
  return owner
}

beforeAll(async () => {
  doctor = await working()
  patient = await seedUser(env, 'patient')
  admin = await seedUser(env, 'admin')
})

describe('A booking', () => {
  const book = (body: unknown, token = patient.token, headers: Record<string, string> = {}) =>
    call('POST', '/v1/appointments', { token, body, headers })
  const valid = () => ({ doctorId: doctor.userId, start: `${dayFromNow(2)}T10:00:00Z` })

  const notInstants = [
    '',
    'x',
    'now',
    '2026-12-01',
    '2026-12-01T10:00:00',
    '2026-12-01T10:00Z',
    '2026-12-01 10:00:00Z',
    '2026-12-01T24:00:00Z',
    '2026-02-30T10:00:00Z',
    '2026-12-01T10:00:60Z',
    '2026-12-01T10:00:00+25:00',
    '2026-12-01T10:00:00Z[UTC]',
    '2026-12-01T10:00:00+0600',
    '20261201T100000Z',
    '1796119200000',
    '02026-12-01T10:00:00Z',
    `2026-12-01T10:00:00.${'0'.repeat(30)}Z`,
  ]
  const ids = ['doctorId', 'visitTypeId', 'holdId', 'patientId']
  const cases: Case[] = [
    ['no doctor', { doctorId: undefined }, ['/doctorId']],
    ['no start', { start: undefined }, ['/start']],
    ...['doctorId', 'start', 'visitTypeId', 'holdId', 'patientId'].flatMap(wrongTexts),
    ...wrongTexts('notes').filter(([, { notes }]) => notes !== null),
    ...ids.map((id): Case => [`${id} empty`, { [id]: '' }, [`/${id}`]]),
    ...ids.map((id): Case => [`${id} too long`, { [id]: 'x'.repeat(65) }, [`/${id}`]]),
    ...[1, true, [], null, 'because'].map(
      (override): Case => [`override ${JSON.stringify(override)}`, { override }, ['/override']],
    ),
    ...[undefined, 1, '', ' ', 'x'.repeat(501)].map(
      (reason): Case => [`override for ${reason}`, { override: { reason } }, ['/override/reason']],
    ),
    ...notInstants.map((start): Case => [`start ${start}`, { start }, ['/start']]),
    ['notes too long', { notes: 'x'.repeat(501) }, ['/notes']],
    ...['\u0000', '\u0007', '\u001b[31m', '\u007f'].map(
      (notes): Case => [`control character ${JSON.stringify(notes)}`, { notes }, ['/notes']],
    ),
    ['no Unicode', { notes: 'half a pair: \ud83d' }, ['/notes']],
    ['unknown member', { status: 'confirmed' }, ['/status']],
    ['member of another case', { Notes: 'x' }, ['/Notes']],
    ['constructor', { constructor: 1 }, ['/constructor']],
    ['an address in pointers’ own signs', { 'a/b~c': 1 }, ['/a~1b~0c']],
    [
      'everything at once',
      { doctorId: 7, start: 'x', visitTypeId: '', patientId: '', notes: 'x'.repeat(501), x: 1, y: 2 },
      ['/doctorId', '/start', '/visitTypeId', '/patientId', '/notes', '/x', '/y'],
    ],
  ]

  it('of any malformed member is refused, with every fault and no other', async () => {
    await writingNothing(async () => {
      for (const [what, change, pointers] of cases) {
        expectInvalid(await book({ ...valid(), ...change }), pointers, what)
      }
      expectInvalid(await book({}), ['/doctorId', '/start'], 'nothing')
      const proto = JSON.stringify(valid()).replace('{', '{"__proto__":{"a":1},')
      expectInvalid(await book(proto), ['/__proto__'], '__proto__')
    })
  })

  it.each(['', ' ', 'a b', 'x'.repeat(256), 'tab\there', 'é'])(
    'with the malformed Idempotency-Key “%s” is refused',
    async (key) => {
      await writingNothing(async () => {
        const answer = await book(valid(), patient.token, { 'Idempotency-Key': key })
        expectInvalid(answer, ['/Idempotency-Key'], key)
      })
    },
  )

  it('for somebody else is an administrator’s, who must name a patient that exists', async () => {
    const other = await seedUser(env, 'patient')
    await writingNothing(async () => {
      expectProblem(await book({ ...valid(), patientId: other.userId }), 403, 'forbidden')
      expectInvalid(await book(valid(), admin.token), ['/patientId'], 'nobody named')
      for (const patientId of [newId('usr'), doctor.userId, admin.userId, `' OR 1=1 --`]) {
        expectProblem(await book({ ...valid(), patientId }, admin.token), 404, 'patient-not-found', patientId)
      }
    })
  })

  it('of a doctor who is unknown, unverified, suspended, or no doctor, is refused as if there were none', async () => {
    const unverified = await seedUser(env, 'doctor', { verified: false })
    const suspended = await seedUser(env, 'doctor', { status: 'suspended' })
    const ids = [
      newId('usr'),
      unverified.userId,
      suspended.userId,
      patient.userId,
      'x',
      newId('apt'),
      `usr_' --`,
      'usr_',
      '../../admin',
      '%00',
    ]
    const callers = await Promise.all(ids.map(() => seedUser(env, 'patient')))
    await writingNothing(async () => {
      for (const [index, doctorId] of ids.entries()) {
        const answer = await book({ ...valid(), doctorId }, callers[index]?.token)
        expectProblem(answer, 404, 'doctor-not-found', doctorId)
      }
    })
  })

  it('of a visit type that the doctor does not offer is refused', async () => {
    const colleague = await seedUser(env, 'doctor')
    await writingNothing(async () => {
      for (const visitTypeId of [newId('vis'), colleague.visitTypeId, `'; DROP TABLE visit_type; --`]) {
        expectProblem(await book({ ...valid(), visitTypeId }), 404, 'visit-type-not-found', visitTypeId)
      }
    })
  })

  it('of a time that is not offered is refused, with all reasons', async () => {
    const busy = await working({ minNoticeMinutes: 3 * 1440, horizonDays: 30, dailyLimit: 1 })
    const full = `${dayFromNow(6)}T10:00:00Z`
    expect((await book({ doctorId: busy.userId, start: full })).status).toBe(201)
    const reasons: readonly (readonly [start: string, reasons: readonly string[]])[] = [
      [`${dayFromNow(-1)}T10:00:00Z`, ['in-the-past']],
      [`${dayFromNow(-1)}T10:07:00Z`, ['in-the-past', 'off-grid']],
      [`${dayFromNow(-1)}T03:00:00Z`, ['in-the-past', 'outside-hours']],
      [`${dayFromNow(2)}T10:00:00Z`, ['too-soon']],
      [`${dayFromNow(2)}T10:00:01Z`, ['off-grid', 'too-soon']],
      [`${dayFromNow(2)}T17:00:00Z`, ['outside-hours', 'too-soon']],
      [`${dayFromNow(5)}T08:30:00Z`, ['outside-hours']],
      [`${dayFromNow(5)}T16:45:00Z`, ['off-grid', 'outside-hours']],
      [`${dayFromNow(5)}T16:30:00.500Z`, ['off-grid', 'outside-hours']],
      [`${dayFromNow(32)}T10:00:00Z`, ['beyond-horizon']],
      [`${dayFromNow(32)}T10:10:00Z`, ['beyond-horizon', 'off-grid']],
      [`${dayFromNow(90)}T20:00:00Z`, ['beyond-horizon', 'outside-hours']],
      [`${dayFromNow(6)}T11:00:00Z`, ['daily-limit']],
      [`${dayFromNow(6)}T11:11:00Z`, ['daily-limit', 'off-grid']],
      [`${dayFromNow(6)}T18:00:00Z`, ['daily-limit', 'outside-hours']],
    ]
    const callers = await Promise.all([...reasons, 1, 2].map(() => seedUser(env, 'patient')))
    await writingNothing(async () => {
      for (const [index, [start, expected]] of reasons.entries()) {
        const answer = await book({ doctorId: busy.userId, start }, callers[index]?.token)
        expectProblem(answer, 422, 'slot-not-offered', start)
        expect([...answer.body.reasons].sort(), start).toEqual(expected)
      }
      for (const [start, reason] of [
        ['9999-12-31T23:59:59Z', 'beyond-horizon'],
        ['0001-01-01T00:00:00Z', 'in-the-past'],
      ] as const) {
        const answer = await book({ doctorId: busy.userId, start }, callers.at(-1)?.token)
        expectProblem(answer, 422, 'slot-not-offered', start)
        // So far away that nobody asks the rules: of the hours nothing is said.
        expect(answer.body.reasons).toEqual([reason])
      }
    })
  })

  it('keeps notes as they were sent, SQL, HTML and all', async () => {
    const notes = [
      `'); DROP TABLE appointment; --`,
      '<script>alert("x")</script>',
      '" OR ""="',
      '\\n \\u0000 %00 %s {{x}}',
      'line\r\nline\ttab',
      'বাংলা 👩‍⚕️ עברית',
      '',
      'x'.repeat(500),
      '{"$.feeMinor":1}',
    ]
    for (const [index, text] of notes.entries()) {
      const caller = await seedUser(env, 'patient', { fullName: text.slice(0, 90) || 'x' })
      const start = `${dayFromNow(10 + index)}T12:00:00Z`
      const booked = await book({ doctorId: doctor.userId, start, notes: text }, caller.token)
      expect([booked.status, booked.body.notes]).toEqual([201, text])
      expect(booked.body.patient.fullName).toBe(text.slice(0, 90) || 'x')
      const read = await call('GET', `/v1/appointments/${booked.body.id}`, { token: caller.token })
      expect(read.body.notes).toBe(text)
      const row = await env.DB.prepare('SELECT notes FROM appointment WHERE id = ?')
        .bind(booked.body.id)
        .first()
      expect(row).toEqual({ notes: text })
    }
  })
})
