/** What a verb answers: a value, or one of the refusals that it names. Bugs are thrown, refusals are not. */
export type Result<T, Code extends string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Code }

export const done = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

export const refused = <Code extends string>(code: Code): { readonly ok: false; readonly code: Code } => ({
  ok: false,
  code,
})
