/** When time is offered while hours, openings and time off change, against windows that are written by hand. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Hours } from '#scheduling/core/hours'
import type { Interval } from '#scheduling/core/interval'
import type { Opening, Schedule, TimeOff } from '#scheduling/core/schedule'
import { windowsOf } from './booking-oracle'
import { at, DAY, daily, HOUR, hours, MIDNIGHT, MINUTE } from './calendars'
import { during } from './slot-oracle'

const RULED = windowsOf(MIDNIGHT, [
  [9, 12],
  [13, 15],
])

const opening = (id: string, startMs: number, endMs: number): Opening => ({ id, startMs, endMs, version: 1 })
const off = (id: string, startMs: number, endMs: number): TimeOff => ({ id, startMs, endMs, reason: null })

function hoursOf(schedule: Schedule = hours, openings: readonly Opening[] = []): Hours {
  const made = new Hours(schedule, openings, [])
  made.advance(MIDNIGHT)
  return made
}

/** Rules without an end, so that the horizon is what ends the windows. */
const endless: Schedule = {
  ...hours,
  rules: [{ rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '12:00', startDate: '2026-01-01' }],
}
const lastOf = (windows: readonly Interval[]) => windows.at(-1)?.startMs ?? 0

describe('The plan in force', () => {
  it('has the windows of the rules, and the openings where these have none', () => {
    expect(hoursOf().plan).toEqual({ schedule: hours, windows: RULED })
    const beside = opening('opn_1', at('11:00'), at('12:30'))
    expect(hoursOf(hours, [beside]).plan.windows).toEqual(
      [...RULED, { startMs: at('12:00'), endMs: at('12:30') }].sort((a, b) => a.startMs - b.startMs),
    )
  })

  it('reaches as far as the horizon at every moment, and goes on with time', () => {
    const made = hoursOf(endless)
    for (let nowMs = MIDNIGHT; nowMs < MIDNIGHT + 12 * DAY; nowMs += 7 * HOUR) {
      made.advance(nowMs)
      const reach = nowMs + endless.horizonDays * DAY
      const expected = [...Array(20).keys()].map((day) => at('09:00', day)).filter((ms) => ms <= reach)
      const planned = made.plan.windows.map(({ startMs }) => startMs)
      expect(planned.filter((ms) => ms >= nowMs && ms <= reach)).toEqual(expected.filter((ms) => ms >= nowMs))
    }
    made.setSchedule({ ...endless, horizonDays: 30 })
    expect(lastOf(made.plan.windows)).toBeGreaterThan(MIDNIGHT + 40 * DAY)
  })

  it('follows openings that come and go', () => {
    const made = hoursOf()
    const added = opening('opn_1', at('16:00'), at('17:00'))
    const earlier = opening('opn_0', at('07:00'), at('08:00'))
    made.setOpenings([added, earlier])
    expect(made.openings).toEqual([earlier, added])
    expect(made.plan.windows).toHaveLength(RULED.length + 2)
    made.setOpenings([])
    expect(made.plan.windows).toEqual(RULED)
  })
})

describe('A schedule on its way', () => {
  const next: Schedule = { ...hours, horizonDays: 30, rules: [daily('10:00', '11:00')] }

  it('is asked beside the one in force, and the latter is what listings show', () => {
    const made = hoursOf()
    made.announceSchedule(next)
    const plans = made.plansAt(at('10:00'))
    expect(plans.map(({ schedule }) => schedule)).toEqual([hours, next])
    expect(plans[1]?.windows).toEqual(windowsOf(MIDNIGHT, [[10, 11]]))
    expect(made.plan.schedule).toBe(hours)
    expect(made.schedule).toBe(hours)
  })

  it('is in force once it is set, and forgotten once it is not to be', () => {
    const made = hoursOf()
    made.announceSchedule(next)
    made.setOpenings([opening('opn_1', at('16:00'), at('17:00'))])
    expect(made.plansAt(at('16:00')).map(({ windows }) => windows.length)).toEqual([7, 4])
    made.announceSchedule(undefined)
    expect(made.plansAt(at('10:00')).map(({ schedule }) => schedule)).toEqual([hours])
    made.announceSchedule(next)
    made.setSchedule(next)
    expect(made.plansAt(at('10:00')).map(({ schedule }) => schedule)).toEqual([next])
    expect(made.schedule).toBe(next)
  })
})

describe('A start beyond the windows that are kept', () => {
  it('is explained by the rules up to 400 days from now, and by the horizon alone further on', () => {
    const made = hoursOf(endless)
    const offered = (startMs: number) =>
      made.plansAt(startMs).some(({ windows }) => during(windows, startMs, startMs + MINUTE))
    for (const day of [3, 30, 399]) {
      expect(offered(at('09:00', day)), `day ${day}`).toBe(true)
      expect(offered(at('13:00', day)), `day ${day}`).toBe(false)
    }
    expect(offered(at('09:00', 401))).toBe(false)
    expect(offered(at('09:00', -30))).toBe(true)
  })
})

describe('Whether any of an interval is offered already', () => {
  it('is asked of rules and openings, minute by minute, but not of the opening named', () => {
    const span = fc
      .tuple(fc.integer({ min: -60, max: 4000 }), fc.constantFrom(1, 15, 30, 60, 600))
      .map(([minute, length]) => {
        const startMs = MIDNIGHT + minute * MINUTE
        return { startMs, endMs: startMs + length * MINUTE }
      })
    fc.assert(
      fc.property(span, fc.array(span, { maxLength: 3 }), fc.boolean(), (asked, spans, announced) => {
        const openings = spans.map((one, index) => opening(`opn_${index}`, one.startMs, one.endMs))
        const made = hoursOf(hours, openings)
        if (announced) made.announceSchedule({ ...hours, rules: [daily('18:00', '19:00')] })
        const ruled = [...RULED, ...(announced ? windowsOf(MIDNIGHT, [[18, 19]]) : [])]
        const all = (list: readonly Interval[]) => during([...ruled, ...list], asked.startMs, asked.endMs)
        expect(made.offersAny(asked)).toBe(all(openings))
        expect(made.offersAny(asked, 'opn_0')).toBe(all(openings.slice(1)))
      }),
      { numRuns: 200 },
    )
  })

  it('ends where a window begins, and begins where it ends', () => {
    const made = hoursOf()
    expect(made.offersAny({ startMs: at('08:00'), endMs: at('09:00') })).toBe(false)
    expect(made.offersAny({ startMs: at('08:00'), endMs: at('09:00') + 1 })).toBe(true)
    expect(made.offersAny({ startMs: at('12:00'), endMs: at('13:00') })).toBe(false)
    expect(made.offersAny({ startMs: at('12:00') - 1, endMs: at('13:00') })).toBe(true)
  })
})

describe('Time off', () => {
  it('is taken once, kept by start, and given back by its id', () => {
    const made = hoursOf()
    const later = off('off_2', at('14:00'), at('16:00'))
    const earlier = off('off_1', at('10:00'), at('15:00'))
    made.takeTimeOff(later)
    made.takeTimeOff(earlier)
    made.takeTimeOff(later)
    expect(made.timeOff).toEqual([earlier, later])
    made.withdrawTimeOff('off_1')
    expect(made.timeOff).toEqual([later])
    made.withdrawTimeOff('off_9')
    expect(made.timeOff).toEqual([later])
  })

  it('that was loaded is sorted too', () => {
    const [first, second] = [off('off_1', at('10:00'), at('11:00')), off('off_2', at('12:00'), at('13:00'))]
    expect(new Hours(hours, [], [second, first]).timeOff).toEqual([first, second])
  })
})
