/**
 * An operation is a route with a name. Its guard asks the permission table who may call it, and carries
 * what the document of the API says of it, so that neither can be written beside the route.
 */
import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type * as z from 'zod'
import { readAccessToken } from './access-token'
import type { AppEnv } from './context'
import { type OperationId, PUBLIC, permissions } from './permission'
import { type ProblemCode, problem } from './problem'

export interface AnswerDocument {
  readonly description: string
  /** Absent for an answer without a body. */
  readonly schema?: z.ZodType
  readonly contentType?: string
}

export interface OperationDocument {
  readonly tag: 'System' | 'Accounts' | 'Directory' | 'Scheduling' | 'Appointments'
  readonly summary: string
  readonly description?: string
  /** Conditions and keys that it honours. */
  readonly headers?: readonly ('Idempotency-Key' | 'If-Match' | 'If-None-Match')[]
  readonly answers: Readonly<Record<number, AnswerDocument>>
  /** What it may refuse, beyond what its permission and its validators already say. */
  readonly problems?: readonly ProblemCode[]
}

export interface OperationInfo extends OperationDocument {
  readonly id: OperationId
}

const operations = new WeakMap<object, OperationInfo>()

/** What the guard of a route says of it, if the handler is such a guard. */
export const operationOf = (handler: object): OperationInfo | undefined => operations.get(handler)

/** The guard of an operation: lets the request pass if the permission table does, else answers 401 or 403. */
export function operation(id: OperationId, document: OperationDocument): MiddlewareHandler<AppEnv> {
  const access = permissions[id]
  const guard = createMiddleware<AppEnv>(async (c, next) => {
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
  })
  operations.set(guard, { id, ...document })
  return guard
}
