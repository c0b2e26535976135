/** What happens although nobody asks: the outbox, the queue, overdue rows, lapsed keys. */
import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type EventMessage, publishOverdue } from '#messaging/publish'
import { wakeOverdue } from '#scheduling/wake-overdue'
import worker from '../../src/index'
import { insertVisit, write } from '../db/rows'
import { seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, openStart, rows, seedClinic } from '../support/clinic'
import { calendarObject, failBefore, injectFaults } from '../support/faults'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** The real queue, with a record of what it was given; or one that is out of reach. */
function recordingQueue(refuse = false) {
  const sent: EventMessage[] = []
  const queue = {
    sendBatch: async (messages: Iterable<MessageSendRequest<EventMessage>>) => {
      if (refuse) throw new Error('Queue is out of reach')
      const given = [...messages]
      for (const { body } of given) sent.push(body)
      await env.EVENTS.sendBatch(given)
    },
  }
  return { sent, queue: queue as unknown as Queue }
}

const unpublished = () => rows('SELECT sequence FROM event WHERE published_at IS NULL')

const runCron = (nowMs: number) =>
  worker.scheduled({ scheduledTime: nowMs, cron: '* * * * *', noRetry() {} }, env)

describe('the outbox', () => {
  it('publishes what is overdue, in order, once, and leaves what is fresh', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
    const { sent, queue } = recordingQueue()
    expect(await publishOverdue({ DB: env.DB, EVENTS: queue }, Date.now())).toBe(0)
    const later = Date.now() + 61_000
    await publishOverdue({ DB: env.DB, EVENTS: queue }, later)
    expect(sent.find(({ subjectId }) => subjectId === body.id)).toMatchObject({
      type: 'appointment.booked',
      doctorId: doctor.userId,
    })
    expect(sent.map(({ sequence }) => sequence)).toEqual(
      sent.map(({ sequence }) => sequence).sort((a, b) => a - b),
    )
    expect(await unpublished()).toEqual([])
    expect(await publishOverdue({ DB: env.DB, EVENTS: queue }, later)).toBe(0)
  })

  it('keeps what the queue refused for the next minute', async () => {
    await seedClinic()
    const before = await unpublished()
    expect(before.length).toBeGreaterThan(0)
    const later = Date.now() + 61_000
    await expect(publishOverdue({ DB: env.DB, EVENTS: recordingQueue(true).queue }, later)).rejects.toThrow()
    expect(await unpublished()).toEqual(before)
    const { sent, queue } = recordingQueue()
    await publishOverdue({ DB: env.DB, EVENTS: queue }, later)
    expect(sent).toHaveLength(before.length)
  })

  it('publishes more than one batch in order', async () => {
    const author = await seedUser(env, 'admin')
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
       INSERT INTO event (id, type, actor_id, subject_id, at, data)
       SELECT 'evt_many' || i, 'user.updated', ?1, ?1, 1, '{}' FROM n`,
    )
      .bind(author.userId)
      .run()
    const { sent, queue } = recordingQueue()
    expect(await publishOverdue({ DB: env.DB, EVENTS: queue }, 10 ** 9)).toBe(250)
    expect(sent.map(({ id }) => id)).toEqual(
      Array.from({ length: 250 }, (_, index) => `evt_many${index + 1}`),
    )
  })
})

describe('the queue', () => {
  const message = (doctorId: string | null, id: string) => ({
    id,
    timestamp: new Date(),
    attempts: 1,
    body: { id: `evt_${id}`, sequence: 1, type: 'appointment.booked', subjectId: 'apt_x', doctorId },
  })

  async function consume(messages: Parameters<typeof createMessageBatch>[1]) {
    const batch = createMessageBatch('praxis-events', messages)
    const context = createExecutionContext()
    await worker.queue(batch, env)
    return getQueueResult(batch, context)
  }

  it('mends a listing whose put was lost with the object that owed it', async () => {
    const doctor = await seedClinic()
    await calendarObject(doctor.userId).openings()
    await vi.waitFor(
      async () => expect(await env.OPENINGS.get(`openings:${doctor.userId}`)).not.toBeNull(),
      3000,
    )
    await evictDurableObject(calendarObject(doctor.userId))
    await env.OPENINGS.delete(`openings:${doctor.userId}`)
    const { explicitAcks, retryMessages } = await consume([
      message(doctor.userId, '1'),
      message(doctor.userId, '2'),
    ])
    expect([explicitAcks.sort(), retryMessages]).toEqual([['1', '2'], []])
    await vi.waitFor(
      async () => expect(await env.OPENINGS.get(`openings:${doctor.userId}`)).not.toBeNull(),
      3000,
    )
  })

  it('acknowledges what concerns no calendar, and what nobody can do anything about', async () => {
    const { explicitAcks } = await consume([message(null, '1'), message('usr_unknown', '2')])
    expect(explicitAcks.sort()).toEqual(['1', '2'])
  })

  it('tries what is no event again, and says so, for the dead letters to have it at last', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { sequence: _, ...without } = message(null, '2').body
    const malformed = [null, 'text', {}, without, { ...message(null, '2').body, doctorId: 7 }]
    for (const body of malformed) {
      const strange = { ...message(null, '2'), body }
      const { explicitAcks, retryMessages } = await consume([message(null, '1'), strange])
      expect([explicitAcks, retryMessages.map(({ msgId }) => msgId)]).toEqual([['1'], ['2']])
    }
    expect(logged).toHaveBeenCalledTimes(malformed.length)
    expect(String(logged.mock.calls[0])).toContain('malformed-message')
  })

  it('tries again what an object could not do, and the log says why', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const doctor = await seedUser(env, 'doctor')
    await injectFaults(doctor.userId, [failBefore])
    const { explicitAcks, retryMessages } = await consume([message(doctor.userId, '1'), message(null, '2')])
    expect([explicitAcks, retryMessages.map(({ msgId }) => msgId)]).toEqual([['2'], ['1']])
    expect(logged.mock.calls.join()).toContain('"what":"wake"')
  })
})

describe('the cron', () => {
  it.each([
    ['a moment', 1],
    ['a week', 7 * 86_400_000],
  ])(
    'wakes a doctor whose object slept through a request that nobody approved: %s late',
    async (_, lateMs) => {
      const doctor = await seedClinic({ approval: 'manual' })
      const [patient] = await seedUsers('patient', 1)
      const { body } = await book(patient, doctor.userId, await openStart(doctor.userId))
      await evictDurableObject(calendarObject(doctor.userId))
      const after = Date.parse(body.start) + lateMs
      vi.useFakeTimers({ toFake: ['Date'], now: after })
      await runCron(after)
      expect(await rows('SELECT status FROM appointment WHERE id = ?', body.id)).toEqual([
        { status: 'rejected' },
      ])
    },
  )

  it('removes keys that no longer hold, and no other', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    await book(patient, doctor.userId, await openStart(doctor.userId), 'key-old')
    await book(patient, doctor.userId, await openStart(doctor.userId, 5), 'key-new')
    await env.DB.prepare(
      `UPDATE idempotency SET created_at = created_at - 86400001 WHERE key = 'key-old'`,
    ).run()
    await runCron(Date.now())
    expect(await rows('SELECT key FROM idempotency WHERE doctor_id = ?', doctor.userId)).toEqual([
      { key: 'key-new' },
    ])
  })

  it('makes the first administrator, once', async () => {
    await runCron(Date.now())
    await runCron(Date.now())
    expect(await rows('SELECT role FROM user WHERE email = ?', env.ADMIN_EMAIL)).toEqual([{ role: 'admin' }])
    const login = await call('POST', '/v1/auth/login', {
      body: { email: env.ADMIN_EMAIL, password: env.ADMIN_PASSWORD },
    })
    expect(login.status).toBe(200)
  })

  it('wakes the others where one object fails, the longest overdue first', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const well = await seedUser(env, 'doctor')
    const failing = await seedUser(env, 'doctor')
    const patient = await seedUser(env, 'patient')
    const visit = { patient, originMs: 0, status: 'pending' }
    await write(
      insertVisit({ ...visit, doctor: well, start: 60, end: 90 }),
      insertVisit({ ...visit, doctor: failing, start: 0, end: 30 }),
    )
    await injectFaults(failing.userId, [failBefore])
    const woken: string[] = []
    const namespace = {
      getByName: (doctorId: string) => {
        woken.push(doctorId)
        return calendarObject(doctorId)
      },
    } as unknown as Env['DOCTOR_CALENDAR']
    await wakeOverdue({ DB: env.DB, DOCTOR_CALENDAR: namespace }, Date.now())
    expect(woken.slice(0, 2)).toEqual([failing.userId, well.userId])
    expect(await rows('SELECT status FROM appointment WHERE doctor_id = ?', well.userId)).toEqual([
      { status: 'rejected' },
    ])
    expect(logged.mock.calls.join()).toContain(failing.userId)
  })
})
