/** The public listing of slots. */
import { Hono } from 'hono'
import * as z from 'zod'
import type { AppEnv } from '#http/context'
import { answerTagged } from '#http/etag'
import { operation, shows } from '#http/operation'
import { problem } from '#http/problem'
import { ShownInstant } from '#http/shown'
import { invalid, validate } from '#http/validate'
import { answerRefusal } from './call-calendar'
import type { Interval } from './core/interval'
import { nextSlot, slots } from './core/slot'
import { addDays, DAY_MS, dayNumber, formatInstant, startOfDay } from './core/time'
import { Bound, REVERSED_FAULT, TimeZone } from './fields'
import { readOpenings } from './read-openings'
import { exampleSlot, SlotView, wordSlot } from './slot'

/** The longest range of a listing. */
const MAX_RANGE_DAYS = 62
const DEFAULT_RANGE_DAYS = 7
/** A few days from either end of the years that four digits can say. */
const FIRST_DATE = '0001-01-05'
const LAST_DATE = '9999-12-26'

const SlotQuery = z.strictObject({
  from: Bound.optional(),
  to: Bound.optional(),
  visitTypeId: z.string().max(64).optional(),
  timeZone: TimeZone.optional(),
  fresh: z.enum(['true', 'false']).default('false'),
  atLeast: z.coerce.number().int().min(0).default(0),
})

const SlotList = z
  .object({
    doctorId: z.string(),
    timeZone: z.string(),
    asOf: ShownInstant,
    version: z.int(),
    slots: z.array(SlotView),
    nextAvailable: ShownInstant.nullable(),
  })
  .meta({ id: 'SlotList' })

const exampleSlots: z.infer<typeof SlotList> = {
  doctorId: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
  timeZone: 'Asia/Dhaka',
  asOf: '2026-11-20T09:30:00Z',
  version: 12,
  slots: [exampleSlot],
  nextAvailable: '2026-12-01T04:00:00Z',
}

const SLOT_PROBLEMS = ['doctor-not-found', 'visit-type-not-found', 'range-too-long', 'overloaded'] as const

export const slotRoutes = new Hono<AppEnv>().get(
  '/doctors/:id/slots',
  operation('listSlots', {
    tag: 'Scheduling',
    summary: 'The open slots of a doctor',
    headers: ['If-None-Match'],
    description:
      '`from` and `to` are dates (whole days, `to` included, in `timeZone`, by default the doctor’s) or instants (half-open); by default the coming 7 days, at most 62. `fresh=true` reads past the cache, `atLeast` only where it is older than that version.',
    answers: {
      200: shows(SlotList, 'The slots', exampleSlots, ['ETag']),
      304: { description: 'As the client has it (If-None-Match)', headers: ['ETag'] },
    },
    problems: SLOT_PROBLEMS,
  }),
  validate('param', z.object({ id: z.string() })),
  validate('query', SlotQuery),
  async (c) => {
    const { id } = c.req.valid('param')
    const query = c.req.valid('query')
    const freshness = { fresh: query.fresh === 'true', atLeast: query.atLeast }
    const found = await readOpenings(c, id, freshness)
    if (!found.ok) return answerRefusal(c, found.refusal, SLOT_PROBLEMS)
    const { openings, offer } = found.read
    if (!openings.bookable) return problem(c, 'doctor-not-found')

    const nowMs = Date.now()
    const timeZone = query.timeZone ?? openings.timeZone
    const range = rangeOf(query.from, query.to, timeZone, nowMs)
    if (range === 'reversed') return invalid(c, [REVERSED_FAULT])
    if (range === 'too-long') return problem(c, 'range-too-long')
    const visitType =
      query.visitTypeId === undefined
        ? openings.visitTypes[0]
        : openings.visitTypes.find((type) => type.id === query.visitTypeId)
    if (visitType === undefined) return problem(c, 'visit-type-not-found')

    const next = nextSlot(offer, visitType, nowMs)
    const list = {
      doctorId: id,
      timeZone,
      version: openings.version,
      slots: slots(offer, visitType, range, nowMs).map(wordSlot),
      nextAvailable: next === undefined ? null : formatInstant(next.startMs),
    }
    const asOf = formatInstant(openings.asOfMs)
    return answerTagged(c, list, { asOf }, freshness.fresh ? 'no-store' : undefined)
  },
)

/** The half-open range of a listing. */
function rangeOf(
  from: string | number | undefined,
  to: string | number | undefined,
  timeZone: string,
  nowMs: number,
): Interval | 'reversed' | 'too-long' {
  const startMs = typeof from === 'string' ? startOfDay(withinReach(from), timeZone) : (from ?? nowMs)
  const endMs =
    typeof to === 'string'
      ? startOfDay(addDays(withinReach(to), 1), timeZone)
      : (to ?? startMs + DEFAULT_RANGE_DAYS * DAY_MS)
  // Whole days are counted as days: of sixty-two, one may have 25 hours.
  const days =
    typeof from === 'string' && typeof to === 'string'
      ? dayNumber(to) + 1 - dayNumber(from)
      : (endMs - startMs) / DAY_MS
  if (days < 0 || (days === 0 && typeof to === 'string')) return 'reversed'
  return days > MAX_RANGE_DAYS ? 'too-long' : { startMs, endMs }
}

/** A date so far away that its next day or its offset cannot be told has no slots, as its neighbours have none. */
function withinReach(date: string): string {
  if (date < FIRST_DATE) return FIRST_DATE
  return date > LAST_DATE ? LAST_DATE : date
}
