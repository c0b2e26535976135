/**
 * The document of the API (OpenAPI 3.1), read off the routes themselves: the guard of each says what it is,
 * its validators what it takes, the permission table who may call it.
 */
import type { Hono } from 'hono'
import type { AppEnv } from './context'
import { ANSWER_HEADERS, type AnswerHeader, PARAMETERS } from './openapi-headers'
import { codesOf, describeProblems, exampleOf } from './openapi-problems'
import { type Components, type Json, toJsonSchema } from './openapi-schema'
import { type AnswerDocument, type OperationInfo, operationOf } from './operation'
import { PUBLIC, permissions } from './permission'
import { headerOf, PROBLEMS, type ProblemCode } from './problem-codes'
import { type Validated, validatorOf } from './validate'

interface Route {
  method: string
  path: string
  info: OperationInfo
  validators: Validated[]
}

/** Every operation of the app with its validators, in the order of the routes. */
export function routesOf(app: Pick<Hono<AppEnv>, 'routes'>): Route[] {
  const routes = new Map<string, Route>()
  for (const { method, path, handler } of app.routes) {
    const key = `${method} ${path}`
    const info = operationOf(handler)
    if (info !== undefined) routes.set(key, { method, path, info, validators: [] })
    const validator = validatorOf(handler)
    if (validator !== undefined) routes.get(key)?.validators.push(validator)
  }
  return [...routes.values()]
}

const TAGS = {
  Accounts: 'Who you are: registering, signing in, the own account.',
  Directory: 'Whom you can see: doctors and specialties.',
  Scheduling: 'When: hours, openings, visit types, slots.',
  Appointments: 'Booked visits.',
  System: 'What the API says of itself.',
} as const satisfies Record<OperationInfo['tag'], string>

/** The whole document. */
export function describeApi(app: Pick<Hono<AppEnv>, 'routes'>): Json {
  const schemas: Components = {}
  const paths: Record<string, Json> = {}
  const codes = new Set<ProblemCode>()
  for (const route of routesOf(app)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(route, schemas) }
    for (const code of codesOf(route.method, route.info, route.validators)) codes.add(code)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Praxis',
      version: '1',
      description:
        'Doctors publish when they work; patients find a doctor, see real open slots and book one.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      parameters: Object.fromEntries(
        Object.entries(PARAMETERS).map(([name, header]) => [name, { name, in: 'header', ...header }]),
      ),
      headers: ANSWER_HEADERS,
      examples: Object.fromEntries([...codes].map((code) => [code, exampleOf(code)])),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        password: { type: 'oauth2', flows: { password: { tokenUrl: '/v1/auth/token', scopes: {} } } },
      },
    },
  }
}

function describeOperation(route: Route, schemas: Components): Json {
  const { info, validators } = route
  const access = permissions[info.id]
  const body = validators.find(({ target }) => target === 'json' || target === 'form')
  return {
    operationId: info.id,
    tags: [info.tag],
    summary: info.summary,
    ...(info.description !== undefined && { description: info.description }),
    ...(access !== PUBLIC && { 'x-roles': access }),
    security: access === PUBLIC ? [] : [{ bearer: [] }, { password: [] }],
    parameters: [
      ...validators.flatMap((validator) => describeParameters(validator, schemas)),
      ...[...(info.headers ?? []), 'Bookmark', 'X-Request-Id'].map((name) => ({
        $ref: `#/components/parameters/${name}`,
      })),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: body.presence === 'required',
        content: {
          [body.target === 'json' ? 'application/json' : 'application/x-www-form-urlencoded']: {
            schema: toJsonSchema(body.schema, 'input', schemas),
            ...(body.example !== undefined && { example: body.example }),
          },
        },
      },
    }),
    responses: describeAnswers(route, schemas),
  }
}

function describeParameters({ target, schema }: Validated, schemas: Components): Json[] {
  if (target === 'json' || target === 'form') return []
  const { properties = {}, required = [] } = toJsonSchema(schema, 'input', schemas) as {
    properties?: Record<string, Json>
    required?: string[]
  }
  const place = target === 'param' ? 'path' : target
  return Object.entries(properties).map(([name, { description, ...parameter }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: parameter,
  }))
}

/** Every answer by status: what the operation says of it, and the problems that it may be as well. */
function describeAnswers({ method, info, validators }: Route, schemas: Components): Json {
  const problems = Map.groupBy(codesOf(method, info, validators), (code) => PROBLEMS[code][0])
  const statuses = new Set([...Object.keys(info.answers).map(Number), ...problems.keys()])
  return Object.fromEntries(
    [...statuses].map((status) => {
      const answer = info.answers[status]
      const codes = problems.get(status as never) ?? []
      const told = codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`)
      const content = {
        ...describeBody(answer, schemas),
        ...(codes.length > 0 && describeProblems(codes, schemas)),
      }
      return [
        status,
        {
          description: [answer?.description, ...told].filter((text) => text !== undefined).join('. '),
          headers: Object.fromEntries(
            headersOf(status, info).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
          ),
          ...(Object.keys(content).length > 0 && { content }),
        },
      ]
    }),
  )
}

function describeBody(answer: AnswerDocument | undefined, schemas: Components): Json {
  if (answer?.schema === undefined) return {}
  const { schema, example, contentType = 'application/json' } = answer
  return {
    [contentType]: {
      schema: toJsonSchema(schema, 'output', schemas),
      ...(example !== undefined && { example }),
    },
  }
}

/** The headers that the answers of a status carry. */
function headersOf(status: number, info: OperationInfo): AnswerHeader[] {
  const headers: AnswerHeader[] = [...(info.answers[status]?.headers ?? []), 'X-Request-Id']
  if (info.tag !== 'System') headers.push('Bookmark')
  if (info.rateLimited === true) headers.push('RateLimit', 'RateLimit-Policy')
  if (status < 300 && info.headers?.includes('Idempotency-Key')) headers.push('Idempotency-Replayed')
  const always = headerOf(status)
  return always === undefined ? headers : [...headers, always]
}
