/** Dated openings beside the rules: added, listed, removed, retried. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'
import { book, eventsOf, openSlots, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'
import { calendarObject } from '../support/faults'
import { dayFromNow, expectInvalid, expectProblem } from './refusal'

const PATH = '/v1/doctors/me/availability'
const daily = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '12:00', startDate: '2020-01-01' }

const at = (days: number, from: string, to: string) => ({
  start: `${dayFromNow(days)}T${from}:00Z`,
  end: `${dayFromNow(days)}T${to}:00Z`,
})
const add = ({ token }: SeededUser, body: object, key?: string) =>
  call('POST', PATH, { token, body, headers: key === undefined ? {} : { 'Idempotency-Key': key } })
const remove = ({ token }: SeededUser, id: string) => call('DELETE', `${PATH}/${id}`, { token })
const move = ({ token }: SeededUser, id: string, body: object, headers: Record<string, string> = {}) =>
  call('PATCH', `${PATH}/${id}`, { token, body, headers })
const startsOn = async ({ userId }: SeededUser, day: string): Promise<string[]> =>
  (await openSlots(userId, `&from=${day}&to=${day}`)).map(({ start }) => start.slice(11, 16))

const openingsOf = ({ userId }: SeededUser) => rows('SELECT id FROM opening WHERE doctor_id = ?', userId)

describe('an opening', () => {
  it('is offered beside the rules with a grid of its own, until it is removed', async () => {
    const doctor = await seedClinic({ rules: [daily] })
    const day = dayFromNow(4)
    const added = await add(doctor, at(4, '13:10', '14:20'))
    expect([added.status, added.body]).toEqual([
      201,
      { id: expect.stringMatching(/^opn_/), ...at(4, '13:10', '14:20'), version: 1 },
    ])
    const ruled = ['09:00', '09:30', '10:00', '10:30', '11:00', '11:30']
    expect(await startsOn(doctor, day)).toEqual([...ruled, '13:10', '13:40'])
    const removed = await remove(doctor, added.body.id)
    expect([removed.status, removed.body]).toEqual([204, ''])
    expect(await startsOn(doctor, day)).toEqual(ruled)
    expectProblem(await remove(doctor, added.body.id), 404, 'not-found')
    const events = await rows(
      'SELECT type, actor_id, data FROM event WHERE subject_id = ? ORDER BY sequence',
      added.body.id,
    )
    const { start, end } = at(4, '13:10', '14:20')
    const data = { doctorId: doctor.userId, startMs: Date.parse(start), endMs: Date.parse(end) }
    expect(events).toEqual(
      ['opening.added', 'opening.removed'].map((type) => ({
        type,
        actor_id: doctor.userId,
        data: JSON.stringify(data),
      })),
    )
  })

  it('is bookable without any rules, and kept while it is booked', async () => {
    const doctor = await seedClinic({ rules: [] })
    const patient = await seedUser(env, 'patient')
    const { body: opening } = await add(doctor, at(4, '13:00', '14:00'))
    const booked = await book(patient, doctor.userId, opening.start)
    expect(booked.status).toBe(201)
    expectProblem(await remove(doctor, opening.id), 409, 'opening-booked')
    expect(await openingsOf(doctor)).toHaveLength(1)
    expect(await startsOn(doctor, dayFromNow(4))).toEqual(['13:30'])
    expect(
      (await call('DELETE', `/v1/appointments/${booked.body.id}`, { token: patient.token })).status,
    ).toBe(200)
    expect((await remove(doctor, opening.id)).status).toBe(204)
    expectProblem(await book(patient, doctor.userId, opening.start), 422, 'slot-not-offered')
  })

  it('may abut the rules and other openings, and overlap neither', async () => {
    const doctor = await seedClinic({ rules: [daily] })
    for (const [from, to] of [
      ['12:00', '13:00'],
      ['13:00', '14:00'],
      ['08:00', '09:00'],
    ] as const) {
      expect((await add(doctor, at(4, from, to))).status, from).toBe(201)
    }
    for (const [from, to] of [
      ['11:59', '12:00'],
      ['13:59', '15:00'],
      ['07:00', '08:01'],
      ['10:00', '11:00'],
      ['07:00', '15:00'],
      ['13:00', '14:00'],
    ] as const) {
      expectProblem(await add(doctor, at(4, from, to)), 409, 'opening-overlaps', from)
    }
    expect(await openingsOf(doctor)).toHaveLength(3)
  })

  it('is in the future, be it by a minute, and at most a day long', async () => {
    const doctor = await seedClinic({ rules: [] })
    const thisMinuteMs = Math.floor(Date.now() / 60_000) * 60_000
    const inMinutes = (minutes: number) => new Date(thisMinuteMs + minutes * 60_000).toISOString()
    const end = inMinutes(60)
    expectProblem(await add(doctor, { start: inMinutes(-1), end }), 422, 'opening-in-past')
    expect((await add(doctor, { start: inMinutes(2), end })).status).toBe(201)
    const day = { start: `${dayFromNow(3)}T00:00:00Z`, end: `${dayFromNow(4)}T00:00:00Z` }
    expect((await add(doctor, day)).status).toBe(201)
    expect(await startsOn(doctor, dayFromNow(3))).toHaveLength(48)
  })

  it('starts and ends on whole minutes, so that every slot it offers can be booked as it is shown', async () => {
    const doctor = await seedClinic({ rules: [] })
    const whole = at(3, '10:00', '12:00')
    for (const cut of [':00.500Z', ':30Z']) {
      const start = whole.start.replace(':00Z', cut)
      const answer = await add(doctor, { start, end: whole.end.replace(':00Z', cut) })
      expectInvalid(answer, ['/start', '/end'], start)
    }
  })

  it('that has ended is history: neither moved nor removed, in memory or not', async () => {
    const doctor = await seedClinic({ rules: [] })
    const now = Date.now()
    await env.DB.prepare(
      'INSERT INTO opening (id, doctor_id, start_ms, end_ms, created_at) VALUES (?, ?, ?, ?, 0)',
    )
      .bind('opn_yesterday', doctor.userId, now - 7_200_000, now - 3_600_000)
      .run()
    for (let loads = 0; loads < 2; loads++) {
      await evictDurableObject(calendarObject(doctor.userId))
      expectProblem(await remove(doctor, 'opn_yesterday'), 404, 'not-found')
      expectProblem(await move(doctor, 'opn_yesterday', at(4, '10:00', '11:00')), 404, 'not-found')
    }
  })

  it('that two add at once is there once', async () => {
    const doctor = await seedClinic({ rules: [] })
    const answers = await Promise.all([1, 2, 3, 4].map(() => add(doctor, at(5, '10:00', '11:00'))))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
    expect(await openingsOf(doctor)).toHaveLength(1)
  })
})

describe('a change of an opening', () => {
  it('moves either end or both, and tells of it', async () => {
    const doctor = await seedClinic({ rules: [daily] })
    const { body: opening, headers } = await add(doctor, at(4, '13:00', '14:00'))
    expect(headers.get('ETag')).toBe('"1"')
    const later = await move(doctor, opening.id, { start: at(4, '13:30', '').start })
    expect([later.status, later.headers.get('ETag'), later.body]).toEqual([
      200,
      '"2"',
      { id: opening.id, ...at(4, '13:30', '14:00'), version: 2 },
    ])
    expect((await move(doctor, opening.id, { end: at(4, '', '15:00').end })).status).toBe(200)
    expect((await startsOn(doctor, dayFromNow(4))).slice(6)).toEqual(['13:30', '14:00', '14:30'])
    const elsewhere = { start: `${dayFromNow(5)}T20:00:00+06:00`, end: at(5, '', '15:00').end }
    expect((await move(doctor, opening.id, elsewhere)).body).toMatchObject(at(5, '14:00', '15:00'))
    expect(await startsOn(doctor, dayFromNow(4))).toHaveLength(6)
    expect((await startsOn(doctor, dayFromNow(5))).slice(6)).toEqual(['14:00', '14:30'])
    expect(await eventsOf(opening.id)).toEqual(['opening.added', ...Array(3).fill('opening.changed')])
  })

  it('is refused where the time is booked, held, offered already, past, or none', async () => {
    const doctor = await seedClinic({ rules: [daily] })
    const [patient, another] = [await seedUser(env, 'patient'), await seedUser(env, 'patient')]
    const { body: opening } = await add(doctor, at(4, '13:00', '14:00'))
    await add(doctor, at(4, '15:00', '16:00'))
    for (const [ends, status, code] of [
      [{ end: at(4, '', '15:30').end }, 409, 'opening-overlaps'],
      [{ start: at(4, '11:59', '').start }, 409, 'opening-overlaps'],
      [at(4, '09:00', '10:00'), 409, 'opening-overlaps'],
      [at(-1, '13:00', '14:00'), 422, 'opening-in-past'],
      [{ start: at(4, '14:00', '').start }, 422, 'opening-length'],
      [{ end: at(4, '', '13:00').end }, 422, 'opening-length'],
      [{ end: at(5, '', '13:01').end }, 422, 'opening-length'],
    ] as const) {
      expectProblem(await move(doctor, opening.id, ends), status, code, JSON.stringify(ends))
    }
    const { body: hold } = await call('POST', '/v1/holds', {
      token: patient.token,
      body: { doctorId: doctor.userId, start: opening.start },
    })
    const later = { end: at(4, '', '14:30').end }
    expectProblem(await move(doctor, opening.id, later), 409, 'opening-booked', 'held')
    expectProblem(await remove(doctor, opening.id), 409, 'opening-booked', 'held')
    expect((await call('DELETE', `/v1/holds/${hold.id}`, { token: patient.token })).status).toBe(204)
    const { body: booked } = await book(another, doctor.userId, opening.start)
    expectProblem(await move(doctor, opening.id, later), 409, 'opening-booked', 'booked')
    await call('DELETE', `/v1/appointments/${booked.id}`, { token: another.token })
    expect((await move(doctor, opening.id, later)).body).toMatchObject({ ...later, version: 2 })
  })

  it('is made under If-Match only while it has that version, and costs one round trip', async () => {
    const doctor = await seedClinic({ rules: [] })
    const { body: opening } = await add(doctor, at(4, '13:00', '14:00'))
    const later = { end: at(4, '', '15:00').end }
    for (const tag of ['"0"', '"2"', 'W/"1"', 'x']) {
      const answer = await move(doctor, opening.id, later, { 'If-Match': tag })
      expectProblem(answer, 412, 'precondition-failed', tag)
    }
    const { outcome, cost } = await costOf(() => move(doctor, opening.id, later, { 'If-Match': '"1"' }))
    expect(outcome.status).toBe(200)
    expect(cost).toMatchObject({ d1Batches: 1, kvReads: 0, objectCalls: 1 })
    expect(cost.d1RowsWritten).toBeLessThanOrEqual(10)
  })
})

describe('an Idempotency-Key', () => {
  it('gives the first answer again, writes once, and refuses another body', async () => {
    const doctor = await seedClinic({ rules: [] })
    const first = await add(doctor, at(4, '10:00', '11:00'), 'key-1')
    expect([first.status, first.headers.get('Idempotency-Replayed')]).toEqual([201, null])
    const again = await add(doctor, at(4, '10:00', '11:00'), 'key-1')
    expect([again.status, again.headers.get('Idempotency-Replayed')]).toEqual([201, 'true'])
    expect(again.body).toEqual(first.body)
    const spelled = { end: at(4, '10:00', '11:00').end, start: `${dayFromNow(4)}T16:00:00.000+06:00` }
    expect((await add(doctor, spelled, 'key-1')).body).toEqual(first.body)
    expectProblem(await add(doctor, at(4, '12:00', '13:00'), 'key-1'), 422, 'idempotency-key-reused')
    expect(await openingsOf(doctor)).toHaveLength(1)
    expect((await add(doctor, at(4, '12:00', '13:00'), 'key-2')).status).toBe(201)
  })

  it('gives the first answer even when the opening is gone, or time has passed over it', async () => {
    const doctor = await seedClinic({ rules: [] })
    const first = await add(doctor, at(4, '10:00', '11:00'), 'key-1')
    expect((await remove(doctor, first.body.id)).status).toBe(204)
    const again = await add(doctor, at(4, '10:00', '11:00'), 'key-1')
    expect([again.status, again.body]).toEqual([201, first.body])
    expect(await openingsOf(doctor)).toEqual([])
  })

  it('is shared by twins in flight, belongs to its user, and is free again after a refusal', async () => {
    const [doctor, colleague] = [await seedClinic({ rules: [] }), await seedClinic({ rules: [] })]
    const twins = await Promise.all([1, 2, 3].map(() => add(doctor, at(4, '10:00', '11:00'), 'key-1')))
    expect(twins.map(({ status }) => status)).toEqual([201, 201, 201])
    await move(doctor, twins[0]?.body.id, { end: at(4, '', '12:00').end })
    await evictDurableObject(calendarObject(doctor.userId))
    const later = await add(doctor, at(4, '10:00', '11:00'), 'key-1')
    expect([later.headers.get('ETag'), later.headers.get('Idempotency-Replayed')]).toEqual(['"1"', 'true'])
    expect(new Set([...twins, later].map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect((await add(colleague, at(5, '10:00', '11:00'), 'key-1')).status).toBe(201)
    expectProblem(await add(doctor, at(4, '10:30', '11:30'), 'key-2'), 409, 'opening-overlaps')
    expect((await add(doctor, at(4, '12:00', '12:30'), 'key-2')).status).toBe(201)
  })
})

describe('the list', () => {
  it('has the openings that have not ended, by start, page by page, and only the own ones', async () => {
    const doctor = await seedClinic({ rules: [] })
    const colleague = await seedClinic({ rules: [] })
    await add(colleague, at(4, '10:00', '11:00'))
    const ids: string[] = []
    for (const days of [6, 4, 8, 5, 7]) {
      const { body } = await add(doctor, at(days, '10:00', '11:00'))
      ids[days - 4] = body.id
    }
    const insert = env.DB.prepare(
      'INSERT INTO opening (id, doctor_id, start_ms, end_ms, created_at) VALUES (?, ?, ?, ?, 0)',
    )
    const now = Date.now()
    await insert.bind('opn_ended', doctor.userId, now - 7_200_000, now - 1000).run()
    await insert.bind('opn_going', doctor.userId, now - 7_200_000, now + 600_000).run()
    const expected = ['opn_going', ...ids]

    const seen: string[] = []
    const sizes: number[] = []
    let cursor = ''
    do {
      const page = await call('GET', `${PATH}?limit=2&count=true${cursor}`, { token: doctor.token })
      expect([page.status, page.body.total]).toEqual([200, 6])
      seen.push(...page.body.items.map(({ id }: { id: string }) => id))
      sizes.push(page.body.items.length)
      cursor = page.body.nextCursor === null ? '' : `&cursor=${page.body.nextCursor}`
    } while (cursor !== '')
    expect([seen, sizes]).toEqual([expected, [2, 2, 2]])
    const all = await call('GET', PATH, { token: doctor.token })
    expect(all.body.items.map(({ id }: { id: string }) => id)).toEqual(expected)
    expect(all.body).not.toHaveProperty('total')
    expect(all.body.items[1]).toEqual({ id: ids[0], ...at(4, '10:00', '11:00'), version: 1 })
  })
})
