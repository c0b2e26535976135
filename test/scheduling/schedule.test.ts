/** Hours and dated openings: set, read, changed under conditions, and what the listing makes of them. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { dayFromNow, expectProblem } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, bookManyPast, openSlots, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'
import { calendarObject } from '../support/faults'

const DAY_MS = 86_400_000
const SCHEDULE = '/v1/doctors/me/schedule'
const daily = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '12:00', startDate: '2020-01-01' }

const put = ({ token }: SeededUser, body: object, headers: Record<string, string> = {}) =>
  call('PUT', SCHEDULE, { token, body, headers })
const read = ({ token }: SeededUser) => call('GET', SCHEDULE, { token })

/** Starts of all open slots from one local date to another, both included. */
async function startsOn(doctor: SeededUser, from: string, to = from): Promise<string[]> {
  return (await openSlots(doctor.userId, `&from=${from}&to=${to}`)).map(({ start }) => start)
}

const datesOf = (starts: readonly string[]): string[] => [
  ...new Set(starts.map((start) => start.slice(0, 10))),
]

const eventsOf = (doctorId: string) =>
  rows(
    `SELECT type, actor_id, subject_id, data FROM event WHERE data ->> 'doctorId' = ? ORDER BY sequence`,
    doctorId,
  )

describe('the schedule', () => {
  it('is empty until it is set, in the zone of its doctor', async () => {
    const doctor = await seedUser(env, 'doctor', { timeZone: 'Asia/Dhaka' })
    const answer = await read(doctor)
    expect([answer.status, answer.headers.get('ETag')]).toEqual([200, '"0"'])
    expect(answer.body).toMatchObject({ timeZone: 'Asia/Dhaka', rules: [] })
    expect(await openSlots(doctor.userId)).toEqual([])
  })

  it('keeps its own zone when the doctor moves: only the schedule changes the schedule', async () => {
    const doctor = await seedUser(env, 'doctor', { timeZone: 'Asia/Dhaka' })
    const moved = await call('PATCH', '/v1/me', { token: doctor.token, body: { timeZone: 'Europe/London' } })
    expect([moved.status, moved.body.timeZone]).toEqual([200, 'Europe/London'])
    expect((await read(doctor)).body.timeZone).toBe('Asia/Dhaka')
    const listing = await call('GET', `/v1/doctors/${doctor.userId}/slots?fresh=true`)
    expect(listing.body.timeZone).toBe('Asia/Dhaka')
  })

  it('is read as it was set, with what was left out, the first time and every other', async () => {
    const doctor = await seedUser(env, 'doctor')
    const first = await put(doctor, { timeZone: 'Asia/Kathmandu', rules: [daily] })
    const defaults = { slotMinutes: 30, minNoticeMinutes: 0, horizonDays: 60, approval: 'auto' }
    const policy = { ...defaults, cancellationNoticeMinutes: 0, dailyLimit: null }
    expect([first.status, first.headers.get('ETag')]).toEqual([200, '"1"'])
    const outside = { outsideHours: [], outsideHoursCount: 0 }
    expect(first.body).toEqual({ timeZone: 'Asia/Kathmandu', rules: [daily], ...policy, ...outside })
    const full = {
      timeZone: 'America/St_Johns',
      rules: [
        { ...daily, endDate: '2030-12-31' },
        { ...daily, startTime: '20:00', endTime: '24:00' },
      ],
      slotMinutes: 240,
      minNoticeMinutes: 43_200,
      horizonDays: 366,
      approval: 'manual',
      cancellationNoticeMinutes: 43_200,
      dailyLimit: 500,
    }
    const second = await put(doctor, full)
    expect([second.status, second.body]).toEqual([200, { ...full, ...outside }])
    const now = await read(doctor)
    expect([now.headers.get('ETag'), now.body]).toEqual(['"2"', full])
    // What was read can be sent back as it is.
    expect((await put(doctor, now.body, { 'If-Match': '"2"' })).status).toBe(200)
    expect(await eventsOf(doctor.userId)).toEqual(
      [1, 2, 3].map((scheduleVersion) => ({
        type: 'schedule.changed',
        actor_id: doctor.userId,
        subject_id: doctor.userId,
        data: JSON.stringify({ doctorId: doctor.userId, scheduleVersion }),
      })),
    )
  })

  it('is changed under If-Match only while it has that version', async () => {
    const doctor = await seedClinic()
    const body = { timeZone: 'UTC', rules: [daily] }
    for (const tag of ['"0"', '"2"', 'W/"1"', '1', 'x', '"1x"']) {
      expectProblem(await put(doctor, body, { 'If-Match': tag }), 412, 'precondition-failed', tag)
    }
    expect((await read(doctor)).headers.get('ETag')).toBe('"1"')
    expect(await eventsOf(doctor.userId)).toHaveLength(1)
    for (const [index, tag] of ['"1"', '"9", "2"', '*'].entries()) {
      const answer = await put(doctor, body, { 'If-Match': tag })
      expect([answer.status, answer.headers.get('ETag')], tag).toEqual([200, `"${index + 2}"`])
    }
  })

  it('of two that change one version, one is refused', async () => {
    const doctor = await seedClinic()
    const body = { timeZone: 'UTC', rules: [daily] }
    const answers = await Promise.all([1, 2, 3].map(() => put(doctor, body, { 'If-Match': '"1"' })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412])
    expect((await read(doctor)).headers.get('ETag')).toBe('"2"')
  })

  it('that is narrowed offers no more outside it, and leaves what is booked', async () => {
    const doctor = await seedClinic({ rules: [daily] })
    const patient = await seedUser(env, 'patient')
    const day = dayFromNow(3)
    const booked = await book(patient, doctor.userId, `${day}T11:00:00Z`)
    expect((await put(doctor, { timeZone: 'UTC', rules: [{ ...daily, endTime: '10:00' }] })).status).toBe(200)
    expect(await startsOn(doctor, day)).toEqual([`${day}T09:00:00Z`, `${day}T09:30:00Z`])
    const kept = await call('GET', `/v1/appointments/${booked.body.id}`, { token: patient.token })
    expect(kept.body.status).toBe('confirmed')
    expect((await put(doctor, { timeZone: 'UTC', rules: [daily] })).status).toBe(200)
    expect(await startsOn(doctor, day)).toHaveLength(5)
  })

  it('answers with what now lies outside it, as the doctor sees it; all of that stays', async () => {
    const doctor = await seedClinic({ rules: [daily] })
    const patient = await seedUser(env, 'patient', { fullName: 'Nadia Haque' })
    const opening = { start: `${dayFromNow(4)}T20:00:00Z`, end: `${dayFromNow(4)}T21:00:00Z` }
    await call('POST', '/v1/doctors/me/availability', { token: doctor.token, body: opening })
    const starts = ['T11:30', 'T09:00', 'T11:00'].map((time) => `${dayFromNow(4)}${time}:00Z`)
    for (const start of [...starts, opening.start]) {
      expect((await book(patient, doctor.userId, start)).status).toBe(201)
    }
    const cancelled = await book(patient, doctor.userId, `${dayFromNow(5)}T11:00:00Z`)
    await call('DELETE', `/v1/appointments/${cancelled.body.id}`, { token: patient.token })
    const { body } = await put(doctor, { timeZone: 'UTC', rules: [{ ...daily, endTime: '11:15' }] })
    expect(body.outsideHoursCount).toBe(2)
    expect(body.outsideHours.map(({ start }: { start: string }) => start)).toEqual([starts[2], starts[0]])
    expect(body.outsideHours[0]).toMatchObject({
      doctorId: doctor.userId,
      patient: { fullName: 'Nadia Haque' },
      status: 'confirmed',
      allowedActions: ['reschedule', 'cancel'],
    })
    expect((await read(doctor)).body).not.toHaveProperty('outsideHours')
    const wider = await put(doctor, { timeZone: 'UTC', rules: [daily] })
    expect([wider.body.outsideHours, wider.body.outsideHoursCount]).toEqual([[], 0])
  })

  it('shows a hundred of what lies outside it and tells how many there are', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    await bookManyPast(doctor, patient, Date.parse(`${dayFromNow(2)}T00:00:00Z`), 130)
    await evictDurableObject(calendarObject(doctor.userId))
    const { outcome, cost } = await costOf(() => put(doctor, { timeZone: 'UTC', rules: [] }))
    expect(outcome.body.outsideHoursCount).toBe(130)
    expect(outcome.body.outsideHours).toHaveLength(100)
    // The load, and the one batch that writes and names them all.
    expect(cost).toMatchObject({ d1Batches: 2, kvReads: 0, objectCalls: 1 })
  })

  it('that has no rules any more offers nothing', async () => {
    const doctor = await seedClinic()
    expect((await put(doctor, { timeZone: 'UTC', rules: [] })).status).toBe(200)
    expect(await openSlots(doctor.userId)).toEqual([])
  })
})

describe('the listing follows the rules', () => {
  /** Dates from tomorrow on, 61 of them, that the test itself counts out. */
  const coming = Array.from({ length: 61 }, (_, index) => dayFromNow(index + 1))
  const weekday = (date: string): number => new Date(date).getUTCDay()
  const dayOfMonth = (date: string): number => Number(date.slice(8))
  const isLastOfKind = (date: string): boolean =>
    new Date(Date.parse(date) + 7 * DAY_MS).getUTCMonth() !== new Date(date).getUTCMonth()
  const weeksSince = (date: string, first: string): number =>
    Math.floor((Date.parse(date) - Date.parse(first)) / (7 * DAY_MS))

  it.each<readonly [string, object, (date: string) => boolean]>([
    ['FREQ=DAILY', {}, () => true],
    ['FREQ=DAILY;INTERVAL=3', { startDate: dayFromNow(2) }, (date) => coming.indexOf(date) % 3 === 1],
    ['FREQ=WEEKLY;BYDAY=MO,TH', {}, (date) => [1, 4].includes(weekday(date))],
    [
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU',
      { startDate: '2026-01-06' },
      (date) => weekday(date) === 2 && weeksSince(date, '2026-01-06') % 2 === 0,
    ],
    ['FREQ=WEEKLY', { startDate: '2026-01-02' }, (date) => weekday(date) === 5],
    ['FREQ=MONTHLY;BYMONTHDAY=15', {}, (date) => dayOfMonth(date) === 15],
    ['FREQ=MONTHLY;BYMONTHDAY=31', {}, (date) => dayOfMonth(date) === 31],
    ['FREQ=MONTHLY;BYDAY=-1FR', {}, (date) => weekday(date) === 5 && isLastOfKind(date)],
    ['FREQ=MONTHLY;BYDAY=2SA', {}, (date) => weekday(date) === 6 && Math.ceil(dayOfMonth(date) / 7) === 2],
    [
      'FREQ=DAILY;COUNT=4',
      { startDate: dayFromNow(3) },
      (date) => [2, 3, 4, 5].includes(coming.indexOf(date)),
    ],
    ['FREQ=DAILY', { endDate: dayFromNow(5) }, (date) => date <= dayFromNow(5)],
    [`FREQ=DAILY;UNTIL=${dayFromNow(6).replaceAll('-', '')}`, {}, (date) => date <= dayFromNow(6)],
  ])('%s %o', async (rrule, change, isOffered) => {
    const rule = { ...daily, rrule, endTime: '10:00', ...change }
    const doctor = await seedClinic({ rules: [rule], slotMinutes: 60, horizonDays: 100 })
    const starts = await startsOn(doctor, coming[0] ?? '', coming.at(-1))
    expect(starts).toEqual(coming.filter(isOffered).map((date) => `${date}T09:00:00Z`))
  })

  it('up to 24:00, and on into the day that begins then', async () => {
    const late = { ...daily, startTime: '22:00', endTime: '24:00' }
    const early = { ...daily, startTime: '00:00', endTime: '01:00' }
    const doctor = await seedClinic({ rules: [late, early] })
    const [day, next] = [dayFromNow(2), dayFromNow(3)]
    const times = ['T00:00', 'T00:30', 'T22:00', 'T22:30', 'T23:00', 'T23:30'].map(
      (time) => `${day}${time}:00Z`,
    )
    expect(await startsOn(doctor, day)).toEqual(times)
    expect(await startsOn(doctor, day, next)).toContain(`${next}T00:00:00Z`)
    const patient = await seedUser(env, 'patient')
    const last = await book(patient, doctor.userId, `${day}T23:30:00Z`)
    expect([last.status, last.body.end]).toEqual([201, `${next}T00:00:00Z`])
  })

  it('but not beyond the horizon, before the notice, or on a day that is full', async () => {
    const doctor = await seedClinic({ rules: [daily], horizonDays: 5, minNoticeMinutes: 2880, dailyLimit: 1 })
    const patient = await seedUser(env, 'patient')
    expect((await book(patient, doctor.userId, `${dayFromNow(3)}T11:00:00Z`)).status).toBe(201)
    const offered = datesOf(await startsOn(doctor, dayFromNow(0), dayFromNow(9)))
    expect(offered).toContain(dayFromNow(4))
    for (const days of [0, 1, 3, 6, 7]) expect(offered).not.toContain(dayFromNow(days))
  })
})

describe('on nights when clocks change', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['America/New_York', '2027-03-13', '06:00', 6],
    ['America/New_York', '2027-03-14', '06:00', 4],
    ['America/New_York', '2027-11-07', '05:00', 8],
    ['Europe/Berlin', '2027-03-28', '00:00', 4],
    ['Australia/Lord_Howe', '2027-10-03', '14:30', 5],
    ['Australia/Lord_Howe', '2027-04-04', '14:00', 7],
    ['Asia/Dhaka', '2027-03-28', '19:00', 6],
  ])(
    '01:00–04:00 in %s on %s starts at %s UTC and has %i half hours',
    async (timeZone, date, first, count) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2027, 1, 1) })
      const rules = [{ ...daily, startTime: '01:00', endTime: '04:00' }]
      const doctor = await seedClinic({ timeZone, rules, horizonDays: 366 })
      const starts = await startsOn(doctor, date)
      // East of Greenwich, the night begins on the day before.
      const day = Number(first.slice(0, 2)) >= 12 ? Date.parse(date) - DAY_MS : Date.parse(date)
      const startMs = day + Date.parse(`1970-01-01T${first}:00Z`)
      const expected = Array.from({ length: count }, (_, index) => startMs + index * 1_800_000)
      expect(starts.map((start) => Date.parse(start))).toEqual(expected)
      const patient = await seedUser(env, 'patient')
      expect((await book(patient, doctor.userId, starts.at(-1) ?? '')).status).toBe(201)
      const after = new Date(startMs + count * 1_800_000).toISOString()
      expectProblem(await book(patient, doctor.userId, after), 422, 'slot-not-offered')
    },
  )
})
