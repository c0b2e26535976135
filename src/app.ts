/** The order of middleware and every router: the table of contents. */
import { Hono } from 'hono'
import { accounts } from '#accounts/router'
import { directory } from '#directory/router'
import { requireConfiguration } from '#http/configuration'
import type { AppEnv } from '#http/context'
import { documents } from '#http/documents'
import { describeApi, routesOf } from '#http/openapi'
import type { Json } from '#http/openapi-schema'
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
  .route('/', documents(apiDocument))
  .route('/v1', scheduling)
  .route('/v1', accounts)
  .route('/v1', directory)

let document: Json | undefined

/** The document of the API; the routes do not change while the Worker lives, so it is made once. */
export function apiDocument(): Json {
  document ??= describeApi(routes)
  return document
}

/** Which operations there are: an address that takes another method is 405 and not 404. */
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
