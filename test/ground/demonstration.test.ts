/** The demonstration data: accepted by every constraint, on real slots, the same on every machine. */
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkRules, windows } from '#scheduling/core/availability'
import { slotFaults } from '#scheduling/core/slot'
import { localDate } from '#scheduling/core/time'
import { DEMONSTRATION, demonstration, loadDemonstration } from '../../scripts/demonstration/statements.mjs'

const DAY_MS = 86_400_000
const HASH = '$argon2id$none'

/** Around changes of clocks in London, New York and Lord Howe, ends of months and years, a leap day. */
const NOWS = [
  '2026-03-07T23:30:00Z',
  '2026-03-28T12:00:00Z',
  '2026-04-04T15:30:00Z',
  '2026-05-31T18:00:00Z',
  '2026-10-03T15:30:00Z',
  '2026-10-25T00:59:59Z',
  '2026-11-01T05:30:00Z',
  '2026-12-31T23:59:59Z',
  '2028-02-28T18:30:00Z',
].map((instant) => Date.parse(instant))

const TABLES = [
  'user',
  'patient',
  'doctor',
  'doctor_specialty',
  'calendar',
  'schedule',
  'visit_type',
  'appointment',
  'event',
  'setting',
]

interface AppointmentRow {
  id: string
  doctor_id: string
  start_ms: number
  end_ms: number
  status: string
}

interface ScheduleRow {
  doctor_id: string
  time_zone: string
  rules: string
  slot_minutes: number
  min_notice_minutes: number
  horizon_days: number
  daily_limit: number | null
}

const rowsOf = async <Row>(sql: string): Promise<Row[]> => (await env.DB.prepare(sql).all<Row>()).results

async function countRows(): Promise<Record<string, number>> {
  const counts = await env.DB.batch<{ rows: number }>(
    TABLES.map((table) => env.DB.prepare(`SELECT count(*) AS rows FROM ${table}`)),
  )
  return Object.fromEntries(TABLES.map((table, index) => [table, counts[index]?.results[0]?.rows ?? -1]))
}

/** The tables as they were before the data; events can only be removed without their trigger. */
async function empty(): Promise<void> {
  const guard = await env.DB.prepare(`SELECT sql FROM sqlite_schema WHERE name = 'event_delete'`).first<{
    sql: string
  }>()
  if (guard === null) throw new Error('The guard of the events is missing')
  const statements = [
    'DROP TRIGGER event_delete',
    ...[...TABLES].reverse().map((table) => `DELETE FROM ${table}`),
    'DELETE FROM doctor_search',
    guard.sql,
  ]
  await env.DB.batch(statements.map((sql) => env.DB.prepare(sql)))
}

beforeEach(empty)

describe.for(NOWS.map((nowMs) => [new Date(nowMs).toISOString(), nowMs] as const))('on %s', ([, nowMs]) => {
  it('no constraint refuses it, and a second load changes nothing', async () => {
    expect(await loadDemonstration(env.DB, nowMs, HASH)).toBe(true)
    const counts = await countRows()
    expect(counts).toMatchObject({ setting: 1, patient: 5, doctor: 15, schedule: 15, visit_type: 17 })
    expect(await loadDemonstration(env.DB, nowMs + DAY_MS, HASH)).toBe(false)
    expect(await countRows()).toEqual(counts)
  })

  it('every rule is one that a doctor may set', async () => {
    await loadDemonstration(env.DB, nowMs, HASH)
    for (const row of await rowsOf<ScheduleRow>('SELECT * FROM schedule')) {
      const today = localDate(nowMs, row.time_zone)
      expect(checkRules(JSON.parse(row.rules), row.time_zone, today), row.doctor_id).toEqual([])
    }
  })

  it('every appointment ahead is on a slot that its doctor offers, every other on one of their hours', async () => {
    await loadDemonstration(env.DB, nowMs, HASH)
    const schedules = await rowsOf<ScheduleRow>('SELECT * FROM schedule')
    const appointments = await rowsOf<AppointmentRow>('SELECT * FROM appointment')
    expect(appointments.filter(({ start_ms }) => start_ms > nowMs)).toHaveLength(10)
    for (const { id, doctor_id, start_ms, end_ms } of appointments) {
      const schedule = schedules.find((row) => row.doctor_id === doctor_id)
      if (schedule === undefined) throw new Error(`${doctor_id} has no schedule`)
      const range = { startMs: start_ms - DAY_MS, endMs: end_ms + DAY_MS }
      const offer = {
        timeZone: schedule.time_zone,
        policy: {
          slotMinutes: schedule.slot_minutes,
          minNoticeMinutes: schedule.min_notice_minutes,
          horizonDays: schedule.horizon_days,
          dailyLimit: schedule.daily_limit,
        },
        windows: windows(JSON.parse(schedule.rules), schedule.time_zone, range),
        timeOff: [],
        busy: [],
        bookedPerDay: {},
      }
      const visitType = { id: 'any', durationMinutes: 30, bufferBeforeMinutes: 0, bufferAfterMinutes: 0 }
      const faults = slotFaults(offer, visitType, start_ms, nowMs)
      expect(faults, `${id} at ${new Date(start_ms).toISOString()}`).toEqual(
        start_ms >= nowMs ? [] : ['in-the-past'],
      )
    }
  })

  it('there is one in every state: over lies behind, under way is now, to come ahead', async () => {
    await loadDemonstration(env.DB, nowMs, HASH)
    const over = await rowsOf<AppointmentRow>(
      `SELECT * FROM appointment WHERE status NOT IN ('pending', 'confirmed', 'in-progress')`,
    )
    expect(over.every(({ end_ms }) => end_ms < nowMs)).toBe(true)
    expect(new Set(over.map(({ status }) => status))).toEqual(
      new Set(['completed', 'no-show', 'cancelled', 'rejected']),
    )
    const underWay = await rowsOf<AppointmentRow>(`SELECT * FROM appointment WHERE status = 'in-progress'`)
    expect(underWay).toHaveLength(1)
    expect(underWay.every(({ start_ms, end_ms }) => start_ms <= nowMs && nowMs < end_ms)).toBe(true)
    const active = await rowsOf<AppointmentRow>(
      `SELECT * FROM appointment WHERE status IN ('pending', 'confirmed')`,
    )
    expect(active.every(({ start_ms }) => start_ms > nowMs)).toBe(true)
    expect(active.filter(({ status }) => status === 'pending')).toHaveLength(1)
  })

  it('nothing in its history lies ahead, and it is in the order of time', async () => {
    await loadDemonstration(env.DB, nowMs, HASH)
    const events = await rowsOf<{ at: number }>('SELECT at FROM event ORDER BY sequence')
    const times = events.map(({ at }) => at)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times.at(-1)).toBeLessThanOrEqual(nowMs)
  })
})

it('is the same on every machine', () => {
  const nowMs = NOWS[0] ?? 0
  expect(demonstration(nowMs, HASH)).toEqual(demonstration(nowMs, HASH))
})

it('gives every person, visit and event an id of the usual form', async () => {
  const ids = demonstration(NOWS[0] ?? 0, HASH)
    .filter(({ sql }) => /INTO (user|visit_type|appointment|event) /.test(sql))
    .map(({ params }) => params[0])
  expect(ids.filter((id) => !/^[a-z]{3}_[0-9a-z]{1,40}$/.test(String(id)))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
})

it('is loaded whole or not at all', async () => {
  await env.DB.prepare('INSERT INTO setting (key, value, updated_at) VALUES (?, ?, 0)')
    .bind(DEMONSTRATION, 'a load that was quicker')
    .run()
  const before = await countRows()
  const statements = demonstration(NOWS[0] ?? 0, HASH)
  const load = env.DB.batch(statements.map(({ sql, params }) => env.DB.prepare(sql).bind(...params)))
  await expect(load).rejects.toThrow('UNIQUE constraint failed: setting.key')
  expect(await countRows()).toEqual(before)
})
