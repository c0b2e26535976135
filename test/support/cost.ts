/** What a request cost, by its own log line: the numbers that D1 and the bindings report. */
import { vi } from 'vitest'
import type { Cost } from '#db/database'

export type LogLine = Cost & { requestId: string; method: string; route: string; status: number; ms: number }

/** Runs the work and returns its outcome with the log lines of the requests made meanwhile. */
export async function logged<T>(work: () => Promise<T>): Promise<{ outcome: T; lines: LogLine[] }> {
  const spy = vi.spyOn(console, 'log')
  try {
    const outcome = await work()
    const lines = spy.mock.calls.flatMap(([text]) => {
      const line =
        typeof text === 'string' && text.startsWith('{') ? (JSON.parse(text) as LogLine) : undefined
      return line?.route === undefined ? [] : [line]
    })
    return { outcome, lines }
  } finally {
    spy.mockRestore()
  }
}

/** The one request of the work. */
export async function costOf<T>(work: () => Promise<T>): Promise<{ outcome: T; cost: LogLine }> {
  const { outcome, lines } = await logged(work)
  const [cost, another] = lines
  if (cost === undefined || another !== undefined) throw new Error(`${lines.length} requests, not one`)
  return { outcome, cost }
}
