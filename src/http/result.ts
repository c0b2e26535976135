/** What a verb answers: a value, or one of the refusals that it names. Bugs are thrown, refusals are not. */
import type { Fault } from './problem-evidence'

export type Result<T, Code extends string> =
  | { readonly ok: true; readonly value: T }
  /** `faults`: those that the verb found in the request, where it refuses that as invalid. */
  | { readonly ok: false; readonly code: Code; readonly faults?: readonly Fault[] }

/** It happened, and this is what came of it. */
export const done = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** It did not happen, and nothing has changed. */
export const refused = <Code extends string>(
  code: Code,
  faults?: readonly Fault[],
): { readonly ok: false; readonly code: Code; readonly faults?: readonly Fault[] } => ({
  ok: false,
  code,
  ...(faults !== undefined && { faults }),
})
