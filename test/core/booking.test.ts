/** What may be booked and held, by example. `decisions.test.ts` holds the same against an oracle. */
import { describe, expect, it } from 'vitest'
import type { Calendar } from '#scheduling/core/calendar'
import { HOLD_MS } from '#scheduling/core/hold'
import { appointmentOf, at, holdOf, hours, MINUTE } from './calendars'
import { type Asked, book, clinic, half, hold, hour, NOW, told } from './wishes'

describe('Booking', () => {
  it('gives an open slot on the terms of the moment', () => {
    const schedule = { ...hours, approval: 'manual', cancellationNoticeMinutes: 120 } as const
    expect(book(clinic({ schedule }), at('09:30'), { visitTypeId: 'vis_video' })).toEqual({
      kind: 'booking',
      appointment: {
        id: 'apt_new',
        doctorId: 'usr_doctor',
        patientId: 'usr_a',
        visitTypeId: 'vis_video',
        startMs: at('09:30'),
        endMs: at('09:50'),
        blockedStartMs: at('09:20'),
        blockedEndMs: at('09:55'),
        status: 'pending',
        mode: 'video',
        feeMinor: 700,
        feeCurrency: 'BDT',
        notes: 'Knee',
        remarks: null,
        cancellationReason: null,
        cancellableUntilMs: at('07:30'),
        meetingRoom: 'secret',
        version: 1,
        createdAt: NOW,
        updatedAt: NOW,
      },
      holds: [],
    })
    expect(book(clinic(), at('09:30'))).toMatchObject({
      appointment: { visitTypeId: 'vis_half', status: 'confirmed', meetingRoom: null },
    })
  })

  it('tells a slot of one’s own from a time of one’s own and from another’s', () => {
    const doctor = clinic({ appointments: [appointmentOf(at('09:30'), { id: 'apt_own' })] })
    expect(book(doctor, at('09:30'))).toEqual({
      kind: 'refusal',
      refusal: { code: 'already-booked', appointmentId: 'apt_own' },
    })
    expect(told(book(doctor, at('09:00'), { visitTypeId: 'vis_hour' }))).toBe('patient-busy')
    const other = book(doctor, at('09:30'), { patientId: 'usr_b' })
    expect(other).toMatchObject({ refusal: { code: 'slot-taken' } })
    expect(other).toMatchObject({ refusal: { alternatives: { length: 5, 0: { startMs: at('09:00') } } } })
  })

  it('is of a verified doctor and of a visit type that is offered', () => {
    expect(told(book(clinic({ bookable: false }), at('09:30')))).toBe('doctor-not-found')
    expect(told(book(clinic(), at('09:30'), { visitTypeId: 'vis_other' }))).toBe('visit-type-not-found')
    expect(told(book(clinic({ visitTypes: [] }), at('09:30')))).toBe('visit-type-not-found')
    const archived = clinic({ visitTypes: [{ ...half, archivedAt: 1 }, hour] })
    expect(told(book(archived, at('09:30'), { visitTypeId: 'vis_half' }))).toBe('visit-type-not-found')
    expect(book(archived, at('09:30'))).toMatchObject({ appointment: { visitTypeId: 'vis_hour' } })
  })

  it('names every reason why a slot is not offered', () => {
    const timeOff = [{ id: 'off_1', startMs: at('11:00'), endMs: at('12:00'), reason: null }]
    const schedule = { ...hours, minNoticeMinutes: 630, dailyLimit: 1 }
    const appointments = [appointmentOf(at('13:00'))]
    const doctor = clinic({ timeOff, schedule, appointments })
    const asked = (startMs: number) => told(book(doctor, startMs, { patientId: 'usr_b' }))
    expect(asked(at('09:10'))).toBe('too-soon, off-grid, daily-limit')
    expect(asked(at('11:00'))).toBe('time-off, daily-limit')
    expect(asked(at('12:00'))).toBe('outside-hours, daily-limit')
    expect(asked(at('14:00'))).toBe('daily-limit')
    expect(asked(NOW - MINUTE)).toBe('outside-hours, in-the-past')
    expect(asked(at('09:00', 10))).toBe('outside-hours, beyond-horizon')
    // Who lost a race hears of the race, not of the limit that the winner reached.
    expect(asked(at('13:00'))).toBe('slot-taken')
  })

  it('by staff passes over notice and grid, and over nothing else', () => {
    const schedule = { ...hours, minNoticeMinutes: 24 * 60 }
    const timeOff = [{ id: 'off_1', startMs: at('11:00'), endMs: at('12:00'), reason: null }]
    const doctor = clinic({ schedule, timeOff, appointments: [appointmentOf(at('13:00'))] })
    const asked = (startMs: number) => told(book(doctor, startMs, { override: true, patientId: 'usr_b' }))
    expect(asked(at('09:10'))).toBe('booking')
    expect(asked(at('11:50'))).toBe('outside-hours, time-off')
    expect(asked(at('13:10'))).toBe('slot-taken')
    expect(told(book(doctor, at('09:10')))).toBe('too-soon, off-grid')
  })

  it('during a change of hours tells of alternatives that both offer', () => {
    const doctor = clinic({ appointments: [appointmentOf(at('10:30'), { patientId: 'usr_b' })] })
    doctor.advance(NOW)
    doctor.hours.announceSchedule({ ...hours, slotMinutes: 90 })
    expect(book(doctor, at('10:30'))).toMatchObject({
      refusal: { code: 'slot-taken', alternatives: [{ startMs: at('09:00') }] },
    })
  })

  it('during a change of hours gives only what both offer', () => {
    const doctor = clinic()
    doctor.advance(NOW)
    doctor.hours.announceSchedule({ ...hours, slotMinutes: 45, minNoticeMinutes: 600 })
    expect(told(book(doctor, at('09:30')))).toBe('too-soon, off-grid')
    expect(told(book(doctor, at('10:30')))).toBe('booking')
    doctor.hours.announceSchedule(undefined)
    expect(told(book(doctor, at('09:30')))).toBe('booking')
  })

  it('given back, the slot and its place in the day are free', () => {
    const booked = appointmentOf(at('09:30'))
    const doctor = clinic({ schedule: { ...hours, dailyLimit: 1 }, appointments: [booked] })
    expect(told(book(doctor, at('10:30'), { patientId: 'usr_b' }))).toBe('daily-limit')
    doctor.put({ ...booked, status: 'cancelled' })
    expect(told(book(doctor, at('09:30'), { patientId: 'usr_b' }))).toBe('booking')
  })
})

describe('A hold', () => {
  const EXPIRES = NOW + HOLD_MS
  const held = (startMs: number, more = {}) => holdOf('hld_1', startMs, EXPIRES, more)
  const bookHeld = (doctor: Calendar, startMs: number, asked: Asked = {}, nowMs = NOW) =>
    book(doctor, startMs, { holdId: 'hld_1', ...asked }, nowMs)

  it('keeps the slot with its buffers for five minutes', () => {
    expect(hold(clinic(), at('09:30'), { visitTypeId: 'vis_video' })).toEqual({
      kind: 'hold',
      hold: {
        id: 'hld_new',
        doctorId: 'usr_doctor',
        patientId: 'usr_a',
        visitTypeId: 'vis_video',
        startMs: at('09:30'),
        endMs: at('09:50'),
        blockedStartMs: at('09:20'),
        blockedEndMs: at('09:55'),
        origin: 'patient',
        createdAt: NOW,
        expiresAt: NOW + 5 * MINUTE,
      },
      superseded: [],
    })
  })

  it('of this very slot is the same; of another visit type or start it takes the place of what it overlaps', () => {
    const mine = held(at('09:30'))
    const next = holdOf('hld_2', at('10:00'), EXPIRES)
    const doctor = clinic({ holds: [mine, next, holdOf('hld_3', at('11:00'), EXPIRES)] })
    expect(hold(doctor, at('09:30'))).toEqual({ kind: 'same', hold: mine })
    expect(hold(doctor, at('09:30'), { visitTypeId: 'vis_hour' })).toMatchObject({
      kind: 'hold',
      superseded: [mine, next],
    })
    expect(told(hold(doctor, at('09:30'), { patientId: 'usr_b' }))).toBe('slot-taken')
  })

  it('is refused as a booking is', () => {
    const doctor = clinic({ appointments: [appointmentOf(at('09:30'), { id: 'apt_own' })] })
    expect(told(hold(doctor, at('09:30')))).toBe('already-booked')
    expect(told(hold(doctor, at('09:00'), { visitTypeId: 'vis_hour' }))).toBe('patient-busy')
    expect(told(hold(doctor, at('09:10'), { patientId: 'usr_b' }))).toBe('off-grid')
    expect(told(hold(doctor, at('10:00'), { visitTypeId: 'vis_other' }))).toBe('visit-type-not-found')
    expect(told(hold(clinic({ bookable: false }), at('10:00')))).toBe('doctor-not-found')
  })

  it('passes into the booking of its slot, and of any other that it overlaps', () => {
    const mine = held(at('09:30'), { visitTypeId: 'vis_hour', endMs: at('10:30'), blockedEndMs: at('10:30') })
    const doctor = clinic({ holds: [mine] })
    expect(bookHeld(doctor, at('09:30'))).toMatchObject({
      appointment: { visitTypeId: 'vis_hour', endMs: at('10:30') },
      holds: [mine],
    })
    expect(book(doctor, at('10:00'))).toMatchObject({ kind: 'booking', holds: [mine] })
    expect(book(doctor, at('10:30'))).toMatchObject({ kind: 'booking', holds: [] })
  })

  it('books nothing but what it holds', () => {
    const doctor = clinic({ holds: [held(at('09:30'))] })
    expect(told(bookHeld(doctor, at('10:00')))).toBe('hold-mismatch')
    expect(told(bookHeld(doctor, at('09:30'), { visitTypeId: 'vis_hour' }))).toBe('hold-mismatch')
    expect(told(bookHeld(doctor, at('09:30'), { visitTypeId: 'vis_half' }))).toBe('booking')
  })

  it('books nothing once it is over, of another, or unknown', () => {
    const doctor = clinic({ holds: [held(at('09:30'))] })
    expect(told(bookHeld(doctor, at('09:30'), { patientId: 'usr_b' }))).toBe('hold-expired')
    expect(told(book(doctor, at('09:30'), { holdId: 'hld_9' }))).toBe('hold-expired')
    expect(told(bookHeld(doctor, at('09:30'), {}, EXPIRES - 1))).toBe('booking')
    expect(told(book(doctor, at('09:30'), { patientId: 'usr_b' }, EXPIRES - 1))).toBe('slot-taken')
    expect(told(bookHeld(doctor, at('09:30'), {}, EXPIRES))).toBe('hold-expired')
    expect(told(book(doctor, at('09:30'), { patientId: 'usr_b' }, EXPIRES))).toBe('booking')
  })

  it('that became an appointment tells of it', () => {
    const booked = appointmentOf(at('09:30'), { id: 'apt_own' })
    const doctor = clinic({ appointments: [booked] })
    expect(bookHeld(doctor, at('09:30'))).toEqual({
      kind: 'refusal',
      refusal: { code: 'already-booked', appointmentId: 'apt_own' },
    })
    expect(told(bookHeld(doctor, at('09:15')))).toBe('hold-expired')
    expect(told(bookHeld(doctor, at('09:30'), { patientId: 'usr_b' }))).toBe('hold-expired')
  })

  it('is good for its slot whatever notice, grid, hours, horizon and limit say since, but not in time off', () => {
    const narrower = { ...hours, minNoticeMinutes: 2000, slotMinutes: 50, dailyLimit: 1, rules: [] }
    const doctor = clinic({ holds: [held(at('09:30'))], schedule: narrower })
    for (const asked of [{ holdId: 'hld_1' }, {}])
      expect(told(book(doctor, at('09:30'), asked))).toBe('booking')
    expect(told(book(doctor, at('09:30'), { visitTypeId: 'vis_hour' }))).toBe('outside-hours, too-soon')
    doctor.hours.takeTimeOff({ id: 'off_1', startMs: at('09:59'), endMs: at('11:00'), reason: null })
    expect(told(bookHeld(doctor, at('09:30')))).toBe('time-off')
  })

  it('gives its place in the day to what takes its place', () => {
    const doctor = clinic({ holds: [held(at('09:30'))], schedule: { ...hours, dailyLimit: 1 } })
    expect(told(hold(doctor, at('09:30'), { visitTypeId: 'vis_hour' }))).toBe('hold')
    expect(told(book(doctor, at('09:30'), { visitTypeId: 'vis_hour' }))).toBe('booking')
    expect(told(hold(doctor, at('10:30')))).toBe('daily-limit')
  })

  it('is booked as it is held, though its visit type has become longer since', () => {
    const doctor = clinic({ holds: [held(at('11:30'))], visitTypes: [{ ...half, durationMinutes: 60 }] })
    expect(bookHeld(doctor, at('11:30'))).toMatchObject({ appointment: { endMs: at('12:00') } })
    expect(told(book(doctor, at('11:30')))).toBe('outside-hours')
  })

  it('of a visit type that is offered no more still books it', () => {
    const visitTypes = [{ ...half, archivedAt: 1 }, hour]
    const doctor = clinic({ holds: [held(at('09:30'))], visitTypes })
    expect(bookHeld(doctor, at('09:30'))).toMatchObject({ appointment: { visitTypeId: 'vis_half' } })
    expect(told(hold(doctor, at('10:30'), { visitTypeId: 'vis_half' }))).toBe('visit-type-not-found')
  })
})
