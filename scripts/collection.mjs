/**
 * The calls of the API as a collection for Postman (format 2.1), which Bruno, Insomnia and Hoppscotch import as
 * well, made from the API's document. Signing in keeps the token, a listing keeps a doctor and a slot, a booking
 * its id: sent from top to bottom of "Main job", the requests book a visit and cancel it. Nothing here writes the
 * file in docs/: the test that holds it to the document does, when `npm run collection` tells it to.
 */
import { DEMONSTRATION_PASSWORD, demonstrationEmail } from './demonstration/statements.mjs'

/** What the collection starts with; the demonstration patient of `npm run dev`. */
const VARIABLES = {
  baseUrl: 'http://localhost:8787',
  email: demonstrationEmail('patient.anika'),
  password: DEMONSTRATION_PASSWORD,
}

/** The operations of the main job, in their order. */
const MAIN_JOB = [
  'login',
  'listDoctors',
  'listSlots',
  'bookAppointment',
  'getAppointment',
  'cancelAppointment',
]

/** Members of bodies that are variables. */
const BODIES = {
  login: { email: '{{email}}', password: '{{password}}' },
  issueToken: { username: '{{email}}', password: '{{password}}' },
  refreshSession: { refreshToken: '{{refreshToken}}' },
  takeHold: { doctorId: '{{doctorId}}', start: '{{start}}' },
  bookAppointment: { doctorId: '{{doctorId}}', start: '{{start}}' },
  rescheduleAppointment: { start: '{{start}}' },
}

/** What is kept of an answer: the variable, and where it is. */
const KEPT = {
  login: { accessToken: 'accessToken', refreshToken: 'refreshToken' },
  refreshSession: { accessToken: 'accessToken', refreshToken: 'refreshToken' },
  listDoctors: { doctorId: 'items[0].id' },
  listSlots: { start: 'slots[0].start' },
  takeHold: { holdId: 'id' },
  bookAppointment: { appointmentId: 'id' },
  addOpening: { openingId: 'id' },
}

/** The variable that stands for a parameter of a path, by what stands before it. */
const PATH_VARIABLES = {
  doctors: '{{doctorId}}',
  appointments: '{{appointmentId}}',
  holds: '{{holdId}}',
  availability: '{{openingId}}',
  problems: 'slot-taken',
}

/** Headers that the collection sends of itself, with values that the client makes; all others are switched off. */
const HEADERS = { 'Idempotency-Key': '{{$guid}}' }

/** The collection of a document. */
export function collectionOf(document) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const requestOf = ({ path, method, operation }) => itemOf(document, path, method, operation)
  const named = (id) => operations.find(({ operation }) => operation.operationId === id)
  const kept = Object.values(KEPT).flatMap((members) => Object.keys(members))
  return {
    info: {
      name: document.info.title,
      description: `${document.info.description}\n\nMade from /openapi.json by \`npm run collection\`.`,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{accessToken}}', type: 'string' }] },
    variable: [
      ...Object.entries(VARIABLES).map(([key, value]) => ({ key, value })),
      ...[...new Set(kept)].map((key) => ({ key, value: '' })),
    ],
    item: [
      { name: 'Main job', item: MAIN_JOB.map((id) => requestOf(named(id))) },
      ...document.tags.map(({ name, description }) => ({
        name,
        description,
        item: operations.filter(({ operation }) => operation.tags.includes(name)).map(requestOf),
      })),
    ],
  }
}

function itemOf(document, path, method, operation) {
  const { operationId, summary, description = '', security } = operation
  const parameters = operation.parameters.map((parameter) => resolve(document, parameter))
  return {
    name: summary,
    ...(operationId in KEPT && { event: [{ listen: 'test', script: scriptOf(KEPT[operationId]) }] }),
    request: {
      method: method.toUpperCase(),
      ...(security.length === 0 && { auth: { type: 'noauth' } }),
      description: [description, rolesOf(operation)].filter(Boolean).join('\n\n'),
      header: parameters.filter(({ in: place }) => place === 'header').map(headerOf),
      url: urlOf(path, parameters),
      ...bodyOf(operation),
    },
  }
}

const rolesOf = ({ 'x-roles': roles }) =>
  roles === undefined ? 'For everybody.' : `For: ${roles.join(', ')}.`

const headerOf = ({ name, description }) => ({
  key: name,
  value: HEADERS[name] ?? '',
  description,
  // An empty condition or Bookmark would be refused.
  disabled: !(name in HEADERS),
})

function urlOf(path, parameters) {
  const steps = path.split('/').slice(1)
  const segments = steps.map((step) => step.replace(/^\{(\w+)\}$/, ':$1'))
  const variable = steps.flatMap((step, index) => {
    const key = /^\{(\w+)\}$/.exec(step)?.[1]
    return key === undefined ? [] : [{ key, value: PATH_VARIABLES[steps[index - 1]] }]
  })
  const query = parameters
    .filter(({ in: place }) => place === 'query')
    .map(({ name, description = '', schema }) => ({
      key: name,
      value: String(schema.default ?? ''),
      description,
      disabled: true,
    }))
  return { raw: `{{baseUrl}}/${segments.join('/')}`, host: ['{{baseUrl}}'], path: segments, query, variable }
}

function bodyOf({ operationId, requestBody }) {
  if (requestBody === undefined) return {}
  const [type, { example }] = Object.entries(requestBody.content)[0]
  const members = { ...example, ...BODIES[operationId] }
  if (type !== 'application/json') {
    const urlencoded = Object.entries(members).map(([key, value]) => ({ key, value }))
    return { body: { mode: 'urlencoded', urlencoded } }
  }
  const raw = JSON.stringify(members, null, 2)
  return { body: { mode: 'raw', raw, options: { raw: { language: 'json' } } } }
}

/** Keeps members of a successful answer for the requests after it. */
const scriptOf = (members) => ({
  type: 'text/javascript',
  exec: [
    'if (pm.response.code < 300) {',
    '  const answer = pm.response.json();',
    ...Object.entries(members).map(
      ([name, place]) => `  pm.collectionVariables.set('${name}', answer.${place});`,
    ),
    '}',
  ],
})

/** What a reference within the document leads to. */
const resolve = (document, value) =>
  value.$ref === undefined
    ? value
    : value.$ref
        .split('/')
        .slice(1)
        .reduce((inner, step) => inner[step], document)
