/** The bucket that is one number, by example and by what must hold of any sequence of attempts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attempt } from '#scheduling/core/rate-limit'

const LIMIT = { attempts: 10, windowMs: 60_000 }

/** Attempts at these instants: the instants that were allowed, and the bucket after them. */
function run(instants: readonly number[]) {
  let fullAtMs: number | undefined
  const allowed: number[] = []
  for (const nowMs of instants) {
    const decision = attempt(LIMIT, fullAtMs, nowMs)
    fullAtMs = decision.fullAtMs
    if (decision.allowed) allowed.push(nowMs)
  }
  return { allowed, fullAtMs }
}

describe('ten attempts a minute', () => {
  it('allows ten at once and refuses the eleventh until one interval has passed', () => {
    const { allowed, fullAtMs } = run(Array.from({ length: 10 }, () => 0))
    expect(allowed).toHaveLength(10)
    expect(attempt(LIMIT, fullAtMs, 0)).toEqual({
      allowed: false,
      fullAtMs: 60_000,
      remaining: 0,
      retryAfterMs: 6000,
    })
    expect(attempt(LIMIT, fullAtMs, 5999).allowed).toBe(false)
    expect(attempt(LIMIT, fullAtMs, 6000).allowed).toBe(true)
  })

  it('counts down what remains', () => {
    expect(attempt(LIMIT, undefined, 5)).toMatchObject({ allowed: true, remaining: 9, retryAfterMs: 0 })
    expect(attempt(LIMIT, 54_000, 0)).toMatchObject({ allowed: true, remaining: 0, retryAfterMs: 6000 })
  })

  it('in any sequence: a burst and the refill, never more; a refusal costs nothing; the wait told is exact', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 80 })
    fc.assert(
      fc.property(gaps, (waits) => {
        let now = 0
        const instants = waits.map((wait) => {
          now += wait
          return now
        })
        const { allowed, fullAtMs } = run(instants)
        for (const [index, start] of allowed.entries()) {
          const within = allowed.slice(index).filter((instant) => instant <= start + LIMIT.windowMs)
          expect(within.length).toBeLessThanOrEqual(2 * LIMIT.attempts)
          const atOnce = allowed.slice(index).filter((instant) => instant < start + 6000)
          expect(atOnce.length).toBeLessThanOrEqual(LIMIT.attempts + 1)
        }
        const last = attempt(LIMIT, fullAtMs, now)
        if (!last.allowed) {
          expect(last.fullAtMs).toBe(fullAtMs)
          expect(attempt(LIMIT, last.fullAtMs, now + last.retryAfterMs).allowed).toBe(true)
          expect(attempt(LIMIT, last.fullAtMs, now + last.retryAfterMs - 1).allowed).toBe(false)
        }
      }),
    )
  })
})
