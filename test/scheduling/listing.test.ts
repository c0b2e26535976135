/** Listings: from KV, past it, their versions, their tags; and that KV follows the object. */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { newId } from '#db/id'
import type { Openings } from '#scheduling/openings'
import { seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, openStart, seedClinic } from '../support/clinic'
import { calendarObject } from '../support/faults'

const inKv = (doctorId: string) => env.OPENINGS.get<Openings>(`openings:${doctorId}`, 'json')

const starts = (slots: { start: string }[]) => slots.map(({ start }) => start)

describe('the cache', () => {
  it('follows every change within two seconds, and says how old it is', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const path = `/v1/doctors/${doctor.userId}/slots`
    await vi.waitFor(async () => expect((await inKv(doctor.userId))?.version).toBe(1), 3000)
    const before = await call('GET', path)
    expect(starts(before.body.slots)).toContain(start)
    expect(Date.parse(before.body.asOf)).toBeLessThanOrEqual(Date.now())
    const booked = await book(patient, doctor.userId, start)
    await vi.waitFor(async () => expect(starts((await call('GET', path)).body.slots)).not.toContain(start), {
      timeout: 2500,
      interval: 100,
    })
    const { calendarVersion } = booked.body
    await vi.waitFor(async () => expect((await inKv(doctor.userId))?.version).toBe(calendarVersion), 2500)
  })

  it('shows a client their own changes at once, for the isolate has heard of them', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const path = `/v1/doctors/${doctor.userId}/slots`
    const start = (await call('GET', path)).body.slots[3].start
    await new Promise((resolve) => setTimeout(resolve, 30))
    const { body } = await book(patient, doctor.userId, start)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(starts((await call('GET', path)).body.slots)).not.toContain(start)
    await call('DELETE', `/v1/appointments/${body.id}`, { token: patient?.token ?? '' })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(starts((await call('GET', path)).body.slots)).toContain(start)
  })

  it('is read past by `fresh`, and by `atLeast` only where it is older', async () => {
    const doctor = await seedClinic()
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId)
    const path = `/v1/doctors/${doctor.userId}/slots`
    await vi.waitFor(async () => expect((await inKv(doctor.userId))?.version).toBe(1), 3000)
    const old = await env.OPENINGS.get(`openings:${doctor.userId}`)
    // Booked in another place of the world: this isolate hears nothing of it.
    const elsewhere = await calendarObject(doctor.userId).book({
      actor: { userId: patient?.userId ?? '', sessionId: patient?.sessionId ?? '', role: 'patient' },
      key: undefined,
      appointmentId: newId('apt'),
      patientId: patient?.userId ?? '',
      startMs: Date.parse(start),
      visitTypeId: undefined,
      holdId: undefined,
      notes: null,
      meetingRoom: 'room',
      override: undefined,
    })
    expect(elsewhere.ok).toBe(true)
    await vi.waitFor(async () => expect((await inKv(doctor.userId))?.version).toBe(2), 3000)
    // The older value, as KV may still show it here.
    await env.OPENINGS.put(`openings:${doctor.userId}`, old ?? '')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect((await call('GET', path)).body.version).toBe(1)
    const atLeast = await call('GET', `${path}?atLeast=2`)
    expect(atLeast.body.version).toBe(2)
    expect(starts(atLeast.body.slots)).not.toContain(start)
    const fresh = await call('GET', `${path}?fresh=true`)
    expect(starts(fresh.body.slots)).not.toContain(start)
    expect(fresh.headers.get('Cache-Control')).toBe('no-store')
  })

  it('that is lost is made again by the next listing', async () => {
    const doctor = await seedClinic()
    await vi.waitFor(async () => expect(await inKv(doctor.userId)).not.toBeNull(), 3000)
    await env.OPENINGS.delete(`openings:${doctor.userId}`)
    expect((await call('GET', `/v1/doctors/${doctor.userId}/slots`)).body.slots.length).toBeGreaterThan(0)
  })
})

it('the tag is the same until the answer changes, and 304 says so', async () => {
  const doctor = await seedClinic()
  const [patient] = await seedUsers('patient', 1)
  const start = await openStart(doctor.userId)
  const day = start.slice(0, 10)
  const path = `/v1/doctors/${doctor.userId}/slots?from=${start}&to=${day}&fresh=true`
  const first = await call('GET', path)
  const etag = first.headers.get('ETag') ?? ''
  expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
  const same = await call('GET', path, { headers: { 'If-None-Match': `"other", W/${etag}` } })
  expect([same.status, same.body]).toEqual([304, ''])
  await book(patient, doctor.userId, start)
  const changed = await call('GET', path, { headers: { 'If-None-Match': etag } })
  expect(changed.status).toBe(200)
  expect(changed.headers.get('ETag')).not.toBe(etag)
})

describe('the range', () => {
  it('of dates is whole days in the asked zone, the last included', async () => {
    const doctor = await seedClinic({ slotMinutes: 60 })
    const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
    const path = `/v1/doctors/${doctor.userId}/slots?fresh=true&from=${day}&to=${day}`
    const utc = await call('GET', path)
    expect(starts(utc.body.slots)).toHaveLength(24)
    expect(utc.body).toMatchObject({ doctorId: doctor.userId, timeZone: 'UTC' })
    const dhaka = await call('GET', `${path}&timeZone=Asia/Dhaka`)
    expect(dhaka.body.timeZone).toBe('Asia/Dhaka')
    expect(starts(dhaka.body.slots)[0]).toBe(
      new Date(Date.parse(`${day}T00:00:00+06:00`)).toISOString().replace('.000', ''),
    )
    expect(starts(dhaka.body.slots)).toHaveLength(24)
  })

  it('of instants is half-open, and an offset is taken as it is meant', async () => {
    const doctor = await seedClinic()
    const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
    const answer = await call(
      'GET',
      `/v1/doctors/${doctor.userId}/slots?fresh=true&from=${encodeURIComponent(`${day}T10:00:00+06:00`)}&to=${day}T05:00:00Z`,
    )
    expect(starts(answer.body.slots)).toEqual([`${day}T04:00:00Z`, `${day}T04:30:00Z`])
  })

  it('is the coming seven days by default, and nextAvailable looks beyond it', async () => {
    const tenDays = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)
    const doctor = await seedClinic({
      rules: [{ rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '10:00', startDate: tenDays }],
    })
    const answer = await call('GET', `/v1/doctors/${doctor.userId}/slots?fresh=true`)
    expect(answer.body.slots).toEqual([])
    expect(answer.body.nextAvailable).toBe(`${tenDays}T09:00:00Z`)
  })
})
