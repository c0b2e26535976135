/** What happens to every request, whatever its route: id, cost, log line, headers, limits, last resort. */
import type { Context, ErrorHandler, MiddlewareHandler, NotFoundHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { routePath } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import { type Database, latest, newCost, openDatabase } from '#db/database'
import { newId } from '#db/id'
import { isDatabaseFailure } from '#db/refusal'
import type { AppEnv } from './context'
import { logError } from './log-error'
import { problem } from './problem'
import { invalid } from './validate'

/** The largest body, in bytes. */
export const MAX_BODY_BYTES = 1024 * 1024

const REQUEST_ID = /^[A-Za-z0-9_-]{8,128}$/

/** D1's bookmarks: https://developers.cloudflare.com/d1/best-practices/read-replication/ */
const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/

/** Sets a header of the answer in place: once it is made, `c.header` would copy all of it each time. */
const setHeader = (c: Context<AppEnv>, name: string, value: string): void => c.res.headers.set(name, value)

/** Gives the request its id and writes its one log line: no personal data, no query string, no body. */
export const logRequest = createMiddleware<AppEnv>(async (c, next) => {
  const started = Date.now()
  const sent = c.req.header('X-Request-Id')
  const requestId = sent !== undefined && REQUEST_ID.test(sent) ? sent : newId('req')
  c.set('requestId', requestId)
  c.set('cost', newCost())
  c.set('problem', undefined)
  await next()
  setHeader(c, 'X-Request-Id', requestId)
  console.log(
    JSON.stringify({
      level: c.res.status < 500 ? 'info' : 'error',
      requestId,
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      ...(c.get('problem') !== undefined && { problem: c.get('problem') }),
      ms: Date.now() - started,
      ...c.get('cost'),
    }),
  )
})

/** Answers are private, and no page, unless their route says otherwise. */
export const defaultHeaders = createMiddleware<AppEnv>(async (c, next) => {
  await next()
  if (!c.res.headers.has('Cache-Control')) setHeader(c, 'Cache-Control', 'no-store')
  if (!c.res.headers.has('Content-Security-Policy')) {
    setHeader(c, 'Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
  }
})

export const securityHeaders: MiddlewareHandler<AppEnv> = secureHeaders({
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
})

/** Browsers may call from the origins in the configuration, and from no other. */
const answerOrigin: MiddlewareHandler<AppEnv> = cors({
  origin: (origin, c: Context<AppEnv>) =>
    c.env.CORS_ORIGINS.split(',').some((allowed) => allowed.trim() === origin) ? origin : null,
  allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'Bookmark',
    'X-Request-Id',
  ],
  exposeHeaders: [
    'Bookmark',
    'ETag',
    'Location',
    'X-Request-Id',
    'Idempotency-Replayed',
    'Retry-After',
    'RateLimit',
    'RateLimit-Policy',
  ],
  maxAge: 600,
})

/** Only a browser names an origin; whoever does not is told no more than that it would matter. */
export const crossOrigin = createMiddleware<AppEnv>(async (c, next) => {
  if (c.req.header('Origin') !== undefined || c.req.method === 'OPTIONS') return answerOrigin(c, next)
  await next()
  c.res.headers.append('Vary', 'Origin')
  return undefined
})

export const limitBody: MiddlewareHandler<AppEnv> = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: (c) => problem(c as Context<AppEnv>, 'request-too-large'),
})

/** Refuses a malformed Bookmark, and sends the one that the request has reached. */
export const bookmark = createMiddleware<AppEnv>(async (c, next) => {
  const sent = c.req.header('Bookmark')
  if (sent !== undefined && !BOOKMARK.test(sent)) {
    return invalid(c, [{ pointer: '/Bookmark', detail: 'This is no bookmark that we gave out' }])
  }
  await next()
  const reached = latest(c.get('database')?.bookmark(), c.get('objectBookmark'))
  if (reached !== undefined) setHeader(c, 'Bookmark', reached)
  return undefined
})

/**
 * The request's one view of D1. `first-primary` for administrative and clinical reads and for look-ups
 * before a write; else any replica that has reached the request's Bookmark.
 */
export function databaseOf(c: Context<AppEnv>, from?: 'first-primary'): Database {
  const opened = c.get('database')
  if (opened !== undefined) return opened
  const database = openDatabase(
    c.env.DB,
    from ?? c.req.header('Bookmark') ?? 'first-unconstrained',
    c.get('cost'),
  )
  c.set('database', database)
  return database
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** 405 where the address takes another method, else 404. `matches` tells whether an operation is there. */
export const notFound =
  (matches: (method: string, path: string) => boolean): NotFoundHandler<AppEnv> =>
  (c) => {
    const allowed = METHODS.filter((method) => matches(method, c.req.path))
    if (allowed.length === 0) return problem(c, 'not-found')
    c.header('Allow', allowed.join(', '))
    return problem(c, 'method-not-allowed')
  }

/** The last resort: D1 out of reach (503), or a bug (500), whose caller learns the request's id alone. */
export const failed: ErrorHandler<AppEnv> = (error, c) => {
  // Hono's own readers of a body throw what they cannot read.
  if (error instanceof HTTPException && error.status === 400) {
    return invalid(c, [{ pointer: '', detail: 'The body could not be read' }])
  }
  logError('request', { requestId: c.get('requestId') }, error)
  return isDatabaseFailure(error) ? problem(c, 'unavailable') : problem(c, 'internal-error')
}
