/**
 * The API's document, and as pages: Swagger UI, where one can try every call, and ReDoc, where one can read. What
 * they load lies in `dist/public`, which `scripts/build-assets.mjs` gathers and the platform serves.
 */
import { Hono } from 'hono'
import { version as redocVersion } from 'redoc/package.json'
import { version as swaggerUiVersion } from 'swagger-ui-dist/package.json'
import * as z from 'zod'
import type { AppEnv } from './context'
import type { Json } from './openapi-schema'
import { operation, shows } from './operation'

const SWAGGER_UI = `/assets/swagger-ui-dist-${swaggerUiVersion}`
const REDOC = `/assets/redoc-${redocVersion}`

/** Nothing but files of our own, and calls to this API alone. */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

const policy = (exceptions: Partial<Record<string, string>> = {}): string =>
  Object.entries({ ...POLICY, ...exceptions })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')

const SWAGGER_UI_POLICY = policy()

const REDOC_POLICY = policy({
  // styled-components writes its rules into elements of its own, whose text depends on what is shown.
  'style-src': "'self' 'unsafe-inline'",
  // The index of its search is made by a worker that it carries within itself.
  'worker-src': 'blob:',
})

const page = (
  title: string,
  styles: readonly string[],
  scripts: readonly string[],
): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
${styles.map((href) => `    <link rel="stylesheet" href="${href}">`).join('\n')}
  </head>
  <body>
    <div id="document"></div>
    <noscript>This page needs JavaScript. The document itself: <a href="/openapi.json">/openapi.json</a></noscript>
${scripts.map((src) => `    <script src="${src}"></script>`).join('\n')}
  </body>
</html>
`

const SWAGGER_UI_PAGE = page(
  'Praxis: the API, to try',
  [`${SWAGGER_UI}/swagger-ui.css`, '/assets/page.css'],
  [`${SWAGGER_UI}/swagger-ui-bundle.js`, '/assets/swagger-ui.js'],
)

const REDOC_PAGE = page(
  'Praxis: the API, to read',
  ['/assets/page.css'],
  [`${REDOC}/redoc.standalone.js`, '/assets/redoc.js'],
)

const Html = { description: 'The page', schema: z.string(), contentType: 'text/html' }

/** The document's routes. It describes them too, so whoever knows all routes hands it in. */
export function documents(apiDocument: () => Json) {
  const pages = new Hono<AppEnv>()
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
    .get(
      '/docs',
      operation('getSwaggerUi', {
        tag: 'System',
        summary: 'This document as a page on which every call can be tried (Swagger UI)',
        answers: { 200: Html },
      }),
      (c) => {
        c.header('Content-Security-Policy', SWAGGER_UI_POLICY)
        return c.html(SWAGGER_UI_PAGE)
      },
    )
    .get(
      '/redoc',
      operation('getRedoc', {
        tag: 'System',
        summary: 'This document as a page to read (ReDoc)',
        answers: { 200: Html },
      }),
      (c) => {
        c.header('Content-Security-Policy', REDOC_POLICY)
        return c.html(REDOC_PAGE)
      },
    )
  // Not in the chain above: to the document and the typed client these are no operations.
  for (const path of ['/docs', '/redoc']) pages.get(`${path}/`, (c) => c.redirect(path, 308))
  return pages
}
