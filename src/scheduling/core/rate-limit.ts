/**
 * A rate limit whose whole state is one number: the generic cell rate algorithm. The number is the instant
 * at which the bucket would be full again; each attempt moves it on by one interval, and an attempt that
 * would move it further than the burst allows is refused.
 */

export interface RateLimit {
  readonly attempts: number
  readonly windowMs: number
}

export interface RateDecision {
  readonly allowed: boolean
  /** The bucket's next state; unchanged by a refusal. */
  readonly fullAtMs: number
  /** Attempts left now. */
  readonly remaining: number
  /** Milliseconds until another attempt is allowed; 0 where one is allowed at once. */
  readonly retryAfterMs: number
}

/** Whether an attempt at `nowMs` is allowed; `fullAtMs` is undefined for a bucket never used. */
export function attempt(limit: RateLimit, fullAtMs: number | undefined, nowMs: number): RateDecision {
  const intervalMs = limit.windowMs / limit.attempts
  const current = Math.max(fullAtMs ?? nowMs, nowMs)
  const next = current + intervalMs
  const allowed = next - nowMs <= limit.windowMs
  const reached = allowed ? next : current
  const remaining = Math.floor((limit.windowMs - (reached - nowMs)) / intervalMs)
  return {
    allowed,
    fullAtMs: reached,
    remaining,
    retryAfterMs: remaining > 0 ? 0 : Math.max(0, reached + intervalMs - limit.windowMs - nowMs),
  }
}
