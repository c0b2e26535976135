/** What the API says of itself: its start page, its problems' pages, its health. */
import { Hono } from 'hono'
import * as z from 'zod'
import { setting } from '#db/schema'
import type { AppEnv } from './context'
import { logError } from './log-error'
import { operation, shows } from './operation'
import { DEFAULT_RETRY_AFTER_SECONDS, problem } from './problem'
import { PROBLEMS } from './problem-codes'
import { databaseOf } from './request'
import { validate } from './validate'

const Start = z.object({ name: z.string(), links: z.record(z.string(), z.string()) }).meta({ id: 'Start' })

const ProblemPage = z
  .object({ code: z.string(), status: z.int(), title: z.string(), meaning: z.string() })
  .meta({ id: 'ProblemPage' })

const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' })

const Readiness = z
  .object({ status: z.enum(['ok', 'failing']), failing: z.array(z.string()) })
  .meta({ id: 'Readiness' })

/** The key that no doctor has: a look-up of it shows that a binding answers. */
const PROBE = 'readiness-probe'

/** The mark in `setting` that the demonstration data, which development needs, is loaded. */
const DEMONSTRATION = 'demonstration'

/** Milliseconds that a binding has to answer in. */
const PROBE_TIMEOUT_MS = 3000

const [exampleStatus, exampleTitle, exampleMeaning] = PROBLEMS['patient-busy']
const exampleProblemPage: z.infer<typeof ProblemPage> = {
  code: 'patient-busy',
  status: exampleStatus,
  title: exampleTitle,
  meaning: exampleMeaning,
}

export const system = new Hono<AppEnv>()
  .get(
    '/',
    operation('getStart', {
      tag: 'System',
      summary: 'Names the API and links its documents',
      answers: {
        200: shows(Start, 'The name and the links', { name: 'Praxis', links: { openapi: '/openapi.json' } }),
      },
    }),
    (c) =>
      c.json({
        name: 'Praxis',
        links: {
          openapi: '/openapi.json',
          docs: '/docs',
          redoc: '/redoc',
          health: '/health',
          ready: '/health/ready',
          doctors: '/v1/doctors',
        },
      }),
  )
  .get(
    '/problems/:code',
    operation('getProblemPage', {
      tag: 'System',
      summary: 'What a problem code means',
      answers: { 200: shows(ProblemPage, 'The meaning of the code', exampleProblemPage) },
      problems: ['not-found'],
    }),
    validate('param', z.object({ code: z.string().max(64) })),
    (c) => {
      const { code } = c.req.valid('param')
      const known = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1]
      if (known === undefined) return problem(c, 'not-found')
      const [status, title, meaning] = known
      return c.json({ code, status, title, meaning }, 200)
    },
  )
  .get(
    '/health',
    operation('getHealth', {
      tag: 'System',
      summary: 'Whether the Worker is alive',
      answers: { 200: shows(Health, 'Alive', { status: 'ok' }) },
    }),
    (c) => c.json({ status: 'ok' as const }),
  )
  .get(
    '/health/ready',
    operation('getReadiness', {
      tag: 'System',
      summary: 'Whether everything that a request needs answers',
      answers: {
        200: shows(Readiness, 'All answer', { status: 'ok', failing: [] }, ['Bookmark']),
        503: shows(Readiness, 'Some do not; `failing` names them', { status: 'failing', failing: ['kv'] }, [
          'Bookmark',
        ]),
      },
    }),
    async (c) => {
      const { env } = c
      const probes: Record<string, () => unknown> = {
        database: async () => {
          const { db } = databaseOf(c, 'first-primary')
          const [marks] = await db.batch([db.select().from(setting)])
          if (env.ENVIRONMENT === 'development' && !marks.some(({ key }) => key === DEMONSTRATION)) {
            throw new Error('the demonstration data is not loaded')
          }
        },
        kv: () => env.OPENINGS.get(PROBE),
        object: () => env.DOCTOR_CALENDAR.getByName(PROBE).ping(),
        files: () => env.FILES.head(PROBE),
      }
      const answers = await Promise.all(
        Object.entries(probes).map(async ([name, probe]) =>
          (await answersInTime(name, probe)) ? [] : [name],
        ),
      )
      const failing = answers.flat()
      if (failing.length === 0) return c.json({ status: 'ok' as const, failing }, 200)
      c.header('Retry-After', String(DEFAULT_RETRY_AFTER_SECONDS))
      return c.json({ status: 'failing' as const, failing }, 503)
    },
  )

/** Whether the probe succeeds in time. Why it does not is for the log to tell, and not for a stranger. */
async function answersInTime(name: string, probe: () => unknown): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${PROBE_TIMEOUT_MS} ms`)), PROBE_TIMEOUT_MS)
  })
  try {
    // Async, so that a binding that throws at once fails like one that answers with a failure.
    await Promise.race([(async () => probe())(), timeout])
    return true
  } catch (error) {
    logError('readiness', { probe: name }, error)
    return false
  } finally {
    clearTimeout(timer)
  }
}
