/** Faults of D1, injected at the seam where a doctor's object calls it. The real D1 is behind them. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { DoctorCalendar } from '#scheduling/doctor-calendar'

/** What happens to a batch: `deliver` gives it to the real D1. */
export type Fault = (deliver: () => Promise<D1Result[]>) => Promise<D1Result[]>

/** The batch never arrives. */
export const failBefore: Fault = () => Promise.reject(new Error('Network connection lost.'))

/** All is well. */
export const deliver: Fault = (deliverNow) => deliverNow()

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

/** A batch that is kept waiting. */
export interface Gate {
  readonly fault: Fault
  /** When the batch has come to it. */
  readonly arrived: Promise<void>
  release(): void
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Waits until it is let go. */
export function hold(): Gate {
  let release = () => {}
  let reached = false
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    fault: async (deliverNow) => {
      reached = true
      await released
      return deliverNow()
    },
    // Asked again and again: a test that the object itself woke would die with it.
    get arrived() {
      return until(() => reached)
    },
    release: () => release(),
  }
}

/** D1 does it at once; its answer waits until it is let go. */
export function holdAnswer(): Gate {
  const answered = hold()
  return {
    fault: async (deliverNow) => {
      const results = await deliverNow()
      return answered.fault(() => Promise.resolve(results))
    },
    get arrived() {
      return answered.arrived
    },
    release: () => answered.release(),
  }
}

/** The one fault, and the other once the first lets the batch go. */
export const inTurn =
  (first: Fault, then: Fault): Fault =>
  (deliver) =>
    first(() => then(deliver))

export const calendarObject = (doctorId: string) => env.DOCTOR_CALENDAR.getByName(doctorId)

/** The object dies at once, with all that it has in memory; the next call makes a new one. */
export const abortObject = (doctorId: string): Promise<unknown> =>
  runInDurableObject(calendarObject(doctorId), (_, state) => state.abort()).catch(() => undefined)

/**
 * From now on the batches of this doctor's object meet these faults, one after another; after the last all is
 * well. Returns how many batches the object has sent since. What follows for the directory, in a session of its
 * own and whenever there is time, is neither counted nor hindered.
 */
export async function injectFaults(doctorId: string, faults: readonly Fault[]): Promise<() => number> {
  let batches = 0
  const faulty = {
    withSession(constraint: string) {
      const session = env.DB.withSession(constraint)
      let isNote = false
      return {
        prepare(sql: string) {
          isNote = sql.includes('SET writer_epoch = ?1, next_available_at')
          return session.prepare(sql)
        },
        getBookmark: () => session.getBookmark(),
        batch(statements: D1PreparedStatement[]) {
          if (isNote) return session.batch(statements)
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
