/** Refusals as the document of the API has them: one schema and one example for each code. */
import * as z from 'zod'
import { ROLES } from '#db/schema'
import { addComponent, type Components, type Json, toJsonSchema } from './openapi-schema'
import { CODES_ANYWHERE, CODES_OF_SIGNED_IN, type OperationInfo } from './operation'
import { PUBLIC, permissions } from './permission'
import { detailOf, PROBLEMS, type ProblemCode } from './problem-codes'
import { EVIDENCE } from './problem-evidence'
import type { Validated } from './validate'

/** Every code that the operation may answer, by what it says of itself and by what surrounds it. */
export function codesOf(
  method: string,
  { id, tag, problems = [] }: OperationInfo,
  validators: readonly Validated[],
): Set<ProblemCode> {
  const codes = new Set<ProblemCode>([...problems, ...CODES_ANYWHERE])
  // What the API says of itself asks nobody.
  if (tag === 'System') codes.delete('unavailable')
  const access = permissions[id]
  if (access !== PUBLIC) {
    for (const code of CODES_OF_SIGNED_IN) codes.add(code)
    if (access.length < ROLES.length) codes.add('forbidden')
  }
  // Whatever may have a body may have one that is too large, also where none is expected.
  if (method !== 'GET') codes.add('request-too-large')
  if (validators.some(({ target }) => target === 'json' || target === 'form')) {
    codes.add('unsupported-media-type')
  }
  return codes
}

/** `slot-taken` as the name of a schema: `SlotTakenProblem`. */
const nameOf = (code: ProblemCode): string =>
  `${code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}Problem`

const evidenceOf = (code: ProblemCode) =>
  code in EVIDENCE ? EVIDENCE[code as keyof typeof EVIDENCE] : { shape: {}, example: {} }

/** The schema of the problem document of the code; no member is left out, and there are no others. */
function describeProblem(code: ProblemCode, components: Components): Json {
  const [status, , meaning] = PROBLEMS[code]
  const schema = z.object({
    type: z.literal(`/problems/${code}`),
    title: z.string(),
    status: z.literal(status),
    detail: z.string(),
    instance: z.string().meta({ description: 'The path of the request' }),
    code: z.literal(code),
    requestId: z.string(),
    ...evidenceOf(code).shape,
  })
  return addComponent(components, nameOf(code), {
    description: meaning,
    ...toJsonSchema(schema, 'output', components),
  })
}

/** An example of the problem document of the code. */
export const exampleOf = (code: ProblemCode): Json => ({
  summary: PROBLEMS[code][1],
  value: {
    type: `/problems/${code}`,
    title: PROBLEMS[code][1],
    status: PROBLEMS[code][0],
    detail: detailOf(code),
    instance: '/v1/appointments',
    code,
    requestId: 'req_019aa1c2d3e47f5a8b9c0d1e2f3a4b5c',
    ...evidenceOf(code).example,
  },
})

/** The content of the answer of a status, which is a problem document of one of these codes. */
export function describeProblems(codes: readonly ProblemCode[], components: Components): Json {
  const schemas = codes.map((code) => describeProblem(code, components))
  const [first, ...others] = schemas
  const mapping = Object.fromEntries(codes.map((code, index) => [code, schemas[index]?.$ref]))
  return {
    'application/problem+json': {
      schema:
        others.length === 0 ? first : { oneOf: schemas, discriminator: { propertyName: 'code', mapping } },
      examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
    },
  }
}
