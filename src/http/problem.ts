/** Problem documents (RFC 9457): everything else speaks in codes. */
import type { Context } from 'hono'
import type { TypedResponse } from 'hono/types'
import type { AppEnv } from './context'
import { detailOf, headerOf, PROBLEMS, type ProblemCode, type ProblemStatus } from './problem-codes'
import type { EvidenceOf } from './problem-evidence'

/** What every problem document has, and what its code adds. */
export type ProblemBody<C extends ProblemCode = ProblemCode> = {
  type: string
  title: string
  status: ProblemStatus<C>
  detail: string
  instance: string
  code: C
  requestId: string
} & EvidenceOf<C>

/** The answer with a problem of one of these codes: a client that looks at the status sees the codes of it alone. */
export type ProblemAnswer<C extends ProblemCode> = C extends ProblemCode
  ? Response & TypedResponse<ProblemBody<C>, ProblemStatus<C>, 'json'>
  : never

/** Seconds a client should wait where nothing better is known. */
export const DEFAULT_RETRY_AFTER_SECONDS = 1

/** The members that the code adds, and a detail in place of the usual one. */
type Told<C extends ProblemCode> = EvidenceOf<C> & { readonly detail?: string }

/** Answers with the problem document of the code. */
export function problem<C extends ProblemCode>(
  c: Context<AppEnv>,
  code: C,
  // A code that adds no member needs no evidence.
  ...[evidence]: object extends EvidenceOf<C> ? [Told<C>?] : [Told<C>]
): ProblemAnswer<C> {
  const [status, title] = PROBLEMS[code]
  const { detail, ...members }: { detail?: string; retryAfterSeconds?: number } = evidence ?? {}
  const header = headerOf(status)
  if (header === 'WWW-Authenticate') c.header(header, challenge(code))
  if (header === 'Upgrade') c.header(header, 'websocket')
  if (header === 'Retry-After') {
    c.header(header, String(members.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS))
  }
  const body = {
    type: `/problems/${code}`,
    title,
    status,
    detail: detail ?? detailOf(code),
    instance: c.req.path,
    code,
    requestId: c.get('requestId'),
    ...members,
  }
  c.set('problem', code)
  return c.json(body, status, { 'Content-Type': 'application/problem+json' }) as never
}

/** Refusals of something else than an access token: the challenge speaks of that alone. */
const NOT_OF_THE_TOKEN: readonly ProblemCode[] = [
  'unauthenticated',
  'invalid-credentials',
  'invalid-refresh-token',
]

/** The challenge of a 401 (RFC 6750, section 3). */
const challenge = (code: ProblemCode): string =>
  `Bearer realm="praxis"${NOT_OF_THE_TOKEN.includes(code) ? '' : ', error="invalid_token"'}`
