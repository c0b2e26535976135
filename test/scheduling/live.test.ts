/** Listening to a doctor: who hears what and when, what sleep and death of the object change in it, and the bounds. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { ALWAYS, book, memoryOf, openSlots, openStart, seedClinic } from '../support/clinic'
import { logged } from '../support/cost'
import { calendarObject, failBefore, injectFaults, loseAnswer } from '../support/faults'
import { expectHeard, HEARD_WITHIN_MS, type Listening, listen, livePath, upgrade } from '../support/listen'
import { act, releaseHold, takeHold } from '../support/visits'

afterEach(() => {
  vi.useRealTimers()
})

const MAX_LISTENERS = 1000
const SILENT_MS = 300_000
const SPACING_MS = 250
const POLICY_VIOLATION = 1008

async function scene(schedule: object = {}) {
  const doctor = await seedClinic(schedule)
  const [patient] = (await seedUsers('patient', 1)) as [SeededUser]
  return { doctor, patient, id: doctor.userId }
}

const versionOf = async (doctorId: string): Promise<number> => (await memoryOf(doctorId)).version
const hearsNow = async (listening: readonly Listening[], doctorId: string) =>
  expectHeard(listening, await versionOf(doctorId))

/** The connections that the object still has. */
const connected = (doctorId: string): Promise<number> =>
  runInDurableObject(
    calendarObject(doctorId),
    (_, state) => state.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN).length,
  )

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('what is heard', () => {
  it('the version at once, and again within a second of every change', async () => {
    const { doctor, patient, id } = await scene()
    const listening = [await listen(id)]
    await vi.waitFor(() => expect(listening[0]?.heard).toEqual(['{"type":"changed","version":1}']))

    const start = await openStart(id)
    const booked = await book(patient, id, start)
    expect(booked.body.calendarVersion).toBe(2)
    await expectHeard(listening, 2)
    await act(patient, booked.body.id, 'cancel')
    await expectHeard(listening, 3)
    const rules = [{ ...ALWAYS, startTime: '08:00' }]
    await call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body: { timeZone: 'UTC', rules } })
    await expectHeard(listening, 4)
    const held = await takeHold(patient, id, await openStart(id, 3))
    await expectHeard(listening, 5)
    await releaseHold(patient, held.body.id)
    await expectHeard(listening, 6)
    const dated = { start: '2027-01-05T00:00:00Z', end: '2027-01-06T00:00:00Z', onConflict: 'cancel' }
    await call('POST', '/v1/doctors/me/time-off', { token: doctor.token, body: dated })
    await hearsNow(listening, id)
  })

  it('a hold that lapses by the alarm', async () => {
    const { patient, id } = await scene()
    const held = await takeHold(patient, id, await openStart(id))
    const listening = [await listen(id)]
    await hearsNow(listening, id)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(held.body.expiresAt) + 1000 })
    expect(await runDurableObjectAlarm(calendarObject(id))).toBe(true)
    await expectHeard(listening, 3)
  })

  it('nothing of a command that was refused, and nothing of another doctor', async () => {
    const { patient, id } = await scene()
    const other = await scene()
    const start = await openStart(id)
    await book(patient, id, start)
    const one = await listen(id)
    await expectHeard([one], 2)
    expect((await book(other.patient, id, start)).status).toBe(409)
    expect((await book(other.patient, other.id, start)).status).toBe(201)
    await pause(HEARD_WITHIN_MS)
    expect(one.heard).toEqual(['{"type":"changed","version":2}'])
  })

  it('changes that follow each other closely by few messages, of which the last has the newest version', async () => {
    const { id } = await scene()
    const patients = await seedUsers('patient', 30)
    const slots = await openSlots(id)
    const one = await listen(id)
    const startedAt = Date.now()
    for (const [nth, patient] of patients.entries()) await book(patient, id, slots[nth + 1]?.start ?? '')
    await expectHeard([one], 31)
    const versions = one.heard.map((message) => JSON.parse(message).version)
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
    // That of the connection, the first of the storm, and one for each spacing since.
    expect(versions.length).toBeLessThanOrEqual(2 + Math.ceil((Date.now() - startedAt) / SPACING_MS))
  })

  it('a hundred listeners all hear, and nothing personal is in any message', async () => {
    const { patient, id } = await scene()
    const listening = await Promise.all(Array.from({ length: 100 }, () => listen(id)))
    const booked = await book(patient, id, await openStart(id), undefined, { notes: 'Chest pain' })
    await expectHeard(listening, 2)
    await act(patient, booked.body.id, 'cancel', { reason: 'Better again' })
    await expectHeard(listening, 3)
    const all = listening.flatMap(({ heard }) => heard)
    expect(all.length).toBeGreaterThanOrEqual(300)
    for (const message of all) expect(message).toMatch(/^\{"type":"changed","version":[123]\}$/)
  })

  it('what a listener asks with `atLeast` has what it was told of', async () => {
    const { patient, id } = await scene()
    const one = await listen(id)
    const start = await openStart(id)
    await book(patient, id, start)
    await expectHeard([one], 2)
    const listed = await call('GET', `/v1/doctors/${id}/slots?atLeast=${one.version()}`)
    expect(listed.body.version).toBe(2)
    expect(listed.body.slots.map((slot: { start: string }) => slot.start)).not.toContain(start)
  })
})

describe('what the object may go through', () => {
  it('it sleeps: they stay connected, hear of the next change, and a ping does not wake it', async () => {
    const { patient, id } = await scene()
    const listening = await Promise.all(Array.from({ length: 5 }, () => listen(id)))
    const start = await openStart(id)
    await evictDurableObject(calendarObject(id))
    for (const { socket } of listening) socket.send('ping')
    await vi.waitFor(() => expect(listening.map(({ heard }) => heard.at(-1))).toEqual(Array(5).fill('pong')))
    await book(patient, id, start)
    await expectHeard(listening, 2)
    await evictDurableObject(calendarObject(id))
    await book(patient, id, await openStart(id, 5))
    await expectHeard(listening, 3)
    expect(await connected(id)).toBe(5)
  })

  it('what they say wakes it, is ignored, and costs no load', async () => {
    const { id } = await scene()
    const one = await listen(id)
    await evictDurableObject(calendarObject(id))
    one.socket.send('hello')
    one.socket.send(new Uint8Array(1024))
    await pause(200)
    expect(one.heard).toEqual(['{"type":"changed","version":1}'])
    expect(one.closed()).toBeUndefined()
    expect(await connected(id)).toBe(1)
  })

  it('D1 loses the answer to a booking: what happened is heard, and what did not is not', async () => {
    const { patient, id } = await scene()
    const [first, second] = (await openSlots(id)).slice(2)
    const one = await listen(id)
    await injectFaults(id, [loseAnswer])
    expect((await book(patient, id, first?.start ?? '')).status).toBe(201)
    await expectHeard([one], 2)
    await injectFaults(id, [failBefore])
    expect((await book(patient, id, second?.start ?? '')).status).toBe(503)
    await pause(HEARD_WITHIN_MS)
    expect(one.version()).toBe(2)
  })

  it.each([[1000], [4000], [undefined]])('a listener that leaves with %s is forgotten', async (code) => {
    const { patient, id } = await scene()
    const [leaver, stayer] = [await listen(id), await listen(id)]
    leaver.socket.close(code)
    await vi.waitFor(async () => expect(await connected(id)).toBe(1))
    await vi.waitFor(() => expect(leaver.closed()?.code).toBe(code ?? 1005))
    await book(patient, id, await openStart(id))
    await expectHeard([stayer], 2)
    expect(leaver.heard).toEqual(['{"type":"changed","version":1}'])
  })
})

describe('who is refused', () => {
  it('whoever asks for an unknown, an unlisted or an impossible doctor: 404, and nothing is written', async () => {
    const unlisted = await seedUser(env, 'doctor', { verified: false })
    const unknown = newId('usr')
    for (const id of [unlisted.userId, unknown, 'nobody']) {
      const answer = await upgrade(id)
      const { code } = await answer.json<{ code: string }>()
      expect([answer.status, code], id).toEqual([404, 'doctor-not-found'])
    }
    const kept = await runInDurableObject(calendarObject(unknown), async (_, { storage }) => [
      [...storage.sql.exec(`SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'`)],
      await storage.getAlarm(),
    ])
    expect(kept).toEqual([[], null])
  })

  it('whoever does not ask for a WebSocket: 426, which says what to ask with', async () => {
    const { id } = await scene()
    for (const headers of [{}, { Upgrade: 'h2c' }]) {
      const answer = await call('GET', livePath(id), { headers })
      expect([answer.status, answer.body.code]).toEqual([426, 'upgrade-required'])
      expect(answer.headers.get('Upgrade')).toBe('websocket')
    }
  })

  it('one more than a thousand: 503, unless another has been silent for long', {
    timeout: 60_000,
  }, async () => {
    const { id } = await scene()
    const now = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: now - SILENT_MS - 1 })
    const silent = await listen(id)
    vi.useRealTimers()
    const listening: Listening[] = []
    while (listening.length < MAX_LISTENERS - 1) {
      listening.push(...(await Promise.all(Array.from({ length: 37 }, () => listen(id)))))
    }
    expect(listening.length).toBe(MAX_LISTENERS - 1)
    listening.push(await listen(id))
    await vi.waitFor(() => expect(silent.closed()?.code).toBe(POLICY_VIOLATION))
    const answer = await upgrade(id)
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '1'])
    expect((await answer.json<{ code: string }>()).code).toBe('overloaded')

    const { token } = (await seedUsers('patient', 1))[0] as SeededUser
    await book({ token }, id, await openStart(id))
    await expectHeard(listening, 2)
    listening.pop()?.socket.close(1000)
    await vi.waitFor(async () => expect((await upgrade(id)).status).toBe(101))
  })
})

describe('who is dropped', () => {
  it.each([
    ['a message over 1 KiB', ['x'.repeat(1025)]],
    ['one whose characters are few and bytes many', ['é'.repeat(600)]],
    ['more than five messages at once', Array(6).fill('hello')],
  ])('%s: 1008, and nobody else is', async (_, messages) => {
    const { id } = await scene()
    const [chatty, other] = [await listen(id), await listen(id)]
    for (const message of messages) chatty.socket.send(message)
    await vi.waitFor(() => expect(chatty.closed()?.code).toBe(POLICY_VIOLATION))
    await vi.waitFor(async () => expect(await connected(id)).toBe(1))
    expect(other.closed()).toBeUndefined()
  })

  it('five messages a second are borne, and a sixth is counted across the object’s sleep', async () => {
    const { id } = await scene()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const one = await listen(id)
    for (let nth = 0; nth < 5; nth += 1) one.socket.send('hello')
    await pause(100)
    expect(one.closed()).toBeUndefined()
    await evictDurableObject(calendarObject(id))
    one.socket.send('hello')
    await vi.waitFor(() => expect(one.closed()?.code).toBe(POLICY_VIOLATION))
  })

  it('whoever has been silent for five minutes is, once it has been told; who says ping is not', async () => {
    const { patient, id } = await scene()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - SILENT_MS - 1 })
    const [silent, pinging, talking] = [await listen(id), await listen(id), await listen(id)]
    vi.useRealTimers()
    const recent = await listen(id)
    pinging.socket.send('ping')
    talking.socket.send('hello')
    await vi.waitFor(() => expect(pinging.heard.at(-1)).toBe('pong'))
    await pause(100)
    expect(silent.closed()).toBeUndefined()
    await book(patient, id, await openStart(id))
    await expectHeard([silent, pinging, talking, recent], 2)
    await vi.waitFor(() => expect(silent.closed()?.code).toBe(POLICY_VIOLATION))
    expect(await connected(id)).toBe(3)
    for (const one of [pinging, talking, recent]) expect(one.closed()).toBeUndefined()
  })

  it('whoever never reads holds nobody up, is told no more once dropped, and has no place', async () => {
    const { patient, id } = await scene()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - SILENT_MS - 1 })
    // Its end is never accepted: what is sent to it waits.
    const deaf = (await upgrade(id)).webSocket
    vi.useRealTimers()
    const other = await listen(id)
    expect(await connected(id)).toBe(2)
    const slots = await openSlots(id)
    await book(patient, id, slots[1]?.start ?? '')
    await expectHeard([other], 2)
    await vi.waitFor(async () => expect(await connected(id)).toBe(1))
    await book(patient, id, slots[5]?.start ?? '')
    await expectHeard([other], 3)
    expect(await connected(id)).toBe(1)

    // Where it reads after all, it finds what was sent before the close, and nothing after.
    const heard: string[] = []
    deaf?.addEventListener('message', ({ data }) => heard.push(String(data)))
    deaf?.accept()
    await pause(200)
    expect(heard).toEqual(['{"type":"changed","version":1}', '{"type":"changed","version":2}'])
  })
})

describe('the answer', () => {
  it.each([{}, { Origin: 'https://example.org' }])(
    'has its headers and its log line: %o',
    async (headers) => {
      const { id } = await scene()
      await evictDurableObject(calendarObject(id))
      const { outcome, lines } = await logged(() => upgrade(id, { ...headers, 'X-Request-Id': 'live-0001' }))
      expect(outcome.status).toBe(101)
      expect(outcome.headers.get('X-Request-Id')).toBe('live-0001')
      expect(outcome.headers.get('Bookmark')).toMatch(/^[0-9a-f-]+$/)
      expect(outcome.headers.get('Praxis-Answer')).toBeNull()
      const route = '/v1/doctors/:id/slots/live'
      expect(lines).toMatchObject([
        { requestId: 'live-0001', route, status: 101, d1Batches: 1, objectCalls: 1 },
      ])
      outcome.webSocket?.accept()
      outcome.webSocket?.close()
    },
  )
})
