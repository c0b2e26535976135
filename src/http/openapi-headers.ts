/** Headers as the document of the API describes them, each once. */

/** Headers of requests. */
export const PARAMETERS = {
  Bookmark: {
    description:
      'The `Bookmark` of an earlier answer: what is read has at least that state. One that was never given out is 400.',
    schema: { type: 'string' },
  },
  'X-Request-Id': {
    description: 'Kept, and sent back, if it is 8 to 128 of `[A-Za-z0-9_-]`.',
    schema: { type: 'string' },
  },
  'Idempotency-Key': {
    description: 'The same key and body gives the first answer again, for a day; another body is refused.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  'If-Match': { description: 'Only if the ETag is still this one, else 412.', schema: { type: 'string' } },
  'If-None-Match': { description: '304 if the ETag is still this one.', schema: { type: 'string' } },
} as const

/** Headers of answers. What is `required` is on every answer that names it. */
export const ANSWER_HEADERS = {
  'X-Request-Id': {
    description: 'The id of the request, to be quoted when something went wrong.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,128}$' },
  },
  Bookmark: {
    description: 'The state of the database that was seen; sent back, what is read has at least it.',
    schema: { type: 'string' },
  },
  ETag: {
    description: 'The state of what is shown, for If-Match or If-None-Match.',
    required: true,
    schema: { type: 'string', pattern: '^"[!#-~]+"$' },
  },
  Location: { description: 'The address of what was made.', required: true, schema: { type: 'string' } },
  'Idempotency-Replayed': {
    description: 'That this answer was given before, to the same Idempotency-Key.',
    schema: { type: 'string', const: 'true' },
  },
  'RateLimit-Policy': {
    description: 'The limit of attempts, where one was counted (IETF draft).',
    schema: { type: 'string', example: '"booking";q=10;w=60' },
  },
  RateLimit: {
    description: 'What is left of it, and in how many seconds there is more.',
    schema: { type: 'string', example: '"booking";r=9;t=0' },
  },
  'Retry-After': {
    description: 'Seconds to wait before asking again.',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  Upgrade: {
    description: 'What to ask with.',
    required: true,
    schema: { type: 'string', const: 'websocket' },
  },
  'WWW-Authenticate': {
    description: 'The challenge of RFC 6750.',
    required: true,
    schema: { type: 'string', pattern: '^Bearer ' },
  },
} as const

export type AnswerHeader = keyof typeof ANSWER_HEADERS
