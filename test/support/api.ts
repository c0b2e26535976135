/** Calls the Worker as a client does, in the same workerd. */
import { exports } from 'cloudflare:workers'
import type { AppEnv } from '#http/context'
import { expectDeclared } from './conformance'

export type CostLine = AppEnv['Variables']['cost'] & { status: number; route: string; requestId: string }

export interface Call {
  token?: string
  body?: unknown
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: Headers
  // A test reads answers as any client does: what it expects, it asserts.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any
}

/**
 * `call('POST', '/v1/appointments', { token, body })`: the answer, with its body parsed where it is JSON. An
 * answer that the document of the API does not declare fails the test.
 */
export async function call(
  method: string,
  path: string,
  { token, body, headers = {} }: Call = {},
): Promise<Answer> {
  const response = await exports.default.fetch(`http://praxis.test${path}`, {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  expectDeclared(method, path, { status: response.status, headers: response.headers, text })
  const json = /json/.test(response.headers.get('Content-Type') ?? '')
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text }
}
