/** The search for slots over all doctors: the same day as each doctor's own listing, whatever clocks and others do. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { dayRange } from '#scheduling/core/time'
import { type Openings, openingsKey } from '#scheduling/openings'
import { dayFromNow, expectInvalid } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { ALWAYS, book, type OpenSlot, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'

const HOUR_MS = 3_600_000
const ZONES = ['Asia/Dhaka', 'Europe/London', 'America/New_York', 'Australia/Lord_Howe']

interface Item {
  doctor: { id: string; fullName: string; timeZone: string }
  slots: OpenSlot[]
}

const search = (query: Record<string, string>, headers = {}): Promise<Answer> =>
  call('GET', `/v1/slots?${new URLSearchParams(query)}`, { headers })

/** All pages, with what is done between them. */
async function pages(
  query: Record<string, string>,
  between: () => Promise<unknown> = () => Promise.resolve(),
) {
  const items: Item[] = []
  for (let cursor: string | undefined; ; ) {
    const { status, body } = await search({ ...query, ...(cursor !== undefined && { cursor }) })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.items.length).toBeLessThanOrEqual(Number(query.limit ?? 20))
    items.push(...body.items)
    if (body.nextCursor === null) return items
    cursor = body.nextCursor as string
    await between()
  }
}

/** KV has what the doctors' objects have, and D1 when they are next free. */
const settled = (doctors: readonly SeededUser[]) =>
  vi.waitFor(
    async () => {
      for (const { userId } of doctors) {
        const [calendar] = await rows(
          'SELECT version, next_check_at FROM calendar WHERE doctor_id = ?',
          userId,
        )
        const listed = await env.OPENINGS.get<Openings>(openingsKey(userId), 'json')
        expect(listed?.version).toBe(calendar?.version)
        expect(calendar?.next_check_at).not.toBeNull()
      }
    },
    { timeout: 8000, interval: 100 },
  )

/** The days of the coming year on which the zone's clocks change, each with its neighbours. */
function clockChanges(timeZone: string): string[] {
  const changing = Array.from({ length: 360 }, (_, day) => dayFromNow(day + 2)).filter((date) => {
    const { startMs, endMs } = dayRange(date, date, timeZone)
    return endMs - startMs !== 24 * HOUR_MS
  })
  return changing.flatMap((date) =>
    [-1, 0, 1].map((days) => new Date(Date.parse(date) + days * 24 * HOUR_MS).toISOString().slice(0, 10)),
  )
}

describe('Over four zones', () => {
  const doctors: SeededUser[] = []
  const nights = { rrule: 'FREQ=DAILY', startTime: '01:00', endTime: '04:00', startDate: '2020-01-01' }
  const mondays = {
    rrule: 'FREQ=WEEKLY;BYDAY=MO',
    startTime: '18:00',
    endTime: '24:00',
    startDate: '2020-01-01',
  }

  beforeAll(async () => {
    for (const timeZone of ZONES) {
      for (const [name, rules] of Object.entries({
        Always: [ALWAYS],
        Nights: [nights],
        Mondays: [mondays],
      })) {
        const hours = { timeZone, rules, horizonDays: 366, minNoticeMinutes: 30 }
        doctors.push(await seedClinic(hours, { fullName: `${name} Zone`, timeZone }))
      }
    }
    // Who must not be found: without hours, not verified, suspended.
    await seedUser(env, 'doctor', { fullName: 'Never Zone' })
    await seedClinic({ horizonDays: 366 }, { fullName: 'Unverified Zone', verified: false })
    await seedClinic({ horizonDays: 366 }, { fullName: 'Suspended Zone' }).then(({ userId }) =>
      rows(`UPDATE user SET status = 'suspended', version = version + 1 WHERE id = ?`, userId),
    )
    await settled(doctors)
  }, 60_000)

  it('every day, also where clocks change, is what the doctors’ own listings say', async () => {
    const changes = ZONES.flatMap(clockChanges)
    expect(changes.length).toBeGreaterThanOrEqual(9)
    for (const date of new Set([dayFromNow(1), dayFromNow(300), ...changes])) {
      const found = await pages({ date, q: 'zone', limit: '5' })
      const expected: Record<string, OpenSlot[]> = {}
      for (const { userId } of doctors) {
        const own = await call('GET', `/v1/doctors/${userId}/slots?from=${date}&to=${date}`)
        if (own.body.slots.length > 0) expected[userId] = own.body.slots
      }
      expect(Object.fromEntries(found.map(({ doctor, slots }) => [doctor.id, slots])), date).toEqual(expected)
      expect(found).toHaveLength(Object.keys(expected).length)
      expect(Object.keys(expected).length).toBeGreaterThanOrEqual(2 * ZONES.length)
    }
  }, 120_000)

  it('each doctor’s day is a day of their own zone', async () => {
    const date = dayFromNow(20)
    const found = await pages({ date, q: 'always' })
    expect(found.map(({ doctor }) => doctor.timeZone).sort()).toEqual([...ZONES].sort())
    for (const { doctor, slots } of found) {
      const local = new Intl.DateTimeFormat('en-CA', { timeZone: doctor.timeZone })
      expect(new Set(slots.map(({ start }) => local.format(Date.parse(start))))).toEqual(new Set([date]))
    }
  })

  it('shows of a doctor what the directory does, and no contact data', async () => {
    const { body } = await search({ date: dayFromNow(20), q: 'always', limit: '1' })
    expect(body.items[0].doctor).toEqual({
      id: expect.stringMatching(/^usr_/),
      fullName: 'Always Zone',
      specialties: [],
      consultationFee: null,
      timeZone: expect.any(String),
      photoUrl: null,
    })
  })

  it('is found by place and specialty as in the directory', async () => {
    const [one] = doctors
    const body = {
      specialties: ['Cardiology'],
      address: { division: 'Sylhet', district: 'Sunamganj', thana: 'X' },
    }
    expect((await call('PATCH', '/v1/doctors/me', { token: one?.token ?? '', body })).status).toBe(200)
    const date = dayFromNow(3)
    for (const filter of [{ specialty: 'cardiology' }, { division: 'SYLHET' }, { district: 'sunamganj' }]) {
      const found = await pages({ date, ...filter } as Record<string, string>)
      expect(
        found.map(({ doctor }) => doctor.id),
        JSON.stringify(filter),
      ).toEqual([one?.userId])
    }
    expect(await pages({ date, division: 'Sylhet', district: 'Dhaka' })).toEqual([])
  })

  it('answers If-None-Match with 304 until something is booked', async () => {
    const date = dayFromNow(9)
    const first = await search({ date, q: 'always' })
    const tag = { 'If-None-Match': first.headers.get('ETag') ?? '' }
    expect((await search({ date, q: 'always' }, tag)).status).toBe(304)
    const { doctor, slots } = first.body.items[0] as Item
    const patient = await seedUser(env, 'patient')
    expect((await book(patient, doctor.id, slots[0]?.start ?? '')).status).toBe(201)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const after = await search({ date, q: 'always' }, tag)
    expect(after.status).toBe(200)
    expect(after.body.items[0].slots).toEqual(slots.slice(1))
  })

  it('nobody is asked about a date that no horizon reaches, nor about one that is over', async () => {
    for (const date of [dayFromNow(-2), dayFromNow(368), '0001-01-01', '9999-12-31']) {
      const { outcome, cost } = await costOf(() => search({ date }))
      expect([outcome.status, outcome.body]).toEqual([200, { items: [], nextCursor: null }])
      expect(cost).toMatchObject({ d1Batches: 0, kvReads: 0, objectCalls: 0 })
    }
    for (const date of [dayFromNow(-1), dayFromNow(367)]) expect((await search({ date })).status).toBe(200)
  })
})

describe('A page', () => {
  it('leaves out who is full that day, and goes on behind them', async () => {
    const date = dayFromNow(4)
    const one = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '09:30', startDate: '2020-01-01' }
    const [full, free] = [
      await seedClinic({ rules: [one] }, { fullName: 'Fullday One' }),
      await seedClinic({ rules: [one] }, { fullName: 'Fullday Two' }),
    ]
    await settled([full, free])
    const patient = await seedUser(env, 'patient')
    expect((await book(patient, full.userId, `${date}T09:00:00Z`)).status).toBe(201)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const found = await pages({ date, q: 'fullday', limit: '1' })
    expect(found.map(({ doctor }) => doctor.id)).toEqual([free.userId])
  })

  it('holds everybody once while bookings go on, also those of one name', async () => {
    const date = dayFromNow(5)
    const doctors = await Promise.all(
      Array.from({ length: 24 }, (_, index) => seedClinic({}, { fullName: `Busy ${index % 3}` })),
    )
    await settled(doctors)
    let hour = 0
    const found = await pages({ date, q: 'busy', limit: '4' }, async () => {
      hour += 1
      const start = `${date}T${String(hour).padStart(2, '0')}:00:00Z`
      const patients = await seedUsers('patient', doctors.length)
      await Promise.all(
        doctors.map(async ({ userId }, index) =>
          expect((await book(patients[index], userId, start)).status).toBe(201),
        ),
      )
    })
    expect(hour).toBeGreaterThanOrEqual(5)
    const ids = found.map(({ doctor }) => doctor.id)
    expect(ids).toHaveLength(24)
    expect(new Set(ids)).toEqual(new Set(doctors.map(({ userId }) => userId)))
    const places = found.map(({ doctor }) => `${doctor.fullName} ${doctor.id}`)
    expect(places).toEqual([...places].sort())
  }, 60_000)

  it('costs one round trip and one bulk read of KV; within a second, the round trip alone', async () => {
    const doctors = await Promise.all(
      Array.from({ length: 12 }, () => seedClinic({}, { fullName: 'Warm Cost' })),
    )
    await settled(doctors)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const query = { date: dayFromNow(2), q: 'warm' }
    const first = await costOf(() => search(query))
    expect(first.outcome.body.items).toHaveLength(12)
    expect(first.cost).toMatchObject({ d1Batches: 1, d1RowsWritten: 0, kvReads: 1, objectCalls: 0 })
    const second = await costOf(() => search(query))
    expect(second.cost).toMatchObject({ d1Batches: 1, kvReads: 0, objectCalls: 0 })
  })

  it('asks at most twenty objects where KV has nothing, and the search is complete all the same', async () => {
    const doctors = await Promise.all(
      Array.from({ length: 45 }, () => seedClinic({}, { fullName: 'Cold Miss' })),
    )
    await settled(doctors)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await Promise.all(doctors.map(({ userId }) => env.OPENINGS.delete(openingsKey(userId))))
    const query = { date: dayFromNow(2), q: 'cold', limit: '100' }
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const asked: Record<string, string> = cursor === '' ? query : { ...query, cursor }
      const { outcome, cost } = await costOf(() => search(asked))
      expect(cost.kvReads).toBe(1)
      expect(cost.objectCalls).toBeLessThanOrEqual(20)
      ids.push(...outcome.body.items.map(({ doctor }: Item) => doctor.id))
      cursor = outcome.body.nextCursor
    }
    expect(ids).toHaveLength(45)
    expect(new Set(ids).size).toBe(45)
  }, 60_000)
})

it.each([
  ['', ['/date']],
  ['date=', ['/date']],
  ['date=2026-02-30', ['/date']],
  ['date=tomorrow', ['/date']],
  ['date=2026-12-01T00:00:00Z', ['/date']],
  ['date=2026-12-01&date=2026-12-02', ['/date']],
  ['date=2026-12-01&count=true', ['/count']],
  ['date=2026-12-01&sort=fee', ['/sort']],
  ['date=2026-12-01&cursor=made-up', ['/cursor']],
  [`date=2026-12-01&cursor=${btoa('["fee",1,"usr_1"]')}`, ['/cursor']],
  ['date=2026-12-01&limit=101', ['/limit']],
  [`date=2026-12-01&q=${'x'.repeat(101)}`, ['/q']],
  ['date=2026-12-01&specialty=', ['/specialty']],
  ['date=x&division=&district=%20&limit=0&z=1', ['/date', '/division', '/district', '/limit', '/z']],
])('refuses %s', async (query, pointers) => {
  expectInvalid(await call('GET', `/v1/slots?${query}`), pointers, query)
})
