/** What a calendar keeps of a doctor's time, and what time alone makes of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Appointment, AppointmentStatus } from '#scheduling/core/appointment'
import type { Calendar } from '#scheduling/core/calendar'
import type { Schedule } from '#scheduling/core/schedule'
import { windowsOf } from './booking-oracle'
import {
  appointmentOf,
  at,
  calendarOf,
  daily,
  HOUR,
  holdOf,
  hours,
  MIDNIGHT,
  MINUTE,
  visitType,
} from './calendars'
import { during } from './slot-oracle'

const NOW = MIDNIGHT
const half = (startMs: number) => ({ startMs, endMs: startMs + 30 * MINUTE })
const idsOf = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id)
const countOf = (calendar: Calendar, day = '2026-03-02') => calendar.offer(NOW).bookedPerDay[day] ?? 0

describe('What is taken', () => {
  it.each<[AppointmentStatus, boolean, boolean]>([
    ['pending', true, true],
    ['confirmed', true, true],
    ['in-progress', true, true],
    ['completed', false, true],
    ['no-show', false, true],
    ['rejected', false, false],
    ['cancelled', false, false],
  ])('by what is %s: its interval %s, its place in the day %s', (status, busy, counted) => {
    const calendar = calendarOf({ appointments: [appointmentOf(at('09:30'))] })
    calendar.put(appointmentOf(at('09:30'), { status }))
    expect(calendar.isBusy(half(at('09:30')))).toBe(busy)
    expect(countOf(calendar)).toBe(counted ? 1 : 0)
    expect(calendar.appointment(`apt_${at('09:30')}`) !== undefined).toBe(counted)
  })

  it('by a move is both places until it is settled, either way', () => {
    const known = appointmentOf(at('09:30'), { id: 'apt_1' })
    const moved = appointmentOf(at('09:45'), { id: 'apt_1' })
    const calendar = calendarOf({ appointments: [known] })
    calendar.beginMove(moved)
    expect([half(at('09:15')), half(at('10:00'))].map((place) => calendar.isBusy(place))).toEqual([
      true,
      true,
    ])
    expect(calendar.isBusy(half(at('09:30')), ['apt_1'])).toBe(false)
    expect(countOf(calendar)).toBe(2)
    expect(calendar.activeOverlapping(half(at('10:00')))).toEqual([known])
    expect(idsOf(calendar.ownOverlapping('usr_a', half(at('09:30'))))).toEqual(['apt_1', 'apt_1'])
    calendar.endMove('apt_1')
    expect([half(at('09:15')), half(at('10:00'))].map((place) => calendar.isBusy(place))).toEqual([
      true,
      false,
    ])
    expect(countOf(calendar)).toBe(1)
    calendar.beginMove(moved)
    calendar.put(moved)
    expect([half(at('09:15')), half(at('10:00'))].map((place) => calendar.isBusy(place))).toEqual([
      false,
      true,
    ])
    expect(countOf(calendar)).toBe(1)
    calendar.beginMove(known)
    calendar.remove('apt_1')
    expect(calendar.isBusy({ startMs: at('09:00'), endMs: at('12:00') })).toBe(false)
  })

  it('by a hold is its interval until the instant at which it lapses', () => {
    const calendar = calendarOf({ holds: [holdOf('hld_1', at('09:30'), NOW + 100)] })
    calendar.advance(NOW + 99)
    expect(calendar.hold('hld_1')).toBeDefined()
    expect(calendar.isBusy(half(at('09:30')))).toBe(true)
    expect(countOf(calendar)).toBe(1)
    calendar.advance(NOW + 100)
    expect(calendar.hold('hld_1')).toBeUndefined()
    expect(calendar.isBusy(half(at('09:30')))).toBe(false)
    expect(countOf(calendar)).toBe(0)
    expect(calendar.holdsOverlapping(half(at('09:30')))).toEqual([])
  })

  it('by a hold that passes into what takes its place is its interval, but no second place in the day', () => {
    const held = holdOf('hld_1', at('09:30'), NOW + 100)
    const calendar = calendarOf({ holds: [held] })
    calendar.passHold('hld_1')
    calendar.put(appointmentOf(at('09:45'), { id: 'apt_1' }))
    expect(calendar.isBusy({ startMs: at('09:30'), endMs: at('09:45') })).toBe(true)
    expect(countOf(calendar)).toBe(1)
    calendar.remove('apt_1')
    calendar.putHold(held)
    expect([calendar.isBusy(half(at('09:30'))), calendar.isBusy(half(at('10:00')))]).toEqual([true, false])
    expect(countOf(calendar)).toBe(1)
    calendar.passHold('hld_1')
    calendar.removeHold('hld_1')
    expect(calendar.isBusy(half(at('09:30')))).toBe(false)
    expect(countOf(calendar)).toBe(0)
  })

  it('follows the zone of the schedule: the same visit on another day', () => {
    const calendar = calendarOf({ appointments: [appointmentOf(at('02:00'))] })
    expect(countOf(calendar)).toBe(1)
    calendar.setSchedule({ ...hours, timeZone: 'UTC' })
    expect([countOf(calendar, '2026-03-01'), countOf(calendar)]).toEqual([1, 0])
  })

  it('is told of sold intervals, buffers left out', () => {
    const known = appointmentOf(at('09:30'), { blockedStartMs: at('09:00'), blockedEndMs: at('11:00') })
    const calendar = calendarOf({ appointments: [known] })
    expect(calendar.activeOverlapping(half(at('09:00')))).toEqual([])
    expect(calendar.ownOverlapping('usr_a', half(at('10:00')))).toEqual([])
    expect(calendar.isBusy(half(at('10:30')))).toBe(true)
    expect(calendar.activeOverlapping({ startMs: at('09:00'), endMs: at('09:30') + 1 })).toEqual([known])
  })
})

describe('Time', () => {
  const pending = (startMs: number) => appointmentOf(startMs, { status: 'pending' })

  it('never goes back', () => {
    const calendar = calendarOf({ holds: [holdOf('hld_1', at('09:30'), NOW + 100)] })
    expect(calendar.advance(NOW + 100)).toBe(NOW + 100)
    expect(calendar.advance(NOW)).toBe(NOW + 100)
    expect(calendar.hold('hld_1')).toBeUndefined()
  })

  it('ends requests at their start and holds at their end, until D1 has heard of it', () => {
    const [first, second] = [pending(at('09:00')), pending(at('10:00'))]
    const hold = holdOf('hld_1', at('11:00'), at('09:00'))
    const calendar = calendarOf({
      appointments: [second, first, appointmentOf(at('08:00'))],
      holds: [hold, holdOf('hld_2', at('13:00'), at('09:00') + 1)],
    })
    const overdue = (nowMs: number) => {
      const { pending: requests, holds } = calendar.overdue(calendar.advance(nowMs))
      return [...idsOf(requests), ...idsOf(holds)]
    }
    expect(overdue(at('09:00') - 1)).toEqual([])
    expect(calendar.nextDueMs()).toBe(at('09:00'))
    expect(overdue(at('09:00'))).toEqual([first.id, 'hld_1'])
    expect(overdue(at('10:00'))).toEqual([first.id, second.id, 'hld_1', 'hld_2'])
    expect(calendar.isBusy(half(at('09:00')))).toBe(true)
    calendar.put({ ...first, status: 'rejected' })
    calendar.removeHold('hld_1')
    expect(overdue(at('10:00'))).toEqual([second.id, 'hld_2'])
    expect(calendar.nextDueMs()).toBe(at('09:00') + 1)
    calendar.removeHold('hld_2')
    calendar.put({ ...second, status: 'confirmed' })
    expect(overdue(at('10:00'))).toEqual([])
    expect(calendar.nextDueMs()).toBeUndefined()
  })

  it('is waited for by live holds and open requests alone', () => {
    const calendar = calendarOf({ appointments: [appointmentOf(at('09:00'))] })
    expect(calendar.nextDueMs()).toBeUndefined()
    calendar.putHold(holdOf('hld_1', at('11:00'), NOW + 100))
    expect(calendar.nextDueMs()).toBe(NOW + 100)
    calendar.put(pending(NOW + 50))
    expect(calendar.nextDueMs()).toBe(NOW + 50)
    calendar.remove(`apt_${NOW + 50}`)
    expect(calendar.nextDueMs()).toBe(NOW + 100)
  })
})

describe('Outside a new schedule', () => {
  const narrower: Schedule = { ...hours, rules: [daily('09:00', '11:00')] }

  it('lie the visits to come that no window has whole, by start', () => {
    const starts = fc.uniqueArray(fc.integer({ min: 0, max: 280 }), { maxLength: 12 })
    const statuses = fc.array(
      fc.constantFrom<AppointmentStatus>('pending', 'confirmed', 'completed', 'cancelled'),
      {
        minLength: 12,
        maxLength: 12,
      },
    )
    const opening = { id: 'opn_1', startMs: at('11:00'), endMs: at('12:15'), version: 1 }
    const windows = [...windowsOf(MIDNIGHT, [[9, 11]]), opening]
    fc.assert(
      fc.property(starts, statuses, fc.integer({ min: 0, max: 2 }), (quarters, drawn, day) => {
        const nowMs = at('10:10', day)
        const appointments: Appointment[] = quarters.map((n, index) =>
          appointmentOf(MIDNIGHT + n * 15 * MINUTE, { id: `apt_${n}`, status: drawn[index] ?? 'confirmed' }),
        )
        const calendar = calendarOf({ appointments, openings: [opening] })
        const within = ({ startMs, endMs }: Appointment) => {
          for (let ms = startMs; ms < endMs; ms += MINUTE) if (!during(windows, ms, ms + 1)) return false
          return true
        }
        const expected = appointments
          .filter(({ status }) => status === 'pending' || status === 'confirmed')
          .filter((one) => one.startMs >= nowMs && !within(one))
          .sort((a, b) => a.startMs - b.startMs)
        calendar.advance(nowMs)
        expect(idsOf(calendar.outside(narrower, nowMs))).toEqual(idsOf(expected))
      }),
      { numRuns: 100 },
    )
  })

  it('is no visit that goes from a window into the next that abuts', () => {
    const opening = { id: 'opn_1', startMs: at('11:00'), endMs: at('11:15'), version: 1 }
    const appointments = [appointmentOf(at('10:45')), appointmentOf(at('11:00'))]
    const calendar = calendarOf({ appointments, openings: [opening] })
    expect(calendar.outside(narrower, NOW)).toEqual([appointments[1]])
  })

  it('is nothing where nothing is to come', () => {
    const calendar = calendarOf({ appointments: [appointmentOf(at('13:00'))] })
    expect(idsOf(calendar.outside(narrower, at('13:00')))).toEqual([`apt_${at('13:00')}`])
    expect(calendar.outside(narrower, at('13:00') + 1)).toEqual([])
  })
})

describe('Visit types', () => {
  const [first, second] = [visitType('vis_b', 30), visitType('vis_a', 60, { createdAt: 5 })]

  it('come oldest first, and are replaced where they stand', () => {
    const calendar = calendarOf({ visitTypes: [second] })
    calendar.setVisitType(first)
    expect(idsOf(calendar.visitTypes)).toEqual(['vis_b', 'vis_a'])
    calendar.setVisitType({ ...first, durationMinutes: 45 })
    expect(calendar.visitType(undefined)?.durationMinutes).toBe(45)
    expect(idsOf(calendar.visitTypes)).toEqual(['vis_b', 'vis_a'])
  })

  it('that are archived are those of holds alone', () => {
    const calendar = calendarOf({ visitTypes: [first, second] })
    calendar.setVisitType({ ...first, archivedAt: HOUR })
    expect(idsOf(calendar.visitTypes)).toEqual(['vis_a'])
    expect(calendar.visitType('vis_b')).toBeUndefined()
    expect(calendar.visitType(undefined)?.id).toBe('vis_a')
    const held = holdOf('hld_1', at('09:30'), NOW, { visitTypeId: 'vis_b' })
    expect(calendar.heldVisitType(held)?.id).toBe('vis_b')
  })
})
