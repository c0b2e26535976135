/** The document of the API says what the API does: every route, who may call it, and what it answers. */
import { dereference, type Schema, validate } from '@cfworker/json-schema'
import { expect, it } from 'vitest'
import { routesOf } from '#http/openapi'
import { PUBLIC, permissions } from '#http/permission'
import { PROBLEMS, type ProblemCode } from '#http/problem-codes'
import { apiDocument, app } from '../../src/app'
import { call } from '../support/api'

interface Parameter {
  name: string
  in: string
  required?: boolean
  schema: object
}

type Content = Record<
  string,
  { schema: Schema; example?: unknown; examples?: Record<string, { $ref: string }> }
>

interface Operation {
  operationId: string
  tags: string[]
  summary: string
  'x-roles'?: string[]
  security: Record<string, string[]>[]
  parameters: Parameter[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, { description: string; content?: Content }>
}

const served = apiDocument() as unknown as {
  openapi: string
  info: { title: string; version: string }
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: Record<
    'schemas' | 'parameters' | 'headers' | 'examples' | 'securitySchemes',
    Record<string, object>
  >
}

/** The same with every parameter where it is used. */
const document: typeof served = JSON.parse(JSON.stringify(served), (_, value) => {
  const name = /^#\/components\/parameters\/(.*)$/.exec(value?.$ref ?? '')?.[1]
  return name === undefined ? value : served.components.parameters[name]
})

/** The same for the validator, which takes examples for schemas. */
const withoutExamples: typeof served = JSON.parse(
  JSON.stringify(served, (key, value) => (/^examples?$/.test(key) ? undefined : value)),
)

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)
const routes = routesOf(app)
const operationOf = (id: string): Operation => {
  const found = operations.find(({ operation }) => operation.operationId === id)
  if (found === undefined) throw new Error(`${id} is not in the document`)
  return found.operation
}

/** Every value of the document, with the members that lead to it. */
function* walk(value: unknown, at: readonly string[] = []): Generator<[readonly string[], unknown]> {
  yield [at, value]
  if (typeof value !== 'object' || value === null) return
  for (const [member, inner] of Object.entries(value)) yield* walk(inner, [...at, member])
}

it('The document is served to everybody as OpenAPI 3.1', async () => {
  const answer = await call('GET', '/openapi.json')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('Content-Type')).toMatch(/^application\/json/)
  expect(answer.body).toEqual(JSON.parse(JSON.stringify(served)))
  expect(answer.body.openapi).toMatch(/^3\.1\.\d+$/)
  expect(answer.body.info).toMatchObject({ title: 'Praxis', version: expect.any(String) })
  expect((await call('GET', '/')).body.links.openapi).toBe('/openapi.json')
})

it('No server has a path, for the paths have it', () => {
  expect(document.servers.length).toBeGreaterThan(0)
  for (const { url } of document.servers) expect(new URL(url, 'http://x').pathname).toBe('/')
  expect(operations.filter(({ path }) => path.startsWith('/v1/')).length).toBeGreaterThan(20)
})

it('Every route is an operation of the document, and every operation a route', () => {
  const served = routes.map(({ method, path, info }) => [
    `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    info.id,
  ])
  const documented = operations.map(({ method, path, operation }) => [
    `${method} ${path}`,
    operation.operationId,
  ])
  expect(documented.sort()).toEqual(served.sort())
  expect(new Set(documented.map(([, id]) => id)).size).toBe(Object.keys(permissions).length)
})

it('Every operation has a summary, a tag, and answers with a description each', () => {
  for (const { operation } of operations) {
    const { operationId, summary, tags, responses } = operation
    expect(summary.length, operationId).toBeGreaterThan(5)
    expect(tags.length, operationId).toBe(1)
    expect(
      // What listens goes on in another protocol.
      Object.keys(responses).some((status) => /^(101|2\d\d)$/.test(status)),
      operationId,
    ).toBe(true)
    for (const [status, { description }] of Object.entries(responses)) {
      expect(description, `${operationId} ${status}`).toMatch(/\S/)
    }
  }
})

it('Every refusal is documented as a problem document', () => {
  for (const { method, operation } of operations) {
    for (const [status, { content }] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue
      const types = Object.keys(content ?? {})
      // Two have an answer of their own beside it: the OAuth form, and the readiness probe.
      expect(types, `${operation.operationId} ${status}`).toContain('application/problem+json')
    }
    // A malformed Bookmark is refused everywhere, and a body that is too large wherever one may be sent.
    expect('400' in operation.responses, operation.operationId).toBe(true)
    expect('413' in operation.responses, operation.operationId).toBe(method !== 'get')
    expect('415' in operation.responses, operation.operationId).toBe(operation.requestBody !== undefined)
  }
})

it('The security of every operation is what the permission table says', () => {
  for (const { info } of routes) {
    const operation = operationOf(info.id)
    const access = permissions[info.id]
    if (access === PUBLIC) {
      expect(operation.security, info.id).toEqual([])
      expect(operation, info.id).not.toHaveProperty('x-roles')
      continue
    }
    expect(operation['x-roles'], info.id).toEqual([...access])
    expect(operation.security.length, info.id).toBeGreaterThan(0)
    for (const scheme of operation.security.flatMap((one) => Object.keys(one))) {
      expect(document.components.securitySchemes, info.id).toHaveProperty(scheme)
    }
    expect(Object.keys(operation.responses), info.id).toContain('401')
    // Whom every role is let in, none is forbidden: but a patient moves an appointment without an override.
    const forbids = access.length < 3 || info.id === 'rescheduleAppointment'
    expect('403' in operation.responses, info.id).toBe(forbids)
  }
  const { flows } = document.components.securitySchemes.password as {
    flows: { password: { tokenUrl: string } }
  }
  expect(document.paths[flows.password.tokenUrl]?.post).toBeDefined()
})

it('Every reference leads somewhere, and no component is left unused', () => {
  const used = new Set<string>()
  for (const [at, value] of walk(served)) {
    if (at.at(-1) !== '$ref' && at.at(-2) !== 'mapping') continue
    const [, kind, name] = /^#\/components\/(\w+)\/(.+)$/.exec(String(value)) ?? []
    expect(served.components, at.join('/')).toHaveProperty([kind ?? '', name ?? ''])
    used.add(`${kind}/${name}`)
  }
  const { securitySchemes: _, ...components } = served.components
  const declared = Object.entries(components).flatMap(([kind, members]) =>
    Object.keys(members).map((name) => `${kind}/${name}`),
  )
  expect(declared.length).toBeGreaterThan(100)
  expect(declared.sort()).toEqual([...used].sort())
})

it('Every body and every answer in JSON has an example, which its schema allows', () => {
  const lookup = dereference(withoutExamples as unknown as Schema)
  let examples = 0
  for (const [at, value] of walk(document.paths)) {
    if (at.at(-2) !== 'content' || !/json|form/.test(at.at(-1) ?? '')) continue
    const media = value as Content[string]
    const given = Object.values(media.examples ?? {}).map(
      ({ $ref }) => (document.components.examples[$ref.split('/').at(-1) ?? ''] as { value: unknown }).value,
    )
    if (media.example !== undefined) given.push(media.example)
    expect(given.length, at.join(' ')).toBeGreaterThan(0)
    const schema = at.reduce<unknown>(
      (inner, step) => (inner as Record<string, unknown>)[step],
      withoutExamples.paths,
    )
    for (const example of given) {
      const { errors } = validate(example, (schema as { schema: Schema }).schema, '2020-12', lookup, false)
      expect(errors, `${at.join(' ')} ${JSON.stringify(example)}`).toEqual([])
      examples += 1
    }
  }
  expect(examples).toBeGreaterThan(200)
})

it('Every status of a refusal has the codes that it may carry, each with its schema and its example', () => {
  const codes = new Set<string>()
  for (const { operation } of operations) {
    for (const [status, { content }] of Object.entries(operation.responses)) {
      const problems = content?.['application/problem+json']
      if (problems === undefined) continue
      const { $ref, discriminator } = problems.schema as Schema & { discriminator?: { mapping: object } }
      const named = discriminator === undefined ? 1 : Object.keys(discriminator.mapping).length
      expect($ref === undefined).toBe(named > 1)
      expect(Object.keys(problems.examples ?? {}).length).toBe(named)
      for (const code of Object.keys(problems.examples ?? {})) {
        expect(String(PROBLEMS[code as ProblemCode][0]), `${operation.operationId} ${code}`).toBe(status)
        codes.add(code)
      }
    }
  }
  // What nobody declares is answered where there is no operation, or belongs to calls that are yet to come.
  const unused = Object.keys(PROBLEMS).filter((code) => !codes.has(code))
  expect(unused.sort()).toEqual(['method-not-allowed'])
})

it('Every parameter of a path is documented, as required, and no other', () => {
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path')
    expect(inPath.map(({ name }) => name).sort(), path).toEqual(named.sort())
    expect(
      inPath.every(({ required }) => required === true),
      path,
    ).toBe(true)
  }
})

it('A query parameter of every list is documented, none of them as required', () => {
  const lists = [
    'listAppointments',
    'getAppointmentHistory',
    'listHolds',
    'listDoctors',
    'listOpenings',
    'listTimeOff',
    'listVisitTypes',
    'listSpecialties',
  ]
  for (const id of lists) {
    const query = operationOf(id).parameters.filter((parameter) => parameter.in === 'query')
    expect(
      query.map(({ name }) => name),
      id,
    ).toEqual(expect.arrayContaining(['limit', 'cursor', 'count']))
    expect(
      query.some(({ required }) => required === true),
      id,
    ).toBe(false)
  }
  const slots = operationOf('listSlots').parameters.flatMap((one) => (one.in === 'header' ? [] : [one.name]))
  const expected = ['id', 'from', 'to', 'visitTypeId', 'timeZone', 'fresh', 'atLeast']
  expect(slots.sort()).toEqual(expected.sort())
})

it('A body is documented as required exactly where it cannot be left out', () => {
  const optional = [
    'cancelAppointment',
    'approveAppointment',
    'startAppointment',
    'completeAppointment',
    'noteNoShow',
    'verifyDoctor',
  ]
  const bodies = operations.flatMap(({ operation: { operationId, requestBody } }) =>
    requestBody === undefined ? [] : [[operationId, requestBody.required] as const],
  )
  expect(bodies.length).toBeGreaterThan(8)
  for (const [id, required] of bodies) expect([id, required]).toEqual([id, !optional.includes(id)])
})

it('The body of a booking is documented member by member, and takes no others', () => {
  const { schema } = operationOf('bookAppointment').requestBody?.content['application/json'] ?? {}
  expect(schema).toEqual({ $ref: '#/components/schemas/Booking' })
  expect(document.components.schemas.Booking).toMatchObject({
    type: 'object',
    required: ['doctorId', 'start'],
    additionalProperties: false,
    properties: { doctorId: { type: 'string' }, start: { type: 'string' }, notes: expect.anything() },
  })
  const form = operationOf('issueToken').requestBody?.content
  expect(Object.keys(form ?? {})).toEqual(['application/x-www-form-urlencoded'])
})

it('Every problem has a page that says what it means, and nothing else has', async () => {
  for (const [code, [status, title]] of Object.entries(PROBLEMS)) {
    const page = await call('GET', `/problems/${code}`)
    expect(page.status, code).toBe(200)
    expect(page.body, code).toMatchObject({ code, status, title, meaning: expect.stringMatching(/\S{2,}/) })
  }
  for (const code of [
    'nothing',
    'toString',
    '__proto__',
    'constructor',
    'Forbidden',
    '%20',
    'x'.repeat(64),
  ]) {
    const page = await call('GET', `/problems/${code}`)
    expect([page.status, page.body.code], code).toEqual([404, 'not-found'])
  }
})

it('Conditions and keys are documented where they count, and never as required', () => {
  const honoured: Record<string, readonly string[]> = {
    'Idempotency-Key': [
      'bookAppointment',
      'takeHold',
      'joinWaitlist',
      'addOpening',
      'takeTimeOff',
      'addVisitType',
      'createSpecialty',
    ],
    'If-Match': [
      'setSchedule',
      'editOpening',
      'editVisitType',
      'archiveVisitType',
      'updateAppointment',
      'approveAppointment',
      'rejectAppointment',
      'rescheduleAppointment',
      'cancelAppointment',
      'deleteAppointment',
      'startAppointment',
      'completeAppointment',
      'noteNoShow',
      'updateMe',
      'updateOwnDoctor',
    ],
    'If-None-Match': ['listSlots', 'searchSlots', 'listDoctors', 'getDoctor', 'listSpecialties'],
  }
  for (const [header, expected] of Object.entries(honoured)) {
    const found = operations.filter(({ operation }) =>
      operation.parameters.some((parameter) => parameter.in === 'header' && parameter.name === header),
    )
    expect(found.map(({ operation }) => operation.operationId).sort(), header).toEqual([...expected].sort())
  }
  for (const { operation } of operations) {
    expect(operation.parameters.some((one) => one.in === 'header' && one.required === true)).toBe(false)
  }
})
