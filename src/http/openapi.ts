/**
 * The document of the API (OpenAPI 3.1), read off the routes themselves: the guard of each says what it is,
 * its validators what it takes, the permission table who may call it.
 */
import type { Hono } from 'hono'
import * as z from 'zod'
import type { AppEnv } from './context'
import { type AnswerDocument, type OperationInfo, operationOf } from './operation'
import { PUBLIC, permissions } from './permission'
import { PROBLEMS, Problem, type ProblemCode } from './problem'
import { type Validated, validatorOf } from './validate'

type JsonSchema = Record<string, unknown>

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

/** The whole document. */
export function describeApi(app: Pick<Hono<AppEnv>, 'routes'>): JsonSchema {
  const schemas: Record<string, JsonSchema> = {}
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const route of routesOf(app)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(route, schemas) }
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
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        password: { type: 'oauth2', flows: { password: { tokenUrl: '/v1/auth/token', scopes: {} } } },
      },
    },
  }
}

function describeOperation({ info, validators }: Route, schemas: Record<string, JsonSchema>): JsonSchema {
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
      ...(info.headers ?? []).map((name) => ({ ...HEADERS[name], name, in: 'header', required: false })),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: body.presence === 'required',
        content: {
          [body.target === 'json' ? 'application/json' : 'application/x-www-form-urlencoded']: {
            schema: toJsonSchema(body.schema, 'input', schemas),
          },
        },
      },
    }),
    // What an operation says of a status itself counts: the OAuth form has errors of its own.
    responses: { ...describeProblems(info, validators, schemas), ...describeAnswers(info.answers, schemas) },
  }
}

const HEADERS = {
  'Idempotency-Key': {
    description: 'The same key and body gives the first answer again, for a day; another body is refused.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  'If-Match': { description: 'Only if the ETag is still this one, else 412.', schema: { type: 'string' } },
  'If-None-Match': { description: '304 if the ETag is still this one.', schema: { type: 'string' } },
} as const

function describeParameters(
  { target, schema }: Validated,
  schemas: Record<string, JsonSchema>,
): JsonSchema[] {
  if (target === 'json' || target === 'form') return []
  const { properties = {}, required = [] } = toJsonSchema(schema, 'input', schemas) as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  const place = target === 'param' ? 'path' : target
  return Object.entries(properties).map(([name, parameter]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: parameter,
  }))
}

const describeAnswers = (
  answers: Readonly<Record<number, AnswerDocument>>,
  schemas: Record<string, JsonSchema>,
) =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema, contentType = 'application/json' }]) => [
      status,
      schema === undefined
        ? { description }
        : { description, content: { [contentType]: { schema: toJsonSchema(schema, 'output', schemas) } } },
    ]),
  )

/** The problems of an operation by status, each with the codes that it may carry. */
function describeProblems(
  info: OperationInfo,
  validators: readonly Validated[],
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const codes = new Set<ProblemCode>(info.problems)
  if (permissions[info.id] !== PUBLIC) {
    for (const code of ['unauthenticated', 'invalid-token', 'session-ended', 'forbidden'] as const)
      codes.add(code)
  }
  if (validators.length > 0) codes.add('validation-failed')
  if (validators.some(({ target }) => target === 'json' || target === 'form')) {
    codes.add('unsupported-media-type').add('request-too-large')
  }
  codes.add('internal-error')
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code][0])
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`).join('. '),
        content: { 'application/problem+json': { schema: toJsonSchema(Problem, 'output', schemas) } },
      },
    ]),
  )
}

/** A schema as JSON Schema; schemas with an id move to the components and are referred to. */
function toJsonSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const converted = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  const text = JSON.stringify(converted).replaceAll('#/$defs/', '#/components/schemas/')
  const {
    $schema: _,
    $defs = {},
    ...root
  } = JSON.parse(text) as JsonSchema & { $defs?: Record<string, JsonSchema> }
  for (const [name, { id: _id, ...definition }] of Object.entries($defs)) schemas[name] = definition
  return root
}
