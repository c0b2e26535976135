/** The own user: what it shows, how it changes, who may not, what it costs; and the conditions of RFC 9110. */
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { bodyHashOf } from '#db/idempotency'
import { etagOf, hashEtag, ifNoneMatchHits, versionsInIfMatch } from '#http/etag'
import { seedUser } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { costOf } from '../support/cost'

const patch = (token: string, body: unknown, headers = {}) =>
  call('PATCH', '/v1/me', { token, body, headers })

const pointersOf = (answer: Answer): string[] =>
  (answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)

const eventsOf = async (userId: string) =>
  (
    await env.DB.prepare(`SELECT data FROM event WHERE subject_id = ? AND type = 'user.updated'`)
      .bind(userId)
      .all<{ data: string }>()
  ).results.map(({ data }) => JSON.parse(data) as unknown)

describe('GET /v1/me', () => {
  test('shows a patient their part, in one round trip', async () => {
    const { token, userId, email } = await seedUser(env, 'patient')
    const { outcome: answer, cost } = await costOf(() => call('GET', '/v1/me', { token }))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('ETag')).toBe('"1"')
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.body).toMatchObject({ id: userId, email, role: 'patient', emailVerified: false })
    expect(answer.body.patient).toEqual({ dateOfBirth: null, sex: null, address: null, insurance: null })
    expect(cost).toMatchObject({ status: 200, d1Batches: 1, kvReads: 0, objectCalls: 0 })
    expect(cost.d1RowsRead).toBeLessThan(10)
  })

  test.each(['doctor', 'admin'] as const)('shows a %s no such part', async (role) => {
    const { token } = await seedUser(env, role)
    const { status, body } = await call('GET', '/v1/me', { token })
    expect([status, body.role, 'patient' in body]).toEqual([200, role, false])
  })

  test.each([
    ['ended', 'UPDATE session SET ended_at = 1 WHERE user_id = ?'],
    ['deleted', 'DELETE FROM session WHERE user_id = ?'],
    ['of a suspended user', `UPDATE user SET status = 'suspended', version = 2 WHERE id = ?`],
    ['of another role', `UPDATE user SET role = 'doctor', version = 2 WHERE id = ?`],
  ])('a session that is %s reads and writes nothing', async (_, change) => {
    const { token, userId } = await seedUser(env, 'patient')
    await env.DB.prepare(change).bind(userId).run()
    for (const answer of [
      await call('GET', '/v1/me', { token }),
      await patch(token, { fullName: 'Changed' }),
      await patch(token, { fullName: 'Changed' }, { 'If-Match': '*' }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([401, 'session-ended'])
      expect(JSON.stringify(answer.body)).not.toContain(userId)
    }
    expect(await eventsOf(userId)).toEqual([])
  })
})

describe('PATCH /v1/me', () => {
  test('changes what is given and nothing else, and remembers names alone', async () => {
    const { token, userId } = await seedUser(env, 'patient')
    const insurance = { provider: 'Green Delta', number: 'GD-1' }
    const answer = await patch(token, {
      fullName: ' New Name ',
      mobile: '+8801711000009',
      patient: { dateOfBirth: '1990-02-28', sex: 'female', address: '12 Lake Road\nDhaka', insurance },
    })
    expect([answer.status, answer.headers.get('ETag')]).toEqual([200, '"2"'])
    expect(answer.body).toMatchObject({
      fullName: 'New Name',
      mobile: '+8801711000009',
      timeZone: 'UTC',
      patient: { dateOfBirth: '1990-02-28', sex: 'female', address: '12 Lake Road\nDhaka', insurance },
    })
    const cleared = await patch(token, { mobile: null, patient: { insurance: null, sex: null } })
    expect(cleared.body).toMatchObject({ mobile: null, fullName: 'New Name' })
    expect(cleared.body.patient).toMatchObject({ insurance: null, sex: null, dateOfBirth: '1990-02-28' })
    expect(await eventsOf(userId)).toEqual([
      { members: 'fullName,mobile,patient.dateOfBirth,patient.sex,patient.address,patient.insurance' },
      { members: 'mobile,patient.sex,patient.insurance' },
    ])
    expect((await call('GET', '/v1/me', { token })).body).toEqual(cleared.body)
  })

  test('keeps SQL and HTML as they came', async () => {
    const { token } = await seedUser(env, 'patient')
    const fullName = `'; DELETE FROM user; -- <b onload="x">&amp;</b>`
    const answer = await patch(token, { fullName, patient: { address: fullName } })
    expect([answer.body.fullName, answer.body.patient.address]).toEqual([fullName, fullName])
  })

  test('a doctor who is renamed is found under the new name', async () => {
    const { token, userId } = await seedUser(env, 'doctor')
    expect((await patch(token, { fullName: 'Zarina Quader' })).status).toBe(200)
    const { body } = await call('GET', '/v1/doctors?q=zarina%20qua')
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual([userId])
  })

  test('a mobile number that is taken is told', async () => {
    await seedUser(env, 'patient', { mobile: '+8801711000010' })
    const { token } = await seedUser(env, 'patient')
    const answer = await patch(token, { mobile: '+8801711000010' })
    expect([answer.status, answer.body.code]).toEqual([409, 'mobile-taken'])
  })

  test('If-Match lets only the version seen be changed', async () => {
    const { token, userId } = await seedUser(env, 'patient')
    const change = (ifMatch: string) => patch(token, { timeZone: 'Asia/Dhaka' }, { 'If-Match': ifMatch })
    expect((await change('"1"')).headers.get('ETag')).toBe('"2"')
    for (const stale of ['"1"', 'W/"2"', '2', '"x", "1"']) {
      const answer = await change(stale)
      expect([stale, answer.status, answer.body.code]).toEqual([stale, 412, 'precondition-failed'])
    }
    expect((await change('"9", "2"')).status).toBe(200)
    expect((await change('*')).headers.get('ETag')).toBe('"4"')
    expect(await eventsOf(userId)).toHaveLength(3)
  })

  test('of many at once with If-Match one wins; without, all do', async () => {
    const { token, userId } = await seedUser(env, 'patient')
    const race = (headers: Record<string, string>) =>
      Promise.all(['A', 'B', 'C', 'D'].map((fullName) => patch(token, { fullName }, headers)))
    const conditional = await race({ 'If-Match': '"1"' })
    expect(conditional.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412])
    expect((await race({})).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await call('GET', '/v1/me', { token })).headers.get('ETag')).toBe('"6"')
    expect(await eventsOf(userId)).toHaveLength(5)
  })

  test.each<[unknown, string[]]>([
    [{}, ['']],
    [[], ['']],
    [{ patient: {} }, ['/patient']],
    [
      { fullName: null, mobile: 1, timeZone: '', patient: [] },
      ['/fullName', '/mobile', '/timeZone', '/patient'],
    ],
    [{ fullName: '', timeZone: 'Nowhere' }, ['/fullName', '/timeZone']],
    [{ fullName: 'x'.repeat(101) }, ['/fullName']],
    [{ fullName: 'A', email: 'a@b.example', role: 'admin', version: 7 }, ['/email', '/role', '/version']],
    [
      {
        patient: { dateOfBirth: '2023-02-29', sex: 'x', address: 'a'.repeat(301), insurance: {}, blood: 'A' },
      },
      [
        '/patient/dateOfBirth',
        '/patient/sex',
        '/patient/address',
        '/patient/insurance/provider',
        '/patient/insurance/number',
        '/patient/blood',
      ],
    ],
    [{ patient: { dateOfBirth: '2999-01-01' } }, ['/patient/dateOfBirth']],
    [{ patient: { dateOfBirth: '1899-12-31' } }, ['/patient/dateOfBirth']],
    [
      { patient: { insurance: { provider: 'x'.repeat(101), number: 'x'.repeat(51) } } },
      ['/patient/insurance/provider', '/patient/insurance/number'],
    ],
  ])('refuses %j', async (body, pointers) => {
    const { token, userId } = await seedUser(env, 'patient')
    const answer = await patch(token, body)
    expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed'])
    expect([...new Set(pointersOf(answer))].sort()).toEqual([...pointers].sort())
    expect(await eventsOf(userId)).toEqual([])
  })

  test.each(['doctor', 'admin'] as const)('a %s has no patient’s part to change', async (role) => {
    const { token } = await seedUser(env, role)
    const answer = await patch(token, { patient: { sex: 'male' } })
    expect([answer.status, pointersOf(answer)]).toEqual([400, ['/patient']])
  })
})

describe('entity tags', () => {
  test('If-Match compares strongly', () => {
    expect(etagOf(3)).toBe('"3"')
    expect(versionsInIfMatch(undefined)).toBeUndefined()
    expect(versionsInIfMatch(' * ')).toBeUndefined()
    expect(versionsInIfMatch('"1","3"')).toEqual([1, 3])
    for (const header of ['W/"3"', '3', '', '"33"', '"3', '"1,3"', "'3'"]) {
      expect([header, versionsInIfMatch(header)?.includes(3)]).toEqual([header, false])
    }
  })

  test('If-None-Match compares weakly', () => {
    for (const header of ['"3"', 'W/"3"', '"a,b", "3"', '*']) {
      expect([header, ifNoneMatchHits(header, '"3"')]).toEqual([header, true])
    }
    for (const header of [undefined, '', '3', '"a,3"', 'W/"4"']) {
      expect([header, ifNoneMatchHits(header, '"3"')]).toEqual([header, false])
    }
  })

  test('a body’s tag depends on the body alone, and its hash not on the order of members', async () => {
    expect(await hashEtag('a')).toMatch(/^"[0-9a-f]{32}"$/)
    expect(await hashEtag('a')).not.toBe(await hashEtag('b'))
    expect(await bodyHashOf('r', { a: 1, b: { c: [2, 1], d: null } })).toBe(
      await bodyHashOf('r', { b: { d: null, c: [2, 1] }, a: 1, e: undefined }),
    )
    expect(await bodyHashOf('r', { a: [1, 2] })).not.toBe(await bodyHashOf('r', { a: [2, 1] }))
    expect(await bodyHashOf('r', {})).not.toBe(await bodyHashOf('s', {}))
  })
})
