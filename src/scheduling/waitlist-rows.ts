/** What D1 is asked to write of the waiting list. */
import { type Statement, statement } from '#db/database'
import type { EventType, NewEvent } from '#db/event'
import type { WAITLIST_OUTCOMES } from '#db/schema'
import type { WaitlistEntry } from './core/waiting-list'

export const insertEntry = (entry: WaitlistEntry): Statement =>
  statement(
    `INSERT INTO waitlist (id, doctor_id, patient_id, visit_type_id, from_ms, to_ms, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    entry.id,
    entry.doctorId,
    entry.patientId,
    entry.visitTypeId,
    entry.fromMs,
    entry.toMs,
    entry.createdAt,
  )

/** Ends their waiting; an entry that has ended already raises `stale-version`. */
export const endEntries = (
  entries: readonly Pick<WaitlistEntry, 'id'>[],
  outcome: (typeof WAITLIST_OUTCOMES)[number],
  nowMs: number,
): Statement =>
  statement(
    'UPDATE waitlist SET ended_at = ?, outcome = ? WHERE id IN (SELECT value FROM json_each(?))',
    nowMs,
    outcome,
    JSON.stringify(entries.map(({ id }) => id)),
  )

/** What each is offered now, and when it let its last offer pass; nothing where there are none. */
export const noteOffers = (entries: readonly WaitlistEntry[]): Statement[] =>
  entries.length === 0
    ? []
    : [
        statement(
          `UPDATE waitlist SET offer_id = json_each.value ->> 'offerId', freed_at = json_each.value ->> 'freedAt',
             passed_at = json_each.value ->> 'passedAt'
           FROM json_each(?) WHERE waitlist.id = json_each.value ->> 'id'`,
          JSON.stringify(entries),
        ),
      ]

export const waitlistEvent = (
  type: Extract<EventType, `waitlist.${string}`>,
  actorId: string | null,
  { id, doctorId, patientId }: WaitlistEntry,
  atMs: number,
  more: NewEvent['data'] = {},
): NewEvent => ({ type, actorId, subjectId: id, atMs, data: { doctorId, patientId, ...more } })
