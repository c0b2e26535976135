/**
 * Validation: `@hono/zod-validator` behind one wrapper, so that every invalid request gets the same
 * problem document with every fault in it.
 */
import { zValidator } from '@hono/zod-validator'
import type { Context, MiddlewareHandler } from 'hono'
import type * as z from 'zod'
import type { AppEnv } from './context'
import { type ProblemAnswer, problem } from './problem'
import type { Fault } from './problem-evidence'
import { wordsOf } from './words'

/** Where a validated part of a request is. */
type Target = 'json' | 'form' | 'query' | 'param' | 'header'

const CONTENT_TYPES = { json: 'application/json', form: 'application/x-www-form-urlencoded' } as const

/** What a validating middleware validates. */
export interface Validated {
  readonly target: Target
  readonly schema: z.ZodType
  /** Whether a body may be left out. */
  readonly presence: 'required' | 'optional'
  /** An example of a body, for the document. */
  readonly example: unknown
}

const validators = new WeakMap<object, Validated>()

/** What the handler validates, if it is a validating middleware. */
export const validatorOf = (handler: object): Validated | undefined => validators.get(handler)

/** The most faults that one answer lists. */
const MAX_FAULTS = 100

type Issue = z.core.$ZodIssue

/** Every fault of a failed validation, with a JSON pointer (RFC 6901) to each; an unknown member is one. */
function faultsOf(issues: readonly Issue[]): Fault[] {
  return issues.flatMap(faultsOfIssue).slice(0, MAX_FAULTS)
}

function faultsOfIssue(issue: Issue): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: 'Unknown member' }))
  }
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return issue.issues.map(({ message }) => ({ pointer: pointerTo(issue.path), detail: message }))
  }
  return [{ pointer: pointerTo(issue.path), detail: issue.message }]
}

/** A JSON pointer from the steps of a path. */
export const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Answers 400 with the faults. */
export const invalid = (c: Context<AppEnv>, errors: readonly Fault[]) =>
  problem(c, 'validation-failed', { errors: [...errors] })

/** What a body looks like, and whether it may be left out altogether: the schema then sees an empty object. */
export interface BodyDocument<S extends z.ZodType> {
  readonly example: z.input<S>
  readonly presence?: 'required' | 'optional'
}

/** What a request may be refused for before its handler sees it; the typed client knows it from here. */
type Refusal<T extends Target> =
  | 'validation-failed'
  | (T extends 'json' | 'form' ? 'unsupported-media-type' | 'request-too-large' : never)

/**
 * Validates one part of a request against the schema. The handler reads the result with
 * `c.req.valid(target)`. A body of another media type gets 415, one that is not JSON 400.
 */
export function validate<T extends Target, S extends z.ZodType>(
  target: T,
  schema: S,
  ...[body]: T extends 'json' | 'form' ? [BodyDocument<S>] : []
) {
  const { presence = 'required', example } = body ?? {}
  const inner = zValidator(
    target,
    schema,
    (result, c): ProblemAnswer<Refusal<T>> | undefined => {
      if (result.success) return undefined
      return invalid(c as unknown as Context<AppEnv>, faultsOf(result.error.issues)) as never
    },
    // What the wrapper’s conditional type makes of a schema that is still a parameter, no value has.
    { validationFunction: (given, value) => given.safeParseAsync(value, { error: wordsOf }) as never },
  )
  if (target !== 'json' && target !== 'form') {
    validators.set(inner, { target, schema, presence, example })
    return inner
  }
  const validator = async (c: Context<AppEnv>, next: () => Promise<void>) => {
    if (presence === 'optional' && (await c.req.text()) === '') {
      c.req.addValidatedData(target, schema.parse({}) as object)
      return next()
    }
    const mediaType = c.req.header('Content-Type')?.split(';')[0]?.trim().toLowerCase()
    const expected = CONTENT_TYPES[target as 'json' | 'form']
    if (mediaType !== expected) {
      return problem(c, 'unsupported-media-type', { detail: `Send ${expected}` })
    }
    if (target === 'json' && !(await isJson(c)))
      return invalid(c, [{ pointer: '', detail: 'This is not JSON' }])
    return (inner as unknown as MiddlewareHandler<AppEnv>)(c, next)
  }
  validators.set(validator, { target, schema, presence, example })
  return validator as unknown as typeof inner
}

async function isJson(c: Context<AppEnv>): Promise<boolean> {
  try {
    await c.req.json()
    return true
  } catch {
    return false
  }
}
