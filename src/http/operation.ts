/**
 * An operation is a route with a name. Its guard asks the permission table who may call it, and carries
 * what the document of the API says of it, so that neither can be written beside the route.
 */
import type { MiddlewareHandler } from 'hono'
import type * as z from 'zod'
import type { Role } from '#db/schema'
import { readAccessToken } from './access-token'
import type { AppEnv } from './context'
import type { AnswerHeader } from './openapi-headers'
import { type OperationId, PUBLIC, permissions, type RoleOf } from './permission'
import { type ProblemAnswer, problem } from './problem'
import type { ProblemCode } from './problem-codes'

/** What the document says of one status of an operation. */
export interface AnswerDocument {
  readonly description: string
  /** Absent for an answer without a body. */
  readonly schema?: z.ZodType
  readonly contentType?: string
  readonly example?: unknown
  /** What it carries beside what every answer does. */
  readonly headers?: readonly AnswerHeader[]
}

/** An answer in JSON, with an example that its schema’s type holds to the truth. */
export const shows = <S extends z.ZodType>(
  schema: S,
  description: string,
  example: z.output<S>,
  headers: readonly AnswerHeader[] = [],
): AnswerDocument => ({ schema, description, example, headers })

/** What the document says of an operation, but for its name, its body and its parameters. */
export interface OperationDocument<Code extends ProblemCode = ProblemCode> {
  readonly tag: 'System' | 'Accounts' | 'Directory' | 'Scheduling' | 'Appointments'
  readonly summary: string
  readonly description?: string
  /** Conditions and keys that it honours. */
  readonly headers?: readonly ('Idempotency-Key' | 'If-Match' | 'If-None-Match')[]
  readonly answers: Readonly<Record<number, AnswerDocument>>
  /** What it may refuse, beyond what its permission and its validators already say. */
  readonly problems?: readonly Code[]
  /** Whether attempts are counted for each patient and doctor, and told of in RateLimit. */
  readonly rateLimited?: boolean
}

export interface OperationInfo extends OperationDocument {
  readonly id: OperationId
}

/** What any operation may answer: a malformed Bookmark, a bug, a part of the system that is away. */
export const CODES_ANYWHERE = ['validation-failed', 'internal-error', 'misconfigured', 'unavailable'] as const
/** What any operation may answer that is not public. */
export const CODES_OF_SIGNED_IN = ['unauthenticated', 'invalid-token', 'session-ended'] as const

/** What the guard of an operation, and what surrounds every operation, may answer. */
type GuardCode<Id extends OperationId> =
  | (typeof CODES_ANYWHERE)[number]
  | ([RoleOf<Id>] extends [never]
      ? never
      : (typeof CODES_OF_SIGNED_IN)[number] | ForbiddenTo<Exclude<Role, RoleOf<Id>>>)

type ForbiddenTo<Roles> = [Roles] extends [never] ? never : 'forbidden'

/** A middleware whose problems the typed client knows. */
// biome-ignore lint/complexity/noBannedTypes: Hono's own word for no validated input; another loses the routes' own
export type Guard<Code extends ProblemCode> = MiddlewareHandler<AppEnv, string, {}, ProblemAnswer<Code>>

const operations = new WeakMap<object, OperationInfo>()

/** What the guard of a route says of it, if the handler is such a guard. */
export const operationOf = (handler: object): OperationInfo | undefined => operations.get(handler)

/** The guard of an operation: lets the request pass if the permission table does, else answers 401 or 403. */
export function operation<Id extends OperationId, const Code extends ProblemCode = never>(
  id: Id,
  document: OperationDocument<Code>,
): Guard<GuardCode<Id> | Code> {
  const access = permissions[id]
  const guard: Guard<(typeof CODES_OF_SIGNED_IN)[number] | 'forbidden'> = async (c, next) => {
    if (access === PUBLIC) return next()
    const header = c.req.header('Authorization')
    if (header === undefined) return problem(c, 'unauthenticated')
    const token = /^Bearer +([^ ]+)$/i.exec(header)?.[1]
    const actor = token === undefined ? undefined : await readAccessToken(c.env, token)
    if (actor === undefined) return problem(c, 'invalid-token')
    if (!access.some((role) => role === actor.role)) {
      return problem(c, 'forbidden', { detail: `This call is for: ${access.join(', ')}` })
    }
    c.set('actor', actor)
    return next()
  }
  operations.set(guard, { id, ...document })
  return guard as Guard<never>
}
