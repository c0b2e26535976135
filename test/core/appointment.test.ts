/** Every state, command, party and instant against a table that was written from the contract, not from the code. */
import { describe, expect, it } from 'vitest'
import {
  type Appointment,
  type AppointmentAction,
  type AppointmentCommand,
  type AppointmentStatus,
  actionsFrom,
  allowedActions,
  decide,
  isActive,
  isCounted,
  lapsedRequest,
  type Party,
  refusalOf,
  TRANSITIONS,
} from '#scheduling/core/appointment'
import { appointmentOf, at, HOUR, MINUTE } from './calendars'

const STATUSES: readonly AppointmentStatus[] = [
  'pending',
  'confirmed',
  'in-progress',
  'completed',
  'rejected',
  'cancelled',
  'no-show',
]
const PARTIES: readonly Party[] = ['patient', 'doctor', 'admin']
const EVERYBODY = PARTIES
const STAFF: readonly Party[] = ['doctor', 'admin']

/** The contract: what each action starts from, what it leads to, and who may take it. */
const CONTRACT: Readonly<
  Record<
    AppointmentAction,
    { from: readonly AppointmentStatus[]; to: AppointmentStatus | undefined; by: readonly Party[] }
  >
> = {
  approve: { from: ['pending'], to: 'confirmed', by: STAFF },
  reject: { from: ['pending'], to: 'rejected', by: STAFF },
  // Where it leads to is decided with the calendar.
  reschedule: { from: ['pending', 'confirmed'], to: undefined, by: EVERYBODY },
  cancel: { from: ['pending', 'confirmed'], to: 'cancelled', by: EVERYBODY },
  start: { from: ['confirmed'], to: 'in-progress', by: STAFF },
  complete: { from: ['in-progress'], to: 'completed', by: STAFF },
  'no-show': { from: ['confirmed'], to: 'no-show', by: STAFF },
}
const ACTIONS = Object.keys(CONTRACT) as AppointmentAction[]

const START = at('09:30')
const QUARTER = 15 * MINUTE
/** Cancellable until two hours before, with the early start, at the start, and after it. */
const NOTICES = [2 * HOUR, QUARTER, 0, -HOUR]
const INSTANTS = [
  ...NOTICES.flatMap((notice) => [START - notice - 1, START - notice, START - notice + 1]),
  START - 30 * HOUR,
  START + 30 * HOUR,
]

const appointment = (status: AppointmentStatus, notice: number): Appointment =>
  appointmentOf(START, { status, cancellableUntilMs: START - notice, version: 7, updatedAt: 5 })

const commandOf = (action: Exclude<AppointmentAction, 'reschedule'>): AppointmentCommand => {
  if (action === 'reject') return { action, remarks: 'No room' }
  return action === 'cancel' ? { action, reason: 'Ill' } : { action }
}

/** What the contract answers: a refusal, or undefined where the action is taken. */
function refusalByContract(
  status: AppointmentStatus,
  action: AppointmentAction,
  party: Party,
  notice: number,
  nowMs: number,
): object | undefined {
  if (!CONTRACT[action].by.includes(party)) return { code: 'forbidden' }
  // Nobody answered it in time.
  const from = status === 'pending' && nowMs >= START ? 'rejected' : status
  if (!CONTRACT[action].from.includes(from)) {
    const allowed = ACTIONS.filter((one) => CONTRACT[one].from.includes(from))
    return { code: 'illegal-transition', from, allowed }
  }
  if (['cancel', 'reschedule'].includes(action) && party === 'patient' && nowMs - START > -notice)
    return { code: 'too-late-to-cancel', cancellableUntilMs: START - notice }
  if (action === 'start' && START - nowMs > QUARTER)
    return { code: 'too-early', allowedFromMs: START - QUARTER }
  if (action === 'no-show' && START - nowMs > 0) return { code: 'too-early', allowedFromMs: START }
  return undefined
}

/** Every case of one status. */
function* casesOf(status: AppointmentStatus) {
  for (const notice of NOTICES) {
    for (const nowMs of INSTANTS) {
      for (const party of PARTIES) yield { known: appointment(status, notice), notice, nowMs, party }
    }
  }
}

describe.each(STATUSES)('What is %s', (status) => {
  it.each(ACTIONS)('is judged by the contract: %s', (action) => {
    for (const { known, notice, nowMs, party } of casesOf(status)) {
      const expected = refusalByContract(status, action, party, notice, nowMs)
      const told = JSON.stringify({ action, party, notice, nowMs: nowMs - START })
      expect(refusalOf(known, action, party, nowMs), told).toEqual(expected)
      if (action === 'reschedule') continue
      const decision = decide(known, commandOf(action), party, nowMs)
      if (action === 'cancel' && status === 'cancelled') {
        expect(decision, told).toEqual({ kind: 'unchanged' })
      } else if (expected !== undefined) {
        expect(decision, told).toEqual({ kind: 'refusal', refusal: expected })
      } else {
        const words = {
          ...(action === 'reject' && { remarks: 'No room' }),
          ...(action === 'cancel' && { cancellationReason: 'Ill' }),
        }
        const changed = { ...known, status: CONTRACT[action].to, version: 8, updatedAt: nowMs, ...words }
        expect(decision, told).toEqual({ kind: 'change', appointment: changed })
      }
    }
  })

  it('allows the actions that would be taken, and no other', () => {
    for (const { known, notice, nowMs, party } of casesOf(status)) {
      const taken = ACTIONS.filter((action) => {
        if (action === 'reschedule')
          return refusalByContract(status, action, party, notice, nowMs) === undefined
        return decide(known, commandOf(action), party, nowMs).kind === 'change'
      })
      expect(allowedActions(known, party, nowMs)).toEqual(taken)
    }
    expect(actionsFrom(status)).toEqual(ACTIONS.filter((action) => CONTRACT[action].from.includes(status)))
  })

  it('occupies its slot and counts for the day as the contract says', () => {
    const known = appointment(status, 0)
    expect(isActive(known)).toBe(['pending', 'confirmed', 'in-progress'].includes(status))
    expect(isCounted(known)).toBe(!['rejected', 'cancelled'].includes(status))
  })
})

describe('The state machine', () => {
  it('has the actions of the contract and no other', () => {
    expect(Object.keys(TRANSITIONS)).toEqual(ACTIONS)
    for (const action of ACTIONS) {
      const { to } = CONTRACT[action]
      expect(TRANSITIONS[action].to).toEqual(to === undefined ? ['pending', 'confirmed'] : [to])
    }
  })

  it('changes nothing of what it is given', () => {
    const known = Object.freeze(appointment('confirmed', 0))
    expect(decide(known, { action: 'start' }, 'doctor', START).kind).toBe('change')
    expect(known.status).toBe('confirmed')
  })

  it('cancels without a reason, and keeps what was said before', () => {
    const known = { ...appointment('confirmed', 0), notes: 'Knee', remarks: 'Bring the X-ray' }
    expect(decide(known, { action: 'cancel', reason: null }, 'admin', START)).toEqual({
      kind: 'change',
      appointment: { ...known, status: 'cancelled', version: 8, updatedAt: START },
    })
  })

  it('rejects the request that nobody answered, as the next version', () => {
    const known = appointment('pending', 0)
    expect(lapsedRequest(known, START)).toEqual({
      ...known,
      status: 'rejected',
      version: 8,
      updatedAt: START,
    })
  })
})
