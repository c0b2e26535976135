/** Whoever writes past the program is refused by D1 itself: history, rights, tokens, keys. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { insertEvent, insertEvents } from '#db/event'
import { newId } from '#db/id'
import { insertIdempotencyKey } from '#db/idempotency'
import { type Actor, useRight } from '#db/right'
import { type SeededUser, seedUser } from '../support/accounts'
import { DAY_MS, insertVisit, rows, sql, write } from './rows'

const NOW = Date.UTC(2030, 0, 1)

let doctor: SeededUser
let patient: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
})

describe('An event', () => {
  const facts = ['sequence', 'id', 'type', 'actor_id', 'subject_id', 'at', 'data'] as const

  async function newEvent(): Promise<Record<string, unknown>> {
    const subjectId = newId('usr')
    const event = { type: 'user.updated', actorId: subjectId, subjectId, atMs: 5, data: { a: 1 } } as const
    expect(await write(insertEvent(event))).toBe('done')
    const [row] = await rows('SELECT * FROM event WHERE subject_id = ?', subjectId)
    return row ?? {}
  }

  const insert = (verb: string, event: Record<string, unknown>, tail = '') =>
    sql(
      `${verb} INTO event (sequence, id, type, subject_id, at, data) VALUES (?, ?, 'x', 'y', 0, '{}') ${tail}`,
      event.sequence,
      event.id,
    )

  it.each([...facts, 'rowid', '_rowid_', 'oid'])('keeps its %s for ever', async (column) => {
    const event = await newEvent()
    const texts = ['type', 'id', 'actor_id', 'subject_id']
    const other = column === 'data' ? '{}' : texts.includes(column) ? 'other' : Number(event.sequence) + 1000
    expect(await sql(`UPDATE event SET ${column} = ? WHERE id = ?`, other, event.id)).toBe(
      'event-append-only',
    )
    expect(await rows('SELECT * FROM event WHERE sequence = ?', event.sequence)).toEqual([event])
  })

  it('can be marked as published, and with nothing else in the same breath', async () => {
    const event = await newEvent()
    const mark = (more: string) => sql(`UPDATE event SET published_at = 9 ${more} WHERE id = ?`, event.id)
    expect(await mark(`, type = 'other'`)).toBe('event-append-only')
    expect(await mark('')).toBe('done')
    expect(await rows('SELECT * FROM event WHERE id = ?', event.id)).toEqual([{ ...event, published_at: 9 }])
  })

  it('cannot be deleted', async () => {
    const event = await newEvent()
    expect(await sql('DELETE FROM event WHERE id = ?', event.id)).toBe('event-append-only')
    expect(await sql('DELETE FROM event')).toBe('event-append-only')
    expect(await rows('SELECT * FROM event WHERE id = ?', event.id)).toEqual([event])
  })

  it.each(['INSERT', 'INSERT OR REPLACE', 'REPLACE', 'INSERT OR IGNORE'])(
    'cannot be overwritten by %s, neither by its id nor by its sequence',
    async (verb) => {
      const event = await newEvent()
      const fresh = { sequence: 1_000_000, id: newId('evt') }
      expect(await insert(verb, { ...event, sequence: fresh.sequence })).toBe('event-append-only')
      expect(await insert(verb, { ...event, id: fresh.id })).toBe('event-append-only')
      expect(await rows('SELECT * FROM event WHERE sequence = ?', event.sequence)).toEqual([event])
    },
  )

  it('cannot be overwritten by an upsert', async () => {
    const event = await newEvent()
    const fresh = { sequence: 1_000_000, id: event.id }
    expect(await insert('INSERT', fresh, `ON CONFLICT (id) DO UPDATE SET type = 'z'`)).toBe(
      'event-append-only',
    )
  })

  it('gets a sequence above every earlier one', async () => {
    const [first, second] = [await newEvent(), await newEvent()]
    expect(Number(second.sequence)).toBeGreaterThan(Number(first.sequence))
  })
})

describe('What somebody said of an event', () => {
  const note = (eventId: string, words: string) =>
    sql('INSERT INTO event_note (event_id, note) VALUES (?, ?)', eventId, words)

  it('stands beside one event that exists, and can be erased without it', async () => {
    const id = newId('evt')
    expect(await note(id, 'Because')).toContain('FOREIGN KEY constraint failed')
    const event = { type: 'user.updated', actorId: null, subjectId: id, atMs: 5 } as const
    expect(await write(...insertEvents([{ ...event, note: 'Because' }], id))).toBe('done')
    expect(await rows('SELECT note FROM event_note WHERE event_id = ?', id)).toEqual([{ note: 'Because' }])
    expect(await note(id, 'Or not')).toContain('UNIQUE constraint failed: event_note.event_id')
    expect(await sql('DELETE FROM event_note WHERE event_id = ?', id)).toBe('done')
    expect(await rows('SELECT id FROM event WHERE id = ?', id)).toEqual([{ id }])
  })

  it('is written with each of several events, in their order, and with none that has no words', async () => {
    const ids = [newId('evt'), newId('usr'), newId('usr')]
    const [first = '', ...subjects] = ids
    const event = { type: 'user.updated', actorId: null, atMs: 5 } as const
    const said = await write(
      ...insertEvents(
        [
          { ...event, subjectId: first, data: { n: 1 } },
          { ...event, subjectId: subjects[0] ?? '', note: 'Two' },
          { ...event, subjectId: subjects[1] ?? '', note: null },
        ],
        first,
      ),
    )
    expect(said).toBe('done')
    const written = await rows(
      `SELECT subject_id AS subject, data, note FROM event LEFT JOIN event_note ON event_id = event.id
       WHERE subject_id IN (SELECT value FROM json_each(?)) ORDER BY sequence`,
      JSON.stringify(ids),
    )
    expect(written).toEqual([
      { subject: first, data: '{"n":1}', note: null },
      { subject: subjects[0], data: '{}', note: 'Two' },
      { subject: subjects[1], data: '{}', note: null },
    ])
    expect(await rows('SELECT id FROM event WHERE subject_id = ?', first)).toEqual([{ id: first }])
  })
})

describe('The right of a session', () => {
  const actorOf = ({ userId, sessionId }: SeededUser): Actor => ({ userId, sessionId, role: 'patient' })

  /** What a batch with this right says, and whether the event in it was written. */
  async function use(actor: Actor, nowMs: number): Promise<string> {
    const subjectId = newId('usr')
    const event = insertEvent({ type: 'user.updated', actorId: null, subjectId, atMs: 0 })
    const said = await write(useRight(actor, nowMs), event)
    const written = await rows('SELECT id FROM event WHERE subject_id = ?', subjectId)
    expect(written.length).toBe(said === 'done' ? 1 : 0)
    return said
  }

  it('lets a batch pass while the session lives', async () => {
    expect(await use(actorOf(patient), Date.now())).toBe('done')
  })

  it.each([
    ['has ended', 'UPDATE session SET ended_at = 1 WHERE user_id = ?'],
    ['has a suspended user', `UPDATE user SET status = 'suspended', version = version + 1 WHERE id = ?`],
    ['has a user of another role', `UPDATE user SET role = 'doctor', version = version + 1 WHERE id = ?`],
    ['was opened for another role', `UPDATE session SET role = 'doctor' WHERE user_id = ?`],
  ])('takes the whole batch down where the session %s', async (_, change) => {
    const user = await seedUser(env, 'patient')
    expect(await use(actorOf(user), Date.now())).toBe('done')
    expect(await sql(change, user.userId)).toBe('done')
    expect(await use(actorOf(user), Date.now())).toBe('session-ended')
  })

  it('does not extend to a role that the session was not opened for', async () => {
    expect(await use({ ...actorOf(patient), role: 'admin' }, Date.now())).toBe('session-ended')
  })

  it('is none without a row of the session', async () => {
    expect(await use({ ...actorOf(patient), sessionId: newId('ses') }, Date.now())).toBe('session-ended')
  })

  it('notes when the session was last seen, to the minute and never backwards', async () => {
    const user = await seedUser(env, 'patient', { nowMs: NOW })
    const seenAfter = async (ms: number): Promise<number> => {
      expect(await use(actorOf(user), NOW + ms)).toBe('done')
      const [row] = await rows('SELECT last_seen_at AS seen FROM session WHERE id = ?', user.sessionId)
      return Number(row?.seen) - NOW
    }
    expect(await seenAfter(59_999)).toBe(0)
    expect(await seenAfter(60_000)).toBe(60_000)
    expect(await seenAfter(119_999)).toBe(60_000)
    expect(await seenAfter(-1)).toBe(60_000)
  })
})

it('A refresh token is used once, and its use is never taken back', async () => {
  const insert = 'INSERT INTO refresh_token (hash, session_id, created_at, expires_at) VALUES (?, ?, 0, 1)'
  expect(await sql(insert, 'hash-1', patient.sessionId)).toBe('done')
  const use = (at: number | null) => sql('UPDATE refresh_token SET used_at = ? WHERE hash = ?', at, 'hash-1')
  expect(await use(5)).toBe('done')
  expect(await use(6)).toBe('refresh-token-reused')
  expect(await use(null)).toBe('refresh-token-reused')
  expect(await rows('SELECT used_at FROM refresh_token')).toEqual([{ used_at: 5 }])
})

it('An idempotency key holds for 24 hours, for its user alone, whatever the request was', async () => {
  const take = ({ userId, sessionId }: SeededUser, key: string, atMs: number, answer: string) =>
    write(
      insertIdempotencyKey(
        { userId, sessionId, role: 'patient' },
        { key, route: answer, bodyHash: answer },
        answer,
        atMs,
      ),
    )
  const held = () => rows('SELECT answer, created_at FROM idempotency WHERE user_id = ?', patient.userId)
  expect(await take(patient, 'k', NOW, 'first')).toBe('done')
  expect(await take(patient, 'k', NOW, 'second')).toBe('idempotency-key-used')
  expect(await take(patient, 'k', NOW + DAY_MS - 1, 'third')).toBe('idempotency-key-used')
  expect(await held()).toEqual([{ answer: '"first"', created_at: NOW }])
  expect(await take(doctor, 'k', NOW, 'of another')).toBe('done')
  expect(await take(patient, 'k', NOW + DAY_MS, 'after a day')).toBe('done')
  expect(await held()).toEqual([{ answer: '"after a day"', created_at: NOW + DAY_MS }])
})

it('An appointment of somebody who is no patient is refused by that name', async () => {
  const visit = { doctor, originMs: NOW, start: 0, end: 30 }
  expect(await write(insertVisit({ ...visit, patient: { userId: newId('usr') } }))).toBe('patient-not-found')
  expect(await write(insertVisit({ ...visit, patient: doctor }))).toBe('patient-not-found')
})
