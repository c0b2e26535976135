/**
 * Holds every answer that a test receives to the document of the API: what is not declared is a defect, of the
 * document or of the program. `@cfworker/json-schema` interprets its schemas, because workerd evaluates no code,
 * which ajv needs.
 */
import { dereference, type Schema, validate } from '@cfworker/json-schema'
import { PROBLEMS, type ProblemCode } from '#http/problem-codes'
import { apiDocument } from '../../src/app'

interface Media {
  schema: Schema
}

interface Declared {
  headers: Record<string, Schema>
  content?: Record<string, Media>
}

interface Operation {
  operationId: string
  responses: Record<string, Declared>
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { headers: Record<string, { required?: boolean; schema: Schema }> }
}

/** What was answered, with its body as text. */
export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What may be refused before anybody looks whether there is an operation at the address. */
const ANYWHERE: readonly ProblemCode[] = [
  'not-found',
  'method-not-allowed',
  'validation-failed',
  'request-too-large',
  'misconfigured',
  'internal-error',
]

/** A copy, for the validator leaves its marks; without examples, which would be taken for schemas. */
const document: Document = JSON.parse(
  JSON.stringify(apiDocument(), (key, value) =>
    key === 'examples' || key === 'example' ? undefined : value,
  ),
)
const lookup = dereference(document as unknown as Schema)

const paths = Object.entries(document.paths).map(([path, operations]) => ({
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  operations,
}))

/** The answer to the request, unless it has what the document does not declare. */
export async function declared(method: string, path: string, response: Response): Promise<Response> {
  const { status, headers, webSocket } = response
  // An upgrade has no body, and cannot be cloned.
  const text = webSocket === null ? await response.clone().text() : ''
  expectDeclared(method, path, { status, headers, text })
  return response
}

/** Throws what of the answer the document does not declare. */
export function expectDeclared(method: string, path: string, received: Received): void {
  const faults = undeclared(method, path, received)
  if (faults.length === 0) return
  const { status, text } = received
  const told = faults.map((fault) => `  ${fault}`).join('\n')
  throw new Error(
    `${method} ${path} → ${status} is not what /openapi.json says:\n${told}\n${text.slice(0, 2000)}`,
  )
}

/** What of the answer the document does not declare. */
export function undeclared(method: string, path: string, received: Received): string[] {
  // Hono answers HEAD by the operation of GET; a preflight is the browser’s affair.
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  const { pathname } = new URL(path, 'http://praxis.test')
  const operation = paths.find(({ pattern, operations }) => verb in operations && pattern.test(pathname))
    ?.operations[verb]
  if (operation === undefined) return faultsOfNowhere(received)
  const answer = operation.responses[received.status]
  if (answer === undefined) return [`${operation.operationId} declares no ${received.status}`]
  const bodyFaults = method === 'HEAD' ? [] : faultsOfBody(answer, received)
  return [...faultsOfHeaders(answer, received), ...bodyFaults]
}

/** At an address that the document does not have, nothing but a problem document is answered. */
function faultsOfNowhere({ status, headers, text }: Received): string[] {
  if (text === '') return []
  const type = mediaTypeOf(headers)
  if (type !== 'application/problem+json') return [`an undeclared operation answers ${type}`]
  const body: { code: ProblemCode; status: number } = JSON.parse(text)
  if (!ANYWHERE.includes(body.code)) return [`an undeclared operation answers ${body.code}`]
  return status === PROBLEMS[body.code][0] && status === body.status
    ? []
    : [`${body.code} has another status`]
}

function faultsOfHeaders({ headers: declared }: Declared, { headers }: Received): string[] {
  return Object.entries(document.components.headers).flatMap(([name, { required, schema }]) => {
    const value = headers.get(name)
    const isDeclared = name in declared
    if (value === null) return isDeclared && required === true ? [`the header ${name} is missing`] : []
    return isDeclared
      ? faultsOfValue(value, schema, `header ${name}`)
      : [`the header ${name} is not declared`]
  })
}

function faultsOfBody({ content = {} }: Declared, { headers, text }: Received): string[] {
  const type = mediaTypeOf(headers)
  if (text === '') return Object.keys(content).length === 0 ? [] : ['the body is missing']
  const media = content[type]
  if (media === undefined) return [`${type || 'a body'} is not declared`]
  if (!type.endsWith('json')) return []
  const body: unknown = JSON.parse(text)
  const { schema } = media
  // Of many problems the one of the code, so that what is wrong with it can be told.
  const mapping: Record<string, string> | undefined = schema.discriminator?.mapping
  if (mapping === undefined) return faultsOfValue(body, schema, 'body')
  const code = (body as { code: string }).code
  const problem =
    lookup[`${(schema as { __absolute_uri__: string }).__absolute_uri__.split('#')[0]}${mapping[code]}`]
  return problem === undefined
    ? [`the code ${code} is not declared`]
    : faultsOfValue(body, problem as Schema, 'body')
}

function faultsOfValue(value: unknown, schema: Schema, what: string): string[] {
  const { errors } = validate(value, schema, '2020-12', lookup, false)
  return errors.map(({ instanceLocation, error }) => `${what} ${instanceLocation}: ${error}`)
}

const mediaTypeOf = (headers: Headers): string =>
  headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase() ?? ''
