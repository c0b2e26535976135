/** The directory: who is found by what, what a profile shows, how its doctor changes it, and what that costs. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '#db/database'
import { doctorQueries } from '#directory/find-doctors'
import { matchingDoctors } from '#directory/match-doctors'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { costOf } from '../support/cost'

const find = (query: Record<string, string> = {}, headers = {}) =>
  call('GET', `/v1/doctors?${new URLSearchParams(query)}`, { headers })

const patch = (token: string, body: unknown, headers = {}) =>
  call('PATCH', '/v1/doctors/me', { token, body, headers })

const namesOf = (answer: Answer): string[] =>
  (answer.body.items as { fullName: string }[]).map(({ fullName }) => fullName)

const pointersOf = (answer: Answer): string[] =>
  (answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)

const aDoctor = (fullName: string, overrides = {}) => seedUser(env, 'doctor', { fullName, ...overrides })

let ayesha: SeededUser
let admin: SeededUser

beforeAll(async () => {
  admin = await seedUser(env, 'admin')
  ayesha = await aDoctor('Ayesha Siddiqua', { timeZone: 'Asia/Dhaka' })
  await aDoctor('Ayaan Khan')
  await aDoctor('José O’Brien-Smith')
  await aDoctor('রহিম উদ্দিন')
  await aDoctor('NEAR OR AND')
  await aDoctor('Ayesha Unverified', { verified: false })
  await aDoctor('Ayesha Suspended', { status: 'suspended' })
  await seedUsers('patient', 3, { fullName: 'Ayesha Patient' })
  await patch(ayesha.token, { specialties: ['Cardiology', 'spc_neurology'] })
})

describe('GET /v1/doctors', () => {
  test('lists verified, active doctors by name, without contact data', async () => {
    const answer = await find({ count: 'true' })
    expect(answer.status).toBe(200)
    expect(namesOf(answer)).toEqual([
      'Ayaan Khan',
      'Ayesha Siddiqua',
      'José O’Brien-Smith',
      'NEAR OR AND',
      'রহিম উদ্দিন',
    ])
    expect(answer.body).toMatchObject({ nextCursor: null, total: 5 })
    expect(answer.body.items[1]).toEqual({
      id: ayesha.userId,
      fullName: 'Ayesha Siddiqua',
      specialties: ['Cardiology', 'Neurology'],
      licenseNumber: null,
      experienceYears: null,
      consultationFee: null,
      bio: null,
      languages: [],
      address: null,
      timeZone: 'Asia/Dhaka',
      photoUrl: null,
      nextAvailable: null,
    })
  })

  test.each([
    ['aye', ['Ayesha Siddiqua']],
    ['AY', ['Ayaan Khan', 'Ayesha Siddiqua']],
    ['a', ['Ayaan Khan', 'Ayesha Siddiqua', 'NEAR OR AND']],
    ['siddiqua ayesha', ['Ayesha Siddiqua']],
    ['ayesha khan', []],
    ['jose', ['José O’Brien-Smith']],
    ["o'brien", ['José O’Brien-Smith']],
    ['Brien-Sm', ['José O’Brien-Smith']],
    ['রহি', ['রহিম উদ্দিন']],
    ['OR', ['NEAR OR AND']],
    ['NEAR(a b)', []],
    ['AND', ['NEAR OR AND']],
    ['NOT', []],
    ['aye"', ['Ayesha Siddiqua']],
    ['"aye"', ['Ayesha Siddiqua']],
    ['aye*', ['Ayesha Siddiqua']],
    ['name:aye', []],
    ['^aye', ['Ayesha Siddiqua']],
    ['{name}: aye', []],
    ['"', []],
    ['""""', []],
    ['*', []],
    ['()', []],
    ['- + : ^', []],
    ['\u0000', []],
    ['aye\u0000sha', []],
    ['\ud800', []],
    ["'; DROP TABLE doctor; --", []],
    ['<b>aye</b>', []],
    ['%', []],
    [`${'a '.repeat(50)}`, ['Ayaan Khan', 'Ayesha Siddiqua', 'NEAR OR AND']],
  ])('q=%j finds %j', async (q, names) => {
    const answer = await find({ q, count: 'true' })
    expect([answer.status, namesOf(answer)]).toEqual([200, names])
    expect(answer.body.total).toBe(names.length)
  })

  test('an empty q is no filter', async () => {
    expect(namesOf(await find({ q: ' ' }))).toHaveLength(5)
  })

  test.each([
    [{ specialty: 'Cardiology' }, 1],
    [{ specialty: ' cARDIOLOGY' }, 1],
    [{ specialty: 'spc_neurology' }, 1],
    [{ specialty: 'cardiology', q: 'ayesha' }, 1],
    [{ specialty: 'cardiology', q: 'ayaan' }, 0],
    [{ specialty: 'Dermatology' }, 0],
    [{ specialty: "Cardiology' OR 1=1" }, 0],
  ])('%j finds %i', async (query, length) => {
    expect(namesOf(await find({ ...query } as Record<string, string>))).toHaveLength(length)
  })

  test('pages hold everybody once, also those of one name', async () => {
    await seedUsers('doctor', 7, { fullName: 'Twin Twinner' })
    for (const [filter, size] of [
      [{ q: 'twin' }, 7],
      [{}, 12],
    ] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const { body } = await find({ ...filter, limit: '3', ...(cursor !== undefined && { cursor }) })
        seen.push(...body.items.map(({ id }: { id: string }) => id))
        cursor = body.nextCursor ?? undefined
      } while (cursor !== undefined)
      expect([seen.length, new Set(seen).size]).toEqual([size, size])
    }
  })

  test.each(['["\\ud800","usr_1"]', '["a\\u0000","\\udfff"]'])(
    'a cursor of what no name can be is a place in the list: %s',
    async (text) => expect((await find({ cursor: btoa(text) })).status).toBe(200),
  )

  test('answers If-None-Match with 304', async () => {
    const etag = (await find({ q: 'ayaan' })).headers.get('ETag') ?? ''
    const again = await find({ q: 'ayaan' }, { 'If-None-Match': `W/${etag}` })
    expect([again.status, again.body, again.headers.get('ETag')]).toEqual([304, '', etag])
    expect((await find({ q: 'aye' }, { 'If-None-Match': etag })).status).toBe(200)
  })

  test('is one round trip, and reads a page of rows however many doctors there are', async () => {
    const cost = async (query: string) => (await costOf(() => call('GET', `/v1/doctors?${query}`))).cost
    const few = await cost('limit=5')
    expect(few).toMatchObject({ status: 200, d1Batches: 1, kvReads: 0, objectCalls: 0 })
    await seedUsers('doctor', 300)
    expect((await cost('limit=5')).d1RowsRead).toBe(few.d1RowsRead)
    expect((await cost('limit=5&q=ayesha&specialty=cardiology')).d1RowsRead).toBeLessThan(60)
    expect((await cost('limit=5&q=zz')).d1Batches).toBe(1)
  })

  test('no query of it scans a table', async () => {
    const database = openDatabase(env.DB, 'first-primary')
    for (const filter of [{}, { q: 'a' }, { specialty: 'x' }, { q: 'a', specialty: 'x' }]) {
      const matching = matchingDoctors(filter) ?? true
      const query = { limit: 20, count: 'true', sort: 'name' } as const
      const queries = doctorQueries(database, query, matching, ['b', 'usr_1'])
      for (const { sql, params } of [queries.rows.toSQL(), queries.total.toSQL()]) {
        const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .bind(...params)
          .all<{ detail: string }>()
        const scans = plan.results.filter(({ detail }) =>
          /^SCAN (?!doctor_search VIRTUAL TABLE INDEX 0:M)/.test(detail),
        )
        expect(scans).toEqual([])
      }
    }
  })

  test.each([
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['limit=x', '/limit'],
    ['limit=', '/limit'],
    ['count=yes', '/count'],
    ['cursor=', '/cursor'],
    ['cursor=made-up', '/cursor'],
    [`cursor=${btoa('[1,2]')}`, '/cursor'],
    [`cursor=${btoa('["a"]')}`, '/cursor'],
    [`cursor=${'x'.repeat(601)}`, '/cursor'],
    [`q=${'x'.repeat(101)}`, '/q'],
    ['q=a&q=b', '/q'],
    ['specialty=', '/specialty'],
    ['sort=age', '/sort'],
    ['sort=-name', '/sort'],
    ['colour=red', '/colour'],
  ])('refuses %s', async (query, pointer) => {
    const answer = await call('GET', `/v1/doctors?${query}`)
    expect([answer.status, answer.body.code, pointersOf(answer)]).toEqual([
      400,
      'validation-failed',
      [pointer],
    ])
  })
})

describe('GET /v1/doctors/{id}', () => {
  test('shows what they offer, at the consultation fee where a visit has none of its own', async () => {
    const { userId, token, visitTypeId } = await aDoctor('Farida Begum')
    const consultationFee = { amountMinor: 80_000, currency: 'BDT' }
    await patch(token, { consultationFee })
    const answer = await call('GET', `/v1/doctors/${userId}`)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      id: userId,
      fullName: 'Farida Begum',
      consultationFee,
      nextAvailable: null,
    })
    expect(answer.body.visitTypes).toEqual([
      {
        id: visitTypeId,
        name: 'Consultation',
        durationMinutes: 30,
        bufferBeforeMinutes: 0,
        bufferAfterMinutes: 0,
        mode: 'in-person',
        fee: consultationFee,
        version: 1,
      },
    ])
    expect(JSON.stringify(answer.body)).not.toMatch(/email|mobile|@|verified/)
    const etag = answer.headers.get('ETag') ?? ''
    const again = await call('GET', `/v1/doctors/${userId}`, { headers: { 'If-None-Match': etag } })
    expect(again.status).toBe(304)
  })

  test('knows nobody who is not listed', async () => {
    const unlisted = await aDoctor('Un Verified', { verified: false })
    const suspended = await aDoctor('Sus Pended', { status: 'suspended' })
    const patient = await seedUser(env, 'patient')
    const ids = [
      unlisted.userId,
      suspended.userId,
      patient.userId,
      'usr_0',
      'apt_1',
      'x',
      '%00',
      "'%20OR%201=1",
      'a'.repeat(500),
    ]
    for (const id of ids) {
      const answer = await call('GET', `/v1/doctors/${id}`)
      expect([id, answer.status, answer.body.code]).toEqual([id, 404, 'doctor-not-found'])
    }
  })
})

describe('the own profile', () => {
  const profile = {
    specialties: ['Dermatology', 'spc_psychiatry', ' dermatology '],
    licenseNumber: 'A-12345',
    experienceYears: 12,
    consultationFee: { amountMinor: 0, currency: 'BDT' },
    bio: `Skin & mind.\n<script>alert('x')</script>'; DROP TABLE doctor; --`,
    languages: ['bn', 'en-GB', 'Bangla'],
    address: { division: 'Dhaka', district: 'Dhaka', thana: 'Dhanmondi', street: '12 Lake Road' },
  }

  test('changes what is given, in every member as it came, and remembers names alone', async () => {
    const { token, userId } = await aDoctor('Own Profile', { verified: false })
    const before = await costOf(() => call('GET', '/v1/doctors/me', { token }))
    expect(before.outcome.headers.get('ETag')).toBe('"1"')
    expect(before.outcome.body).toMatchObject({ id: userId, verified: false, specialties: [] })
    expect(before.cost.d1Batches).toBe(1)

    const answer = await patch(token, profile)
    expect([answer.status, answer.headers.get('ETag')]).toEqual([200, '"2"'])
    expect(answer.body).toEqual({
      ...before.outcome.body,
      ...profile,
      specialties: ['Dermatology', 'Psychiatry'],
    })
    const cleared = await patch(token, {
      consultationFee: null,
      bio: null,
      address: null,
      specialties: ['Urology'],
      languages: [],
    })
    expect(cleared.body).toMatchObject({
      ...{ consultationFee: null, bio: null, address: null, languages: [] },
      ...{ specialties: ['Urology'], licenseNumber: 'A-12345', experienceYears: 12 },
    })
    const noStreet = await patch(token, {
      address: { division: 'Sylhet', district: 'Sylhet', thana: 'Sadar' },
    })
    expect(noStreet.body.address).toEqual({ division: 'Sylhet', district: 'Sylhet', thana: 'Sadar' })
    expect((await call('GET', '/v1/doctors/me', { token })).body).toEqual(noStreet.body)
    const events = await env.DB.prepare(
      `SELECT data FROM event WHERE subject_id = ? AND type = 'doctor.updated'`,
    )
      .bind(userId)
      .all<{ data: string }>()
    expect(events.results[0]).toEqual({ data: JSON.stringify({ members: Object.keys(profile).join(',') }) })
    expect(events.results).toHaveLength(3)
  })

  test('If-Match lets only the version seen be changed; of a race one wins', async () => {
    const { token } = await aDoctor('If Match')
    const stale = await patch(token, { bio: 'x' }, { 'If-Match': '"7"' })
    expect([stale.status, stale.body.code]).toEqual([412, 'precondition-failed'])
    const race = await Promise.all(['a', 'b', 'c'].map((bio) => patch(token, { bio }, { 'If-Match': '"1"' })))
    expect(race.map(({ status }) => status).sort()).toEqual([200, 412, 412])
    const free = await Promise.all(
      ['a', 'b', 'c'].map((bio) => patch(token, { bio, specialties: ['Urology'] })),
    )
    expect(free.map(({ status }) => status)).toEqual([200, 200, 200])
  })

  test.each<[unknown, string[]]>([
    [{}, ['']],
    [{ specialties: [] }, ['/specialties']],
    [{ specialties: 'Urology' }, ['/specialties']],
    [{ specialties: Array(6).fill('Urology') }, ['/specialties']],
    [{ specialties: ['Alchemy', 'Urology', 'spc_none'] }, ['/specialties/0', '/specialties/2']],
    [{ specialties: [1, ''] }, ['/specialties/0', '/specialties/1']],
    [
      { licenseNumber: 'x'.repeat(51), experienceYears: 81, bio: 'x'.repeat(2001) },
      ['/licenseNumber', '/experienceYears', '/bio'],
    ],
    [{ licenseNumber: '', experienceYears: 1.5, bio: 1 }, ['/licenseNumber', '/experienceYears', '/bio']],
    [{ experienceYears: -1 }, ['/experienceYears']],
    [{ experienceYears: '5' }, ['/experienceYears']],
    [
      { consultationFee: { amountMinor: 1_000_000_001, currency: 'XYZ' } },
      ['/consultationFee/amountMinor', '/consultationFee/currency'],
    ],
    [
      { consultationFee: { amountMinor: -1, currency: 'bdt', tax: 1 } },
      ['/consultationFee/amountMinor', '/consultationFee/currency', '/consultationFee/tax'],
    ],
    [{ consultationFee: {} }, ['/consultationFee/amountMinor', '/consultationFee/currency']],
    [{ languages: Array(11).fill('bn') }, ['/languages']],
    [
      { languages: ['b', 'x'.repeat(41), '<b>', 7] },
      ['/languages/0', '/languages/1', '/languages/2', '/languages/3'],
    ],
    [
      { address: { division: 'x'.repeat(101), thana: '', zip: '1' } },
      ['/address/division', '/address/district', '/address/thana', '/address/zip'],
    ],
    [{ bio: 'x', verified: true, verifiedAt: 1, userId: 'usr_1' }, ['/verified', '/verifiedAt', '/userId']],
  ])('refuses %j', async (body, pointers) => {
    const before = (await call('GET', '/v1/doctors/me', { token: ayesha.token })).headers.get('ETag')
    const answer = await patch(ayesha.token, body)
    expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed'])
    expect([...new Set(pointersOf(answer))].sort()).toEqual([...pointers].sort())
    expect((await call('GET', '/v1/doctors/me', { token: ayesha.token })).headers.get('ETag')).toBe(before)
  })

  test('is a doctor’s, in a session that lives', async () => {
    for (const role of ['patient', 'admin'] as const) {
      const { token } = await seedUser(env, role)
      for (const answer of [
        await call('GET', '/v1/doctors/me', { token }),
        await patch(token, { bio: 'x' }),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
      }
    }
    const ended = await aDoctor('Ended Session')
    await env.DB.prepare('UPDATE session SET ended_at = 1 WHERE id = ?').bind(ended.sessionId).run()
    for (const answer of [
      await call('GET', '/v1/doctors/me', { token: ended.token }),
      await patch(ended.token, { bio: 'x' }),
      await patch(ended.token, { specialties: ['Alchemy'] }),
      await patch(ended.token, { bio: 'x' }, { 'If-Match': '*' }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([401, 'session-ended'])
    }
    expect((await call('GET', '/v1/doctors/me')).body.code).toBe('unauthenticated')
  })
})

describe('specialties', () => {
  const create = (name: unknown, headers = {}, token = admin.token) =>
    call('POST', '/v1/specialties', { token, body: { name }, headers })

  test('come with the installation, in pages by name', async () => {
    const first = await call('GET', '/v1/specialties?limit=2&count=true')
    expect(first.body).toEqual({
      items: [
        { id: 'spc_anaesthesiology', name: 'Anaesthesiology' },
        { id: 'spc_cardiacsurgery', name: 'Cardiac surgery' },
      ],
      nextCursor: expect.any(String),
      total: 30,
    })
    const { body } = await call('GET', `/v1/specialties?limit=100&cursor=${first.body.nextCursor}`)
    expect([body.items.length, body.items[0].name, body.nextCursor, body.total]).toEqual([
      28,
      'Cardiology',
      null,
      undefined,
    ])
    const made = await call('GET', '/v1/specialties?cursor=WzFd')
    expect([made.status, pointersOf(made)]).toEqual([400, ['/cursor']])
    const etag = first.headers.get('ETag') ?? ''
    expect(
      (await call('GET', '/v1/specialties?limit=2&count=true', { headers: { 'If-None-Match': etag } }))
        .status,
    ).toBe(304)
  })

  test('one name is one specialty', async () => {
    const answer = await create(' Sports medicine ')
    expect([answer.status, answer.body]).toEqual([
      201,
      { id: expect.stringMatching(/^spc_/), name: 'Sports medicine' },
    ])
    const again = await create('SPORTS MEDICINE')
    expect([again.status, again.body.code]).toEqual([409, 'specialty-exists'])
    const race = await Promise.all([create('Sleep medicine'), create('Sleep medicine')])
    expect(race.map(({ status }) => status).sort()).toEqual([201, 409])
    const html = `<img src=x onerror="alert('1')">`
    expect((await create(html)).body.name).toBe(html)
  })

  test('one key is one effect', async () => {
    const key = { 'Idempotency-Key': 'key-1' }
    const first = await create('Toxicology', key)
    expect([first.status, first.headers.get('Idempotency-Replayed')]).toEqual([201, null])
    const replayed = await create('Toxicology', key)
    expect([replayed.status, replayed.headers.get('Idempotency-Replayed')]).toEqual([201, 'true'])
    expect(replayed.body).toEqual(first.body)
    const reused = await create('Virology', key)
    expect([reused.status, reused.body.code]).toEqual([422, 'idempotency-key-reused'])
    const other = await seedUser(env, 'admin')
    expect((await create('Virology', key, other.token)).status).toBe(201)
    const twins = await Promise.all(
      [1, 2, 3].map(() => create('Allergology', { 'Idempotency-Key': 'key-2' })),
    )
    expect(twins.map(({ status, body }) => [status, body.id])).toEqual(
      Array(3).fill([201, twins[0]?.body.id]),
    )
    // A refusal is no effect: the key is free for another attempt.
    expect((await create('Urology', { 'Idempotency-Key': 'key-3' })).status).toBe(409)
    expect((await create('Andrology', { 'Idempotency-Key': 'key-3' })).status).toBe(201)
  })

  test('a key is free again after a day', async () => {
    const key = { 'Idempotency-Key': 'key-4' }
    await create('Hyperbaric medicine', key)
    await env.DB.prepare(
      `UPDATE idempotency SET created_at = created_at - 86400000 WHERE key = 'key-4'`,
    ).run()
    expect((await create('Tropical medicine', key)).status).toBe(201)
  })

  test.each([['a b'], ['x'.repeat(256)], ['schlüssel']])('refuses the key %j', async (key) => {
    const answer = await create('Never made', { 'Idempotency-Key': key })
    expect([answer.status, pointersOf(answer)]).toEqual([400, ['/Idempotency-Key']])
  })

  test.each<[unknown]>([[undefined], [1], [''], ['x'], ['x'.repeat(61)], ['a\u0007b'], [null]])(
    'refuses the name %j',
    async (name) => {
      const answer = await create(name)
      expect([answer.status, [...new Set(pointersOf(answer))]]).toEqual([400, ['/name']])
    },
  )

  test('are an administrator’s to add, in a session that lives', async () => {
    expect((await create('Nothing', {}, ayesha.token)).body.code).toBe('forbidden')
    const ended = await seedUser(env, 'admin')
    await create('Phlebology', { 'Idempotency-Key': 'key-5' }, ended.token)
    await env.DB.prepare('UPDATE session SET ended_at = 1 WHERE id = ?').bind(ended.sessionId).run()
    expect((await create('Nothing', {}, ended.token)).body.code).toBe('session-ended')
    const replay = await create('Phlebology', { 'Idempotency-Key': 'key-5' }, ended.token)
    expect([replay.status, replay.body.code]).toEqual([401, 'session-ended'])
  })
})
