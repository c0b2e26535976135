/** What every refusal has, and what it leaves behind: nothing. */
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import type { Answer } from '../support/api'

/** That the answer is the problem document of this code. */
export function expectProblem(answer: Answer, status: number, code: string, why = code): void {
  const told = { status: answer.status, code: answer.body.code }
  expect(told, `${why}: ${JSON.stringify(answer.body)}`).toEqual({ status, code })
  expect(answer.headers.get('Content-Type'), why).toBe('application/problem+json')
  expect(answer.body.type, why).toBe(`/problems/${code}`)
  expect(answer.body.status, why).toBe(status)
  expect(answer.body.requestId, why).toBe(answer.headers.get('X-Request-Id'))
}

/** The pointers of all faults, in one order. */
export const pointersOf = ({ body }: Answer): string[] =>
  [...new Set((body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer) as string[])].sort()

/** That the request was refused as invalid, for faults at exactly these places. */
export function expectInvalid(answer: Answer, pointers: readonly string[], why: string): void {
  expectProblem(answer, 400, 'validation-failed', why)
  expect(pointersOf(answer), why).toEqual([...pointers].sort())
  for (const { detail } of answer.body.errors) expect(detail, why).toMatch(/\S/)
}

const TABLES = [
  'appointment',
  'event',
  'event_note',
  'hold',
  'idempotency',
  'opening',
  'schedule',
  'time_off',
  'user',
  'visit_type',
  'waitlist',
]

/** How many rows there are of everything that a scheduling call may write. */
export async function rowCounts(): Promise<Record<string, number>> {
  const counts = await env.DB.batch<{ n: number }>(
    TABLES.map((table) => env.DB.prepare(`SELECT count(*) AS n FROM ${table}`)),
  )
  return Object.fromEntries(counts.map(({ results }, index) => [TABLES[index], results[0]?.n ?? -1]))
}

/** Runs what must be refused, and holds it to writing nothing. */
export async function writingNothing(act: () => Promise<void>): Promise<void> {
  const before = await rowCounts()
  await act()
  expect(await rowCounts()).toEqual(before)
}

/** `YYYY-MM-DD` so many days from today, in UTC. */
export const dayFromNow = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
