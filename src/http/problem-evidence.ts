/**
 * What a problem document adds to what every problem has, by its code: the members that show why. The document
 * of the API and the types of the client come from here.
 */
import * as z from 'zod'
import { ShownInstant as Instant } from './shown'

/** One fault of a request; the pointer (RFC 6901) leads into the body, or names the parameter or header. */
export const Fault = z.object({ pointer: z.string(), detail: z.string() }).meta({ id: 'Fault' })
export type Fault = z.infer<typeof Fault>

const RuleFault = z
  .object({
    pointer: z.string(),
    code: z.enum(['rule-too-frequent', 'rule-never-matches', 'rules-overlap']),
    detail: z.string(),
  })
  .meta({ id: 'RuleFault' })

const Alternative = z
  .object({ start: Instant, end: Instant, visitTypeId: z.string() })
  .meta({ id: 'Alternative', description: 'A slot that is open instead' })

const SlotFault = z.enum([
  'outside-hours',
  'time-off',
  'too-soon',
  'beyond-horizon',
  'off-grid',
  'in-the-past',
  'daily-limit',
])

/** The members of a code and an example of them, which their types hold together. */
const members = <S extends z.ZodRawShape>(shape: S, example: z.output<z.ZodObject<S>>) => ({
  shape,
  example,
})

const visitTypeId = 'vis_019a9f0b6b7a7c3e8d2f4a5b6c7d8e9f'
const appointmentId = 'apt_019aa1c2d3e47f5a8b9c0d1e2f3a4b5c'

export const EVIDENCE = {
  'validation-failed': members(
    { errors: z.array(Fault).meta({ description: 'Every fault, not only the first' }) },
    { errors: [{ pointer: '/limit', detail: 'At most 100' }] },
  ),
  'slot-taken': members(
    { alternatives: z.array(Alternative).max(5).meta({ description: 'Nearest first' }) },
    { alternatives: [{ start: '2026-12-01T04:30:00Z', end: '2026-12-01T05:00:00Z', visitTypeId }] },
  ),
  'already-booked': members(
    { appointmentId: z.string(), appointment: z.string().meta({ description: 'Its address' }) },
    { appointmentId, appointment: `/v1/appointments/${appointmentId}` },
  ),
  'already-waiting': members(
    { waitlistId: z.string() },
    { waitlistId: 'wtl_019aa1c1b2d37e4f9a8b7c6d5e4f3a2c' },
  ),
  'illegal-transition': members(
    { from: z.string(), allowed: z.array(z.string()) },
    { from: 'completed', allowed: [] },
  ),
  'too-late-to-cancel': members({ cancellableUntil: Instant }, { cancellableUntil: '2026-11-30T04:00:00Z' }),
  'too-early': members({ allowedFrom: Instant }, { allowedFrom: '2026-12-01T03:45:00Z' }),
  'slot-not-offered': members(
    { reasons: z.array(SlotFault).min(1) },
    { reasons: ['outside-hours', 'in-the-past'] },
  ),
  'schedule-refused': members(
    { errors: z.array(RuleFault) },
    { errors: [{ pointer: '/rules/1/rrule', code: 'rules-overlap', detail: 'Rule 1 overlaps rule 0' }] },
  ),
  'rate-limited': members({ retryAfterSeconds: z.int() }, { retryAfterSeconds: 6 }),
} as const

type Evidenced = typeof EVIDENCE

/** The members that a code adds: none for most. */
export type EvidenceOf<C extends string> = C extends keyof Evidenced
  ? z.output<z.ZodObject<Evidenced[C]['shape']>>
  : // biome-ignore lint/complexity/noBannedTypes: it adds no member to an intersection; a Record would add them all
    {}
