/** The search over doctors: its orders, its filters, who is free on a day, and how D1 comes to know when that is. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '#db/database'
import { loadCalendar } from '#scheduling/load-calendar'
import { NextAvailableNote } from '#scheduling/note-next-available'
import { type Openings, openingsKey } from '#scheduling/openings'
import { everyMinute } from '../../src/minutely'
import { dayFromNow, expectInvalid } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { book, openSlots, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'
import { calendarObject } from '../support/faults'

const HOUR_MS = 3_600_000

interface Found {
  id: string
  fullName: string
  consultationFee: { amountMinor: number } | null
  experienceYears: number | null
  nextAvailable: string | null
}

const find = (query: Record<string, string>): Promise<Answer> =>
  call('GET', `/v1/doctors?${new URLSearchParams(query)}`)

/** All pages, with what is done between them. */
async function pages(
  query: Record<string, string>,
  between: () => Promise<unknown> = () => Promise.resolve(),
) {
  const items: Found[] = []
  for (let cursor: string | undefined; ; ) {
    const { status, body } = await find({ ...query, ...(cursor !== undefined && { cursor }) })
    expect(status, JSON.stringify(body)).toBe(200)
    items.push(...body.items)
    if (body.nextCursor === null) return items
    cursor = body.nextCursor as string
    await between()
  }
}

const idsOf = (found: readonly { id: string }[]): string[] => found.map(({ id }) => id)

const change = async ({ token }: SeededUser, body: object): Promise<void> =>
  expect((await call('PATCH', '/v1/doctors/me', { token, body })).status).toBe(200)

/** What D1 has noted of a doctor's next open slot. */
const noted = async (doctorId: string) =>
  (
    await rows<{ at: number | null; checkAt: number | null }>(
      'SELECT next_available_at AS at, next_check_at AS checkAt FROM calendar WHERE doctor_id = ?',
      doctorId,
    )
  )[0]

const note = (doctorId: string, at: number | null, checkAt: number | null) =>
  rows(
    'UPDATE calendar SET next_available_at = ?, next_check_at = ? WHERE doctor_id = ?',
    at,
    checkAt,
    doctorId,
  )

/** D1 comes to have noted this, without help. */
const expectNoted = (doctorId: string, at: number | null) =>
  vi.waitFor(async () => expect((await noted(doctorId))?.at).toBe(at), { timeout: 5000, interval: 50 })

const firstOpen = async (doctorId: string): Promise<number> =>
  Date.parse((await openSlots(doctorId))[0]?.start ?? '')

/** KV has what the objects have. */
const listed = (doctors: readonly SeededUser[]) =>
  vi.waitFor(
    async () => {
      for (const { userId } of doctors) {
        const [calendar] = await rows('SELECT version FROM calendar WHERE doctor_id = ?', userId)
        expect((await env.OPENINGS.get<Openings>(openingsKey(userId), 'json'))?.version).toBe(
          calendar?.version,
        )
        expect((await noted(userId))?.checkAt).not.toBeNull()
      }
    },
    { timeout: 8000, interval: 100 },
  )

describe('The orders', () => {
  const FEES = [null, 0, 100, 100, 500]
  const YEARS = [3, null, 0, 40, 3]
  const LATER_MS = Date.now() + 50 * HOUR_MS
  const doctors: SeededUser[] = []

  beforeAll(async () => {
    for (const [index, user] of (await seedUsers('doctor', 25, { fullName: 'Order Tie' })).entries()) {
      doctors.push(user)
      const fee = FEES[index % 5] ?? null
      await change(user, {
        consultationFee: fee === null ? null : { amountMinor: fee, currency: 'BDT' },
        experienceYears: YEARS[Math.floor(index / 5)] ?? null,
      })
      await note(user.userId, index % 4 === 0 ? null : LATER_MS + (index % 4) * HOUR_MS, null)
    }
  })

  /** By the key, then by the id; null last. */
  const expected = (found: readonly Found[], keyOf: (one: Found) => number | string | null): string[] =>
    idsOf(
      [...found].sort((a, b) => {
        const [x, y] = [keyOf(a), keyOf(b)]
        if (x === y) return a.id < b.id ? -1 : 1
        if (x === null || y === null) return x === null ? 1 : -1
        return x < y ? -1 : 1
      }),
    )

  it.each<[string, (one: Found) => number | string | null]>([
    ['name', ({ fullName }) => fullName],
    ['fee', ({ consultationFee }) => consultationFee?.amountMinor ?? null],
    ['experience', ({ experienceYears }) => (experienceYears === null ? null : -experienceYears)],
    ['nextAvailable', ({ nextAvailable }) => nextAvailable],
  ])('by %s hold everybody once, equals by id, and who has none comes last', async (sort, keyOf) => {
    for (const limit of ['1', '3', '25', '100']) {
      const found = await pages({ q: 'order', sort, limit })
      expect(new Set(idsOf(found))).toEqual(new Set(doctors.map(({ userId }) => userId)))
      expect(idsOf(found), `${sort} ${limit}`).toEqual(expected(found, keyOf))
    }
    expect((await find({ q: 'order', sort, count: 'true' })).body.total).toBe(25)
  })

  it.each(['fee', 'experience', 'nextAvailable'])(
    'by %s read a page of rows however many doctors there are',
    async (sort) => {
      const read = async () => (await costOf(() => find({ sort, limit: '5' }))).cost
      const few = await read()
      expect(few).toMatchObject({ d1Batches: 1, kvReads: 0, objectCalls: 0 })
      await seedUsers('doctor', 200, { fullName: `Many ${sort}` })
      expect((await read()).d1RowsRead - few.d1RowsRead).toBeLessThanOrEqual(10)
    },
  )

  it('have cursors of their own', async () => {
    const cursors: Record<string, string> = {}
    for (const sort of ['name', 'fee', 'experience', 'nextAvailable']) {
      cursors[sort] = (await find({ q: 'order', sort, limit: '1' })).body.nextCursor
    }
    for (const [from, cursor] of Object.entries(cursors)) {
      for (const sort of Object.keys(cursors).filter((other) => other !== from)) {
        expectInvalid(await find({ sort, cursor }), ['/cursor'], `${from} in ${sort}`)
      }
    }
  })
})

describe('The filters', () => {
  it('find by place, language and fee', async () => {
    const [one, other] = [
      await seedUser(env, 'doctor', { fullName: 'Filter One' }),
      await seedUser(env, 'doctor', { fullName: 'Filter Other' }),
    ]
    await change(one, {
      languages: ['bn', 'en-GB'],
      consultationFee: { amountMinor: 500, currency: 'BDT' },
      address: { division: 'Dhaka', district: 'Gazipur', thana: 'Sreepur' },
    })
    await change(other, { languages: ['eng', 'Bangla'] })
    const cases: [Record<string, string>, SeededUser[]][] = [
      [{ division: 'dhaka' }, [one]],
      [{ division: 'Dhaka', district: 'GAZIPUR' }, [one]],
      [{ division: 'Dhaka', district: 'Dhaka' }, []],
      [{ division: `' OR 1=1 --` }, []],
      [{ language: 'en' }, [one]],
      [{ language: 'EN-gb' }, [one]],
      [{ language: 'e' }, []],
      [{ language: '%' }, []],
      [{ language: 'bangla' }, [other]],
      [{ maxFee: '500' }, [one]],
      [{ maxFee: '499' }, []],
      [{ maxFee: '500', language: 'bn', district: 'gazipur', sort: 'fee' }, [one]],
      [{}, [one, other]],
    ]
    for (const [filter, expected] of cases) {
      const { body } = await find({ q: 'filter', count: 'true', ...filter })
      expect(idsOf(body.items), JSON.stringify(filter)).toEqual(expected.map(({ userId }) => userId))
      expect(body.total).toBe(expected.length)
    }
  })

  it.each([
    ['maxFee=', '/maxFee'],
    ['maxFee=-1', '/maxFee'],
    ['maxFee=1.5', '/maxFee'],
    ['maxFee=1e3', '/maxFee'],
    ['maxFee=99999999999', '/maxFee'],
    ['language=', '/language'],
    [`division=${'x'.repeat(101)}`, '/division'],
    ['district=%20', '/district'],
    ['availableOn=', '/availableOn'],
    ['availableOn=2026-02-30', '/availableOn'],
    ['availableOn=today', '/availableOn'],
    ['availableOn=2026-12-01&count=true', '/count'],
    ['sort=experience&cursor=WzFd', '/cursor'],
  ])('refuse %s', async (query, pointer) => {
    expectInvalid(await call('GET', `/v1/doctors?${query}`), [pointer], query)
  })
})

describe('Who is free on a day', () => {
  const doctors: SeededUser[] = []
  const on = (days: string, timeZone: string) => ({
    timeZone,
    rules: [
      { rrule: `FREQ=WEEKLY;BYDAY=${days}`, startTime: '00:00', endTime: '01:00', startDate: '2020-01-01' },
      { rrule: `FREQ=WEEKLY;BYDAY=${days}`, startTime: '22:00', endTime: '24:00', startDate: '2020-01-01' },
    ],
  })

  beforeAll(async () => {
    for (const zone of ['Asia/Dhaka', 'Europe/London', 'America/New_York', 'Australia/Lord_Howe']) {
      for (const days of ['MO,TH', 'SA'])
        doctors.push(await seedClinic(on(days, zone), { fullName: 'Freeday' }))
    }
    for (const [index, user] of doctors.entries()) await change(user, { experienceYears: index })
    await listed(doctors)
  }, 60_000)

  it('is who has slots on it by their own listing, in every order', async () => {
    for (let day = 1; day <= 9; day++) {
      const availableOn = dayFromNow(day)
      const free: string[] = []
      for (const { userId } of doctors) {
        const own = await call('GET', `/v1/doctors/${userId}/slots?from=${availableOn}&to=${availableOn}`)
        if (own.body.slots.length > 0) free.push(userId)
      }
      for (const sort of ['name', 'experience', 'nextAvailable']) {
        const found = await pages({ q: 'freeday', availableOn, sort, limit: '3' })
        expect(idsOf(found).sort(), `${availableOn} by ${sort}`).toEqual(free.sort())
      }
    }
  }, 60_000)

  it('is nobody beyond every horizon, and asks nobody', async () => {
    const { outcome, cost } = await costOf(() => find({ availableOn: dayFromNow(400) }))
    expect(outcome.body).toEqual({ items: [], nextCursor: null })
    expect(cost).toMatchObject({ d1Batches: 0, kvReads: 0, objectCalls: 0 })
  })

  it('is complete and without repeats while they are booked', async () => {
    const busy = await Promise.all(Array.from({ length: 9 }, () => seedClinic({}, { fullName: 'Bookedday' })))
    await listed(busy)
    const availableOn = dayFromNow(6)
    let hour = 0
    const found = await pages({ q: 'bookedday', availableOn, sort: 'fee', limit: '2' }, async () => {
      hour += 1
      const patients = await seedUsers('patient', busy.length)
      for (const [index, { userId }] of busy.entries()) {
        expect((await book(patients[index], userId, `${availableOn}T0${hour}:00:00Z`)).status).toBe(201)
      }
    })
    expect(idsOf(found).sort()).toEqual(busy.map(({ userId }) => userId).sort())
  }, 60_000)

  it('is no longer who has been booked full, though D1 has not heard of it', async () => {
    const one = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '09:30', startDate: '2020-01-01' }
    const doctor = await seedClinic({ rules: [one] }, { fullName: 'Fullbooked' })
    await listed([doctor])
    const [day] = [dayFromNow(3)]
    expect(await pages({ q: 'fullbooked', availableOn: day })).toHaveLength(1)
    expect((await book(await seedUser(env, 'patient'), doctor.userId, `${day}T09:00:00Z`)).status).toBe(201)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await pages({ q: 'fullbooked', availableOn: day })).toEqual([])
  })

  it('costs one round trip and one bulk read of KV', async () => {
    await listed(doctors)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const query = { q: 'freeday', availableOn: dayFromNow(2) }
    expect((await costOf(() => find(query))).cost).toMatchObject({ d1Batches: 1, kvReads: 1, objectCalls: 0 })
  })
})

describe('When a doctor is next free', () => {
  it('follows every change, as their own listing does', async () => {
    const doctor = await seedClinic()
    const patient = await seedUser(env, 'patient')
    const first = await firstOpen(doctor.userId)
    await expectNoted(doctor.userId, first)
    const booked = await book(patient, doctor.userId, new Date(first).toISOString())
    expect(booked.status).toBe(201)
    await expectNoted(doctor.userId, first + HOUR_MS / 2)
    await call('DELETE', `/v1/appointments/${booked.body.id}`, { token: patient.token })
    await expectNoted(doctor.userId, first)
    const off = { start: new Date(first).toISOString(), end: new Date(first + 5 * HOUR_MS).toISOString() }
    const answer = await call('POST', '/v1/doctors/me/time-off', {
      token: doctor.token,
      body: { ...off, onConflict: 'keep' },
    })
    expect(answer.status).toBe(201)
    await expectNoted(doctor.userId, first + 5 * HOUR_MS)
    const { body } = await find({ sort: 'nextAvailable', limit: '100' })
    expect((body.items as Found[]).find(({ id }) => id === doctor.userId)?.nextAvailable).toBe(
      new Date(first + 5 * HOUR_MS).toISOString().replace('.000', ''),
    )
  })

  it('holds until the notice has passed, not until the slot starts', async () => {
    const doctor = await seedClinic({ minNoticeMinutes: 90 })
    const first = await firstOpen(doctor.userId)
    await expectNoted(doctor.userId, first)
    expect((await noted(doctor.userId))?.checkAt).toBe(first - 1.5 * HOUR_MS)
  })

  it('is unknown without hours, and looked for again; of one who is not bookable nothing is', async () => {
    const idle = await seedClinic({ rules: [] })
    await vi.waitFor(async () => {
      const { at, checkAt } = (await noted(idle.userId)) ?? {}
      expect(at).toBeNull()
      expect(checkAt).toBeGreaterThan(Date.now())
      expect(checkAt).toBeLessThanOrEqual(Date.now() + 6 * HOUR_MS)
    }, 5000)
    const unverified = await seedClinic({}, { verified: false })
    await note(unverified.userId, 5, 5)
    await calendarObject(unverified.userId).wake()
    await evictDurableObject(calendarObject(unverified.userId))
    await calendarObject(unverified.userId).wake()
    await vi.waitFor(
      async () => expect(await noted(unverified.userId)).toEqual({ at: null, checkAt: null }),
      5000,
    )
  })

  it('is never shown once it has passed: the page asks the doctor’s openings, and the cron the object', async () => {
    const doctor = await seedClinic({}, { fullName: 'Passed By' })
    const bare = await seedUser(env, 'doctor', { fullName: 'Passed Bare' })
    await listed([doctor])
    const first = await firstOpen(doctor.userId)
    await evictDurableObject(calendarObject(doctor.userId))
    await note(doctor.userId, Date.now() - HOUR_MS, Date.now() - HOUR_MS)
    await note(bare.userId, Date.now() - HOUR_MS, Date.now() - HOUR_MS)
    const { body } = await find({ q: 'passed', sort: 'nextAvailable' })
    expect((body.items as Found[]).map(({ id, nextAvailable }) => [id, nextAvailable])).toEqual([
      [doctor.userId, new Date(first).toISOString().replace('.000', '')],
      [bare.userId, null],
    ])
    await everyMinute(env, Date.now())
    await expectNoted(doctor.userId, first)
    await expectNoted(bare.userId, null)
  })

  it('writes nothing where D1 has it already, and nothing for an object that another has replaced', async () => {
    const doctor = await seedClinic()
    await listed([doctor])
    // No object but those below writes for them from here on.
    await runInDurableObject(calendarObject(doctor.userId), (_, state) => state.abort()).catch(() => {})
    const load = async () =>
      (await loadCalendar(openDatabase(env.DB, 'first-primary'), doctor.userId, Date.now()))?.calendar
    const [older, newer] = [await load(), await load()]
    const first = (await noted(doctor.userId))?.at ?? null
    await note(doctor.userId, 7, 7)
    await new NextAvailableNote(
      () => env.DB,
      () => older,
    ).soon()
    expect(await noted(doctor.userId)).toEqual({ at: 7, checkAt: 7 })
    const writer = new NextAvailableNote(
      () => env.DB,
      () => newer,
    )
    await writer.soon()
    expect((await noted(doctor.userId))?.at).toBe(first)
    expect(writer.isBehind(Date.now())).toBe(false)
    expect(writer.isBehind(first ?? 0)).toBe(false)
    expect(writer.isBehind((first ?? 0) + 1)).toBe(true)
    const [before] = await rows(
      'SELECT version, writer_epoch FROM calendar WHERE doctor_id = ?',
      doctor.userId,
    )
    expect(before).toEqual({ version: newer?.version, writer_epoch: newer?.epoch })
  })

  it('comes to D1 although D1 was away', async () => {
    const doctor = await seedClinic()
    await listed([doctor])
    const load = async () =>
      (await loadCalendar(openDatabase(env.DB, 'first-primary'), doctor.userId, Date.now()))?.calendar
    const calendar = await load()
    const { at } = (await noted(doctor.userId)) ?? {}
    await note(doctor.userId, 7, 7)
    let failures = 2
    const away = {
      withSession() {
        if (failures-- > 0) throw new Error('Network connection lost.')
        return env.DB.withSession('first-primary')
      },
    } as unknown as D1Database
    await new NextAvailableNote(
      () => away,
      () => calendar,
    ).soon()
    expect((await noted(doctor.userId))?.at).toBe(at)
  })
})
