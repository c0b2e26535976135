/** Faults of D1, injected at the seam where a doctor's object calls it. The real D1 is behind them. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { DoctorCalendar } from '#scheduling/doctor-calendar'

/** What happens to a batch: `deliver` gives it to the real D1. */
export type Fault = (deliver: () => Promise<D1Result[]>) => Promise<D1Result[]>

/** The batch never arrives. */
export const failBefore: Fault = () => Promise.reject(new Error('Network connection lost.'))

/** The batch commits, and its answer is lost. */
export const loseAnswer: Fault = async (deliver) => {
  await deliver()
  throw new Error('Network connection lost.')
}

/** Nobody ever hears of it again. */
export const hang: Fault = () => new Promise(() => undefined)

/** Refused connection now; `arrive` delivers it when it is wanted no more. */
export function arriveLate(): { fault: Fault; arrive: () => Promise<D1Result[]> } {
  let arrive = (): Promise<D1Result[]> => Promise.reject(new Error('Nothing was sent'))
  return {
    fault: (deliver) => {
      arrive = deliver
      return Promise.reject(new Error('Network connection lost.'))
    },
    arrive: () => arrive(),
  }
}

/** Waits until it is let go. */
export function hold(): { fault: Fault; arrived: Promise<void>; release: () => void } {
  let release = () => {}
  let reach = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const arrived = new Promise<void>((resolve) => {
    reach = resolve
  })
  return {
    fault: async (deliver) => {
      reach()
      await released
      return deliver()
    },
    arrived,
    release,
  }
}

export const calendarObject = (doctorId: string) => env.DOCTOR_CALENDAR.getByName(doctorId)

/**
 * From now on the batches of this doctor's object meet these faults, one after another; after the last all is
 * well. Returns how many batches the object has sent since.
 */
export async function injectFaults(doctorId: string, faults: readonly Fault[]): Promise<() => number> {
  let batches = 0
  const faulty = {
    withSession(constraint: string) {
      const session = env.DB.withSession(constraint)
      return {
        prepare: (sql: string) => session.prepare(sql),
        getBookmark: () => session.getBookmark(),
        batch(statements: D1PreparedStatement[]) {
          const fault = faults[batches]
          batches += 1
          const deliver = () => session.batch(statements)
          return fault === undefined ? deliver() : fault(deliver)
        },
      }
    },
  }
  await runInDurableObject(calendarObject(doctorId), (instance: DoctorCalendar) => {
    const own = instance as unknown as { env: Env }
    own.env = { ...own.env, DB: faulty as unknown as D1Database }
  })
  return () => batches
}
