/** What a request has cost, as its log line tells it. */
import { vi } from 'vitest'
import { type Answer, type Call, type CostLine, call } from './api'

/** Calls the Worker as `call` does, and reads the one line that it logs for the request. */
export async function callAndCount(
  method: string,
  path: string,
  options: Call = {},
): Promise<{ answer: Answer; cost: CostLine }> {
  const requestId = `cost-${crypto.randomUUID()}`
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const headers = { ...options.headers, 'X-Request-Id': requestId }
    const answer = await call(method, path, { ...options, headers })
    const line = log.mock.calls.map(([text]) => String(text)).find((text) => text.includes(requestId))
    if (line === undefined) throw new Error('The request logged no line')
    return { answer, cost: JSON.parse(line) as CostLine }
  } finally {
    log.mockRestore()
  }
}
