/** What crosses from a doctor's object to the Worker: plain values only, for errors lose their class there. */
import type { Cost } from '#db/database'
import type { ProblemCode } from '#http/problem-codes'
import type { Slot } from './core/slot'

/** Members of a refusal that show why; plain JSON. */
export interface Evidence {
  readonly [member: string]: string | number | null | readonly string[] | readonly Slot[]
}

/** A refusal: its code and what shows why. Instants in it are epoch ms; the route words them. */
export interface Refused {
  readonly code: ProblemCode
  readonly evidence: Evidence
}

export type Outcome<T> =
  | {
      readonly ok: true
      readonly value: T
      readonly replayed: boolean
      /** The version of the calendar that a change has led to. */
      readonly version?: number
    }
  | { readonly ok: false; readonly refusal: Refused }

/** How much of a rate limit is left, for the headers of the answer. */
export interface RateState {
  readonly remaining: number
  readonly retryAfterSeconds: number
}

/** An outcome with what the request cost and saw on the way. */
export type ObjectAnswer<T> = Outcome<T> & {
  /** The version of the calendar when this was answered. */
  readonly version: number
  readonly cost: Cost
  readonly bookmark: string | undefined
  readonly rate: RateState | undefined
}

/** `replayed`: given before; `version`: of the calendar that a change has led to. */
export const done = <T>(value: T, how: { replayed?: boolean; version?: number } = {}): Outcome<T> => ({
  ok: true,
  value,
  replayed: false,
  ...how,
})

export const refused = (code: ProblemCode, evidence: Evidence = {}): Outcome<never> => ({
  ok: false,
  refusal: { code, evidence },
})
