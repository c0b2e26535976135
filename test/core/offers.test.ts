/** Who gets what of freed time: against an oracle that tries every minute for everybody in turn. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Appointment } from '#scheduling/core/appointment'
import { decideOffers, type FreedInterval } from '#scheduling/core/offers'
import type { WaitlistEntry } from '#scheduling/core/waiting-list'
import { appointmentOf, at, calendarOf, HOUR, holdOf, MINUTE, visitType } from './calendars'

const NOW = at('08:00')
const TYPES = [
  visitType('vis_half', 30),
  visitType('vis_hour', 60, { createdAt: 1 }),
  visitType('vis_buffered', 30, { createdAt: 2, bufferBeforeMinutes: 15, bufferAfterMinutes: 15 }),
]

const entryOf = (id: string, more: Partial<WaitlistEntry> = {}): WaitlistEntry => ({
  id,
  doctorId: 'usr_doctor',
  patientId: `usr_${id}`,
  visitTypeId: null,
  fromMs: at('09:00'),
  toMs: at('15:00'),
  createdAt: 0,
  passedAt: null,
  offerId: null,
  freedAt: null,
  ...more,
})

const freedOf = (startMs: number, endMs: number, more: Partial<FreedInterval> = {}): FreedInterval => ({
  startMs,
  endMs,
  patientId: null,
  sinceMs: NOW,
  ...more,
})

const free = () => []

describe('an entry', () => {
  const calendar = calendarOf({
    visitTypes: TYPES,
    appointments: [appointmentOf(at('10:00'), { id: 'apt_1', patientId: 'usr_gone' })],
    waitlist: [entryOf('a'), entryOf('b')],
  })
  const freed = [freedOf(at('10:00'), at('10:30'))]
  const ask = (more: object = {}) =>
    decideOffers(calendar, { freed, leaving: ['apt_1'], busyElsewhere: free, ...more }, NOW).map(
      ({ entry, startMs }) => [entry.id, startMs],
    )

  it('gets what leaves, and nothing has changed by asking', () => {
    const before = JSON.stringify([calendar.offer(NOW), calendar.overdue(NOW)])
    expect(ask()).toEqual([['a', at('10:00')]])
    expect(JSON.stringify([calendar.offer(NOW), calendar.overdue(NOW)])).toBe(before)
  })

  it('gets nothing of what stays', () => {
    expect(ask({ leaving: [] })).toEqual([])
  })

  it('that is busy, or of whom nothing is known, is passed by', () => {
    const busy = [{ startMs: at('10:15'), endMs: at('10:16') }]
    expect(ask({ busyElsewhere: (id: string) => (id === 'usr_a' ? busy : []) })).toEqual([['b', at('10:00')]])
    expect(ask({ busyElsewhere: () => undefined })).toEqual([])
  })

  it('of whoever gave it up is passed by', () => {
    expect(ask({ freed: [freedOf(at('10:00'), at('10:30'), { patientId: 'usr_a' })] })).toEqual([
      ['b', at('10:00')],
    ])
  })

  it('that has let it pass is not asked again, and stands behind the others', () => {
    calendar.held.putWaiting(entryOf('a', { passedAt: NOW - 1 }))
    expect(ask()).toEqual([['b', at('10:00')]])
    expect(
      ask({ freed: [freedOf(at('10:00'), at('10:30'), { sinceMs: NOW - 1, patientId: 'usr_b' })] }),
    ).toEqual([])
    calendar.held.putWaiting(entryOf('a'))
  })

  it('of a patient with an offer that lives is passed by, unless it is that which ends', () => {
    calendar.putHold(holdOf('hld_1', at('13:00'), NOW + HOUR, { patientId: 'usr_a', origin: 'waitlist' }))
    expect(ask()).toEqual([['b', at('10:00')]])
    expect(ask({ leaving: ['apt_1', 'hld_1'] })).toEqual([['a', at('10:00')]])
    calendar.removeHold('hld_1')
  })

  it('gets nothing from a doctor who is not bookable', () => {
    calendar.setBookable(false)
    expect(ask()).toEqual([])
    calendar.setBookable(true)
  })
})

/** Half hours of the three days, as their number. */
const instants = fc.integer({ min: 0, max: 140 }).map((n) => at('09:00') + n * 30 * MINUTE)
const lengths = fc.constantFrom(30 * MINUTE, HOUR, 3 * HOUR, 24 * HOUR)
const intervals = fc.tuple(instants, lengths).map(([startMs, ms]) => ({ startMs, endMs: startMs + ms }))

const draw = fc.record({
  dailyLimit: fc.constantFrom(null, 3),
  taken: fc.array(fc.record({ startMs: instants, leaves: fc.boolean() }), { maxLength: 12 }),
  entries: fc.array(
    fc.record({
      range: intervals,
      patient: fc.integer({ min: 0, max: 4 }),
      type: fc.constantFrom(null, ...TYPES.map(({ id }) => id)),
      createdAt: fc.integer({ min: 0, max: 3 }),
      passedAt: fc.constantFrom(null, NOW - 20, NOW - 5),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  more: fc.array(intervals, { maxLength: 2 }),
  sinceMs: fc.constantFrom(NOW, NOW - 10),
  busy: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), intervals), { maxLength: 3 }),
})

const hits = (a: { startMs: number; endMs: number }, b: { startMs: number; endMs: number }) =>
  a.startMs < b.endMs && b.startMs < a.endMs

/** Every half hour that the hours know, morning and afternoon of three days. */
const STARTS = [0, 1, 2].flatMap((day) =>
  ['09:00', '09:30', '10:00', '10:30', '11:00', '11:30', '13:00', '13:30', '14:00', '14:30'].map((time) => ({
    startMs: at(time, day),
    closesMs: at(time < '12' ? '12:00' : '15:00', day),
    day,
  })),
)

it('gets the earliest slot that is free for them, one after another in the line', () => {
  fc.assert(
    fc.property(draw, ({ dailyLimit, taken, entries, more, sinceMs, busy }) => {
      const distinct = taken.filter(
        ({ startMs }, index) => taken.findIndex((one) => one.startMs === startMs) === index,
      )
      const appointments: Appointment[] = distinct.map(({ startMs }) =>
        appointmentOf(startMs, { patientId: 'usr_other' }),
      )
      const leaving = appointments.filter((_, index) => distinct[index]?.leaves)
      const waitlist = entries.map(({ range, patient, type, ...times }, index) =>
        entryOf(`${index}`, {
          patientId: `usr_${patient}`,
          visitTypeId: type,
          fromMs: range.startMs,
          toMs: range.endMs,
          ...times,
        }),
      )
      const freed = [...leaving, ...more].map(({ startMs, endMs }) => freedOf(startMs, endMs, { sinceMs }))
      const busyElsewhere = (patientId: string) =>
        busy.filter(([patient]) => `usr_${patient}` === patientId).map(([, interval]) => interval)
      const calendar = calendarOf({ visitTypes: TYPES, appointments, waitlist })
      calendar.setSchedule({ ...calendar.hours.schedule, dailyLimit })
      calendar.advance(NOW)

      const blocked = appointments
        .filter((one) => !leaving.includes(one))
        .map(({ startMs, endMs }) => ({ startMs, endMs }))
      const sold = blocked.map(({ startMs }) => startMs)
      const expected: [string, number][] = []
      const served = new Set<string>()
      const line = waitlist.toSorted(
        (a, b) => (a.passedAt ?? a.createdAt) - (b.passedAt ?? b.createdAt) || Number(a.id) - Number(b.id),
      )
      for (const entry of line) {
        const type = TYPES.find(({ id }) => id === (entry.visitTypeId ?? 'vis_half'))
        if (type === undefined || served.has(entry.patientId) || (entry.passedAt ?? 0) >= sinceMs) continue
        const found = STARTS.find(({ startMs, closesMs, day }) => {
          const endMs = startMs + type.durationMinutes * MINUTE
          const block = {
            startMs: startMs - type.bufferBeforeMinutes * MINUTE,
            endMs: endMs + type.bufferAfterMinutes * MINUTE,
          }
          const thatDay = sold.filter((ms) => ms >= at('00:00', day) && ms < at('00:00', day + 1)).length
          return (
            startMs >= entry.fromMs &&
            endMs <= Math.min(entry.toMs, closesMs) &&
            startMs <= NOW + 48 * HOUR &&
            freed.some((one) => hits(one, block)) &&
            !blocked.some((one) => hits(one, block)) &&
            !busyElsewhere(entry.patientId).some((one) => hits(one, { startMs, endMs })) &&
            (dailyLimit === null || thatDay < dailyLimit)
          )
        })
        if (found === undefined) continue
        served.add(entry.patientId)
        expected.push([entry.id, found.startMs])
        sold.push(found.startMs)
        blocked.push({
          startMs: found.startMs - type.bufferBeforeMinutes * MINUTE,
          endMs: found.startMs + (type.durationMinutes + type.bufferAfterMinutes) * MINUTE,
        })
      }
      const offers = decideOffers(
        calendar,
        { freed, leaving: leaving.map(({ id }) => id), busyElsewhere },
        NOW,
      )
      expect(offers.map(({ entry, startMs }) => [entry.id, startMs])).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})
