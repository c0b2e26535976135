/** The order of middleware and every router: the table of contents. */
import { Hono } from 'hono'
import * as z from 'zod'
import { accounts } from '#accounts/router'
import { directory } from '#directory/router'
import { requireConfiguration } from '#http/configuration'
import type { AppEnv } from '#http/context'
import { documents } from '#http/documents'
import { describeApi, routesOf } from '#http/openapi'
import { operation, shows } from '#http/operation'
import {
  bookmark,
  crossOrigin,
  defaultHeaders,
  failed,
  limitBody,
  logRequest,
  notFound,
  securityHeaders,
} from '#http/request'
import { system } from '#http/system'
import { scheduling } from '#scheduling/router'

const routes = new Hono<AppEnv>()
  .use(logRequest, securityHeaders, defaultHeaders, requireConfiguration, crossOrigin, bookmark, limitBody)
  .route('/', system)
  .route('/', documents)
  .route('/v1', scheduling)
  .route('/v1', accounts)
  .route('/v1', directory)
  .get(
    '/openapi.json',
    operation('getOpenApi', {
      tag: 'System',
      summary: 'This document',
      answers: {
        200: shows(z.looseObject({ openapi: z.string() }), 'OpenAPI 3.1', { openapi: '3.1.0' }),
      },
    }),
    (c) => c.json(apiDocument()),
  )

let document: ReturnType<typeof describeApi> | undefined

/** The document of the API; the routes do not change while the Worker lives, so it is made once. */
export function apiDocument(): ReturnType<typeof describeApi> {
  document ??= describeApi(routes)
  return document
}

/** Which operations there are, for 405 and for the test that walks the permission table. */
const patterns = routesOf(routes).map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
}))

export const app = routes
app.onError(failed)
app.notFound(
  notFound((method, path) => patterns.some((route) => route.method === method && route.pattern.test(path))),
)

export type App = typeof routes
