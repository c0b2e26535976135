/** Limits per address, which protect production; the platform counts, for a minute at a time. */
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from './context'
import { problem } from './problem'

/** The period of every limit in wrangler.toml, in seconds. */
const PERIOD_SECONDS = 60

/** Refuses with 429 once the address has used up the limit; every attempt counts, whatever comes of it. */
export const limitAddress = (limit: 'ADDRESS_LIMIT' | 'SIGN_IN_ADDRESS_LIMIT') =>
  createMiddleware<AppEnv>(async (c, next) => {
    // Only Cloudflare’s edge sets the header; a development server has one caller.
    const { success } = await c.env[limit].limit({ key: c.req.header('CF-Connecting-IP') ?? 'local' })
    return success ? next() : problem(c, 'rate-limited', { retryAfterSeconds: PERIOD_SECONDS })
  })
