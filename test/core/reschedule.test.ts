/** Where an appointment may move to, by example, and on what terms. */
import { describe, expect, it } from 'vitest'
import { HOLD_MS } from '#scheduling/core/hold'
import { appointmentOf, at, HOUR, holdOf, hours } from './calendars'
import { clinic, half, hour, move, NOW, told } from './wishes'

describe('Rescheduling', () => {
  const known = appointmentOf(at('10:00'), { cancellableUntilMs: at('08:00') })
  const notice = { ...hours, cancellationNoticeMinutes: 120 }

  it('moves the appointment with its terms, and its last moment to cancel', () => {
    const doctor = clinic({ schedule: notice, appointments: [known] })
    expect(move(doctor, known, at('13:30'))).toEqual({
      kind: 'move',
      appointment: {
        ...known,
        startMs: at('13:30'),
        endMs: at('14:00'),
        blockedStartMs: at('13:30'),
        blockedEndMs: at('14:00'),
        cancellableUntilMs: at('11:30'),
        version: 2,
        updatedAt: NOW,
      },
      holds: [],
    })
    expect(move(doctor, known, at('10:00'))).toEqual({ kind: 'unchanged' })
    expect(move(doctor, known, at('10:00'), { visitTypeId: 'vis_half' })).toEqual({ kind: 'unchanged' })
  })

  it('goes onto an interval that overlaps its own, and changes the visit type where it stands', () => {
    const doctor = clinic({ appointments: [known, appointmentOf(at('11:00'), { patientId: 'usr_b' })] })
    const longer = { ...known, visitTypeId: 'vis_hour', endMs: at('11:00'), blockedEndMs: at('11:00') }
    doctor.put(longer)
    expect(told(move(doctor, longer, at('09:30')))).toBe('move')
    expect(move(doctor, known, at('10:00'), { visitTypeId: 'vis_hour' })).toMatchObject({
      kind: 'move',
      appointment: { visitTypeId: 'vis_hour', endMs: at('11:00'), meetingRoom: null },
    })
    expect(told(move(doctor, longer, at('10:30')))).toBe('slot-taken')
  })

  it('keeps the terms of a visit type that has changed since or is offered no more', () => {
    const booked = { ...known, feeMinor: 900, feeCurrency: 'BDT', blockedStartMs: at('09:55') }
    const changed = { ...half, durationMinutes: 45, feeMinor: 1200, feeCurrency: 'BDT', archivedAt: 1 }
    const doctor = clinic({ visitTypes: [changed, hour], appointments: [booked] })
    expect(move(doctor, booked, at('13:30'))).toMatchObject({
      appointment: { endMs: at('14:00'), blockedStartMs: at('13:25'), feeMinor: 900 },
    })
    const other = { ...booked, visitTypeId: 'vis_hour' }
    expect(told(move(doctor, other, at('13:30'), { visitTypeId: 'vis_half' }))).toBe('visit-type-not-found')
  })

  it('keeps the secret room of a video visit, and gives one to a visit that becomes one', () => {
    const doctor = clinic({ appointments: [known] })
    const visit = { visitTypeId: 'vis_video' }
    expect(move(doctor, known, at('13:30'), visit)).toMatchObject({ appointment: { meetingRoom: 'another' } })
    const online = { ...known, ...visit, mode: 'video', meetingRoom: 'first' } as const
    expect(move(doctor, online, at('13:30'))).toMatchObject({ appointment: { meetingRoom: 'first' } })
    expect(move(doctor, online, at('13:30'), { visitTypeId: 'vis_half' })).toMatchObject({
      appointment: { mode: 'in-person', meetingRoom: null },
    })
  })

  it('counts once for its day, and for another as any booking', () => {
    const other = appointmentOf(at('10:00', 1), { id: 'apt_b', patientId: 'usr_b' })
    const doctor = clinic({ schedule: { ...hours, dailyLimit: 1 }, appointments: [known, other] })
    expect(told(move(doctor, known, at('13:30')))).toBe('move')
    expect(told(move(doctor, known, at('13:30', 1)))).toBe('daily-limit')
  })

  it.each([
    ['patient', 'manual', 'confirmed', 'pending'],
    ['patient', 'manual', 'pending', 'pending'],
    ['patient', 'auto', 'pending', 'confirmed'],
    ['doctor', 'manual', 'confirmed', 'confirmed'],
    ['doctor', 'auto', 'pending', 'pending'],
    ['admin', 'manual', 'confirmed', 'confirmed'],
  ] as const)('by %s, approval being %s, makes of %s: %s', (party, approval, status, after) => {
    const doctor = clinic({ schedule: { ...hours, approval } })
    const moved = move(doctor, { ...known, status }, at('13:30'), { party })
    expect(moved).toMatchObject({ kind: 'move', appointment: { status: after } })
  })

  it('asks the rules of the appointment first, then those of the slot', () => {
    const doctor = clinic({ appointments: [known], schedule: { ...hours, minNoticeMinutes: 60 } })
    const late = at('08:00') + 1
    expect(told(move(doctor, known, at('13:30'), {}, late))).toBe('too-late-to-cancel')
    expect(told(move(doctor, known, at('13:30'), { party: 'doctor' }, late))).toBe('move')
    expect(told(move(doctor, { ...known, status: 'completed' }, at('13:30')))).toBe('illegal-transition')
    expect(told(move(doctor, known, at('08:30'), { party: 'doctor' }, late))).toBe('outside-hours, too-soon')
    expect(told(move(doctor, known, at('09:05'), { party: 'admin', override: true }, late + HOUR))).toBe(
      'move',
    )
    expect(told(move(clinic(), known, at('10:00', 30)))).toBe('outside-hours, beyond-horizon')
  })

  it('takes the place of the patient’s holds there, and of nobody else’s', () => {
    const mine = holdOf('hld_1', at('13:30'), NOW + HOLD_MS)
    const doctor = clinic({ appointments: [known], holds: [mine] })
    expect(move(doctor, known, at('13:30'))).toMatchObject({ kind: 'move', holds: [mine] })
    const theirs = { ...known, patientId: 'usr_b' }
    expect(told(move(doctor, theirs, at('13:30')))).toBe('slot-taken')
  })
})
