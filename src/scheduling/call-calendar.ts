/** From the Worker to a doctor's object and back. */
import type { DurableObject } from 'cloudflare:workers'
import type { Context } from 'hono'
import { addCost } from '#db/database'
import { idPattern } from '#db/id'
import type { AppEnv } from '#http/context'
import { logError } from '#http/log-error'
import { type ProblemAnswer, problem } from '#http/problem'
import type { ProblemCode } from '#http/problem-codes'
import { type ObjectAnswer, type Refused, refused } from './answer'
import { BOOKING_LIMIT } from './attempts'
import { formatInstant } from './core/time'
import type { DoctorCalendar } from './doctor-calendar'
import { hear } from './kept-openings'
import { wordSlot } from './slot'

const DOCTOR_ID = idPattern('usr')

/** Whether the text can be a doctor's id at all: neither KV nor an object is asked for one that cannot. */
export const isDoctorId = (text: string): boolean => DOCTOR_ID.test(text)

/**
 * The object as its callers see it. The platform's own type of a stub loses tuples and read-only members on
 * the way; all that crosses here is plain values, which arrive as they were sent.
 */
export type CalendarObject = Omit<DoctorCalendar, Exclude<keyof DurableObject, 'fetch'>>

/** What the platform says of a failed call: `remote` marks an error thrown by the object's own code. */
interface CallFailure extends Error {
  readonly remote?: boolean
}

/**
 * Calls the doctor's object and takes over what it cost and saw. A call that fails on its way has an unknown
 * outcome: 503, and a retry with the same key gets what happened. A bug in the object is thrown.
 */
export async function callCalendar<T>(
  c: Context<AppEnv>,
  doctorId: string,
  call: (object: CalendarObject) => Promise<ObjectAnswer<T>>,
): Promise<ObjectAnswer<T>> {
  const cost = c.get('cost')
  const nothing = { version: 0, cost, bookmark: undefined, rate: undefined }
  if (!isDoctorId(doctorId)) return { ...refused('doctor-not-found'), ...nothing }
  cost.objectCalls += 1
  let answer: ObjectAnswer<T>
  try {
    answer = await call(c.env.DOCTOR_CALENDAR.getByName(doctorId) as unknown as CalendarObject)
  } catch (error) {
    if (!(error instanceof Error) || (error as CallFailure).remote === true) throw error
    logError('object-call', { doctorId }, error)
    return { ...refused('unavailable'), ...nothing }
  }
  addCost(cost, answer.cost)
  if (answer.bookmark !== undefined) c.set('objectBookmark', answer.bookmark)
  if (answer.rate !== undefined) describeRate(c, answer.rate)
  if (answer.version > 0) hear(doctorId, answer.version)
  return answer
}

/** The headers of a limited route (IETF draft "RateLimit header fields for HTTP"). */
function describeRate(c: Context<AppEnv>, rate: { remaining: number; retryAfterSeconds: number }): void {
  const { attempts, windowMs } = BOOKING_LIMIT
  c.header('RateLimit-Policy', `"booking";q=${attempts};w=${windowMs / 1000}`)
  c.header('RateLimit', `"booking";r=${rate.remaining};t=${rate.retryAfterSeconds}`)
}

/** What every call of an object may be refused for: the session has ended, or nobody answers. */
const ALWAYS: readonly ProblemCode[] = ['session-ended', 'unavailable', 'overloaded']

/**
 * Words a refusal of the object for the wire: instants in its evidence become RFC 3339. A code that the
 * operation does not declare is a bug: nobody could have expected it.
 */
export function answerRefusal<Code extends ProblemCode>(
  c: Context<AppEnv>,
  { code, evidence }: Refused,
  declared: readonly Code[],
): ProblemAnswer<Code> {
  if (![...declared, ...ALWAYS].includes(code)) throw new Error(`The operation declares no ${code}`)
  const { cancellableUntilMs, allowedFromMs, alternatives, appointmentId, ...others } = evidence
  const worded: Record<string, unknown> = { ...others }
  if (typeof cancellableUntilMs === 'number') worded.cancellableUntil = formatInstant(cancellableUntilMs)
  if (typeof allowedFromMs === 'number') worded.allowedFrom = formatInstant(allowedFromMs)
  if (typeof appointmentId === 'string') {
    worded.appointmentId = appointmentId
    worded.appointment = `/v1/appointments/${appointmentId}`
  }
  if (Array.isArray(alternatives)) worded.alternatives = alternatives.map(wordSlot)
  return problem(c, code as Code, ...([worded] as never)) as ProblemAnswer<Code>
}
