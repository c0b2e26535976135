/** What may be booked and cancelled, by example and against an oracle that walks the minutes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Appointment,
  type AppointmentStatus,
  allowedActions,
  type BookingRefusal,
  decideAction,
  decideBooking,
  MAX_ALTERNATIVES,
} from '#scheduling/core/appointment'
import { Calendar, type CalendarFacts } from '#scheduling/core/calendar'
import { initialSchedule, type Schedule, type VisitType } from '#scheduling/core/schedule'
import { MINUTE_MS } from '#scheduling/core/time'

const NOW = Date.parse('2026-03-02T00:00:00Z')
const at = (time: string) => Date.parse(`2026-03-02T${time}:00Z`)

const visitType = (id: string, minutes: number, before = 0, after = 0): VisitType => ({
  id,
  name: id,
  durationMinutes: minutes,
  bufferBeforeMinutes: before,
  bufferAfterMinutes: after,
  mode: 'in-person',
  feeMinor: null,
  feeCurrency: null,
})

/** One day of hours, from nine to noon and from one to three. */
const hours: Schedule = {
  ...initialSchedule('UTC'),
  slotMinutes: 30,
  horizonDays: 1,
  rules: [
    {
      rrule: 'FREQ=DAILY',
      startTime: '09:00',
      endTime: '12:00',
      startDate: '2026-03-02',
      endDate: '2026-03-02',
    },
    {
      rrule: 'FREQ=DAILY',
      startTime: '13:00',
      endTime: '15:00',
      startDate: '2026-03-02',
      endDate: '2026-03-02',
    },
  ],
}

const calendar = (facts: Partial<CalendarFacts> = {}): Calendar =>
  new Calendar({
    doctorId: 'usr_doctor',
    epoch: 1,
    version: 0,
    bookable: true,
    schedule: hours,
    openings: [],
    visitTypes: [visitType('vis_half', 30)],
    appointments: [],
    ...facts,
  })

const request = (startMs: number, patientId = 'usr_a', visitTypeId?: string) => ({
  appointmentId: `apt_${patientId}_${startMs}`,
  patientId,
  startMs,
  visitTypeId,
  notes: null,
})

/** Decides and takes, as the object does. */
function bookIn(doctor: Calendar, startMs: number, patientId = 'usr_a', visitTypeId?: string) {
  const decision = decideBooking(doctor, request(startMs, patientId, visitTypeId), NOW)
  if (decision.ok) doctor.put(decision.appointment)
  return decision
}

const codeOf = (decision: ReturnType<typeof bookIn>) => (decision.ok ? 'booked' : decision.refusal.code)

describe('booking', () => {
  it('gives an open slot, with the policy of the moment', () => {
    const doctor = calendar({ schedule: { ...hours, approval: 'manual', cancellationNoticeMinutes: 120 } })
    expect(bookIn(doctor, at('09:30'))).toMatchObject({
      ok: true,
      appointment: {
        doctorId: 'usr_doctor',
        patientId: 'usr_a',
        startMs: at('09:30'),
        endMs: at('10:00'),
        status: 'pending',
        cancellableUntilMs: at('07:30'),
        version: 1,
      },
    })
  })

  it('tells a taken slot from one of one’s own and from another of one’s own', () => {
    const doctor = calendar({ visitTypes: [visitType('vis_half', 30), visitType('vis_hour', 60)] })
    expect(codeOf(bookIn(doctor, at('09:30')))).toBe('booked')
    expect(codeOf(bookIn(doctor, at('09:30'), 'usr_b'))).toBe('slot-taken')
    const own = decideBooking(doctor, request(at('09:30')), NOW)
    expect(own).toEqual({
      ok: false,
      refusal: { code: 'already-booked', appointmentId: `apt_usr_a_${at('09:30')}` },
    })
    expect(codeOf(bookIn(doctor, at('09:00'), 'usr_a', 'vis_hour'))).toBe('patient-busy')
  })

  it('is of a verified doctor and one of their visit types', () => {
    expect(codeOf(bookIn(calendar({ bookable: false }), at('09:30')))).toBe('doctor-not-found')
    expect(codeOf(bookIn(calendar(), at('09:30'), 'usr_a', 'vis_other'))).toBe('visit-type-not-found')
    expect(codeOf(bookIn(calendar({ visitTypes: [] }), at('09:30')))).toBe('visit-type-not-found')
  })

  it('names every reason why a slot is not offered', () => {
    const doctor = calendar({ schedule: { ...hours, minNoticeMinutes: 600, dailyLimit: 1 } })
    expect(codeOf(bookIn(doctor, at('13:00')))).toBe('booked')
    const refused = (startMs: number) => {
      const decision = decideBooking(doctor, request(startMs, 'usr_b'), NOW)
      return decision.ok || decision.refusal.code !== 'slot-not-offered' ? decision : decision.refusal.reasons
    }
    expect(refused(at('09:10'))).toEqual(['too-soon', 'off-grid', 'daily-limit'])
    expect(refused(at('12:00'))).toEqual(['outside-hours', 'daily-limit'])
    expect(refused(at('14:00'))).toEqual(['daily-limit'])
    expect(refused(NOW - MINUTE_MS)).toEqual(['outside-hours', 'in-the-past'])
    expect(refused(NOW + 10 * 86_400_000)).toEqual(['outside-hours', 'beyond-horizon'])
    // Who lost a race hears of the race and of the alternatives, not of the limit that the winner reached.
    expect(codeOf(bookIn(doctor, at('13:00'), 'usr_b'))).toBe('slot-taken')
  })

  it('during a change of hours gives only what both offer', () => {
    const doctor = calendar()
    doctor.advance(NOW)
    doctor.announceSchedule({ ...hours, slotMinutes: 45 })
    expect(codeOf(bookIn(doctor, at('09:30')))).toBe('slot-not-offered')
    expect(codeOf(bookIn(doctor, at('10:30')))).toBe('booked')
    doctor.announceSchedule(undefined)
    expect(codeOf(bookIn(doctor, at('09:30')))).toBe('booked')
  })

  it('given back, the slot and its place in the day are free', () => {
    const doctor = calendar({ schedule: { ...hours, dailyLimit: 1 } })
    const first = bookIn(doctor, at('09:30'))
    expect(codeOf(bookIn(doctor, at('10:30'), 'usr_b'))).toBe('slot-not-offered')
    if (first.ok) doctor.put({ ...first.appointment, status: 'cancelled' })
    expect(codeOf(bookIn(doctor, at('09:30'), 'usr_b'))).toBe('booked')
  })
})

/** Every minute of the day that is offered, and by which window. */
const OFFERED: readonly (readonly [startMs: number, endMs: number])[] = [
  [at('09:00'), at('12:00')],
  [at('13:00'), at('15:00')],
]

interface Booked {
  readonly patientId: string
  readonly sold: Set<number>
  readonly blocked: Set<number>
  readonly startMs: number
}

const minutesOf = (startMs: number, endMs: number): Set<number> => {
  const minutes = new Set<number>()
  for (let ms = startMs; ms < endMs; ms += MINUTE_MS) minutes.add(ms)
  return minutes
}

const meets = (a: Set<number>, b: Set<number>): boolean => [...a].some((minute) => b.has(minute))

/** The oracle: whether a visit is open, minute by minute. */
function oracle(
  booked: readonly Booked[],
  type: VisitType,
  slotMinutes: number,
  startMs: number,
  patientId: string,
) {
  const sold = minutesOf(startMs, startMs + type.durationMinutes * MINUTE_MS)
  const blocked = minutesOf(
    startMs - type.bufferBeforeMinutes * MINUTE_MS,
    startMs + (type.durationMinutes + type.bufferAfterMinutes) * MINUTE_MS,
  )
  const own = booked.filter((other) => other.patientId === patientId && meets(other.sold, sold))
  if (own.some((other) => other.startMs === startMs)) return { code: 'already-booked', sold, blocked }
  const window = OFFERED.find(([start, end]) => [...sold].every((minute) => minute >= start && minute < end))
  const onGrid = window !== undefined && (startMs - window[0]) % (slotMinutes * MINUTE_MS) === 0
  if (!onGrid || startMs < NOW) return { code: 'slot-not-offered', sold, blocked }
  if (own.length > 0) return { code: 'patient-busy', sold, blocked }
  const taken = booked.some((other) => meets(other.blocked, blocked))
  return { code: taken ? 'slot-taken' : 'booked', sold, blocked }
}

/** All open starts, nearest first, the earlier first of two equally near. */
function nearest(
  booked: readonly Booked[],
  type: VisitType,
  slotMinutes: number,
  aroundMs: number,
): number[] {
  const open: number[] = []
  for (const [start, end] of OFFERED) {
    for (let ms = start; ms < end; ms += MINUTE_MS) {
      if (oracle(booked, type, slotMinutes, ms, 'usr_nobody').code === 'booked') open.push(ms)
    }
  }
  return open
    .sort((a, b) => Math.abs(a - aroundMs) - Math.abs(b - aroundMs) || a - b)
    .slice(0, MAX_ALTERNATIVES)
}

it('decides any sequence of bookings as the oracle does, and offers the nearest alternatives', () => {
  const types = [visitType('vis_0', 30), visitType('vis_1', 20, 10, 5), visitType('vis_2', 75, 0, 15)]
  fc.assert(
    fc.property(
      fc.constantFrom(10, 15, 30, 45),
      fc.array(
        fc.record({
          minute: fc.integer({ min: 8 * 60, max: 15 * 60 }),
          rounded: fc.boolean(),
          type: fc.nat(2),
          patient: fc.nat(3),
        }),
        { maxLength: 14 },
      ),
      (slotMinutes, asked) => {
        const doctor = calendar({ schedule: { ...hours, slotMinutes }, visitTypes: types })
        const booked: Booked[] = []
        for (const { minute, rounded, type: index, patient } of asked) {
          const type = types[index]
          if (type === undefined) continue
          const startMs = NOW + (rounded ? minute - (minute % slotMinutes) : minute) * MINUTE_MS
          const patientId = `usr_${patient}`
          const expected = oracle(booked, type, slotMinutes, startMs, patientId)
          const decision = bookIn(doctor, startMs, patientId, type.id)
          expect(codeOf(decision)).toBe(expected.code)
          if (decision.ok) booked.push({ patientId, startMs, sold: expected.sold, blocked: expected.blocked })
          else if (decision.refusal.code === 'slot-taken') {
            const offered = (decision.refusal as BookingRefusal & { code: 'slot-taken' }).alternatives
            expect(offered.map((slot) => slot.startMs)).toEqual(nearest(booked, type, slotMinutes, startMs))
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

describe('the state machine', () => {
  const statuses: AppointmentStatus[] = [
    'pending',
    'confirmed',
    'in-progress',
    'completed',
    'rejected',
    'cancelled',
    'no-show',
  ]
  const appointment = (status: AppointmentStatus): Appointment => {
    const decision = decideBooking(calendar(), request(at('09:30')), NOW)
    if (!decision.ok) throw new Error(decision.refusal.code)
    return { ...decision.appointment, status }
  }

  it.each(statuses)('cancelling what is %s', (status) => {
    for (const party of ['patient', 'doctor', 'admin'] as const) {
      const decision = decideAction(appointment(status), 'cancel', party, NOW)
      if (status === 'pending' || status === 'confirmed')
        expect(decision).toEqual({ ok: true, to: 'cancelled' })
      else {
        expect(decision).toEqual({
          ok: false,
          refusal: { code: 'illegal-transition', from: status, allowed: [] },
        })
      }
    }
  })

  it('a patient cancels until the notice begins, its last millisecond included; the others at any time', () => {
    const booked = { ...appointment('confirmed'), cancellableUntilMs: at('07:30') }
    expect(allowedActions(booked, 'patient', at('07:30'))).toEqual(['cancel'])
    expect(decideAction(booked, 'cancel', 'patient', at('07:30') + 1)).toEqual({
      ok: false,
      refusal: { code: 'too-late-to-cancel', cancellableUntilMs: at('07:30') },
    })
    expect(allowedActions(booked, 'patient', at('07:30') + 1)).toEqual([])
    expect(allowedActions(booked, 'doctor', at('07:30') + 1)).toEqual(['cancel'])
    expect(allowedActions(booked, 'admin', at('07:30') + 1)).toEqual(['cancel'])
  })
})
