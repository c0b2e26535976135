/** Whoever writes past the object is refused by D1 itself: what is held, and how a hold ends. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { endHolds } from '#scheduling/hold-rows'
import { type SeededUser, seedUser } from '../support/accounts'
import { existing, overlapCases } from './overlaps'
import { DAY_MS, type Held, insertHeld, insertVisit, MINUTE_MS, rows, sql, updateVisit, write } from './rows'

let doctor: SeededUser
let colleague: SeededUser
let patient: SeededUser
let other: SeededUser

/** Tests and their cases have a day each, three days apart, so that no case meets another. */
let days = 0
const nextDay = (): number => Date.UTC(2030, 0, 1) + 3 * DAY_MS * days++

/** An offer, of which a patient may have any number. */
const offer = (held: Omit<Held, 'origin'>) => insertHeld({ ...held, origin: 'waitlist' })
const end = (id: string, outcome: 'booked' | 'released' = 'released', nowMs = 0) =>
  endHolds([{ id }], outcome, nowMs)

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  colleague = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
  other = await seedUser(env, 'patient')
})

describe('A hold', () => {
  it.each(overlapCases)(
    'is judged by what is blocked at the doctor, and by what is sold of the patient: %s',
    async (...[, times, atDoctor, ofPatient]) => {
      const [held, booked, elsewhere] = [nextDay(), nextDay(), nextDay()]
      await write(offer({ ...existing, doctor, patient, originMs: held }))
      await write(insertVisit({ ...existing, doctor, patient, originMs: booked }))
      await write(insertVisit({ ...existing, doctor, patient, originMs: elsewhere }))
      expect(await write(offer({ ...times, doctor, patient: other, originMs: held }))).toBe(atDoctor)
      expect(await write(offer({ ...times, doctor, patient: other, originMs: booked }))).toBe(atDoctor)
      expect(await write(offer({ ...times, doctor: colleague, patient, originMs: elsewhere }))).toBe(
        ofPatient,
      )
    },
  )

  it.each(overlapCases)(
    'keeps appointments from what it blocks, and from nothing else: %s',
    async (...[, times, atDoctor]) => {
      const [here, there] = [nextDay(), nextDay()]
      await write(offer({ ...existing, doctor, patient, originMs: here }))
      expect(await write(insertVisit({ ...times, doctor, patient: other, originMs: here }))).toBe(atDoctor)
      await write(offer({ ...existing, doctor, patient, originMs: there }))
      const id = newId('apt')
      const far = { ...times, id, doctor, patient: other, originMs: there + DAY_MS }
      expect(await write(insertVisit(far))).toBe('done')
      const columns = ['start_ms', 'end_ms', 'blocked_start_ms', 'blocked_end_ms']
      const nearer = columns.map((column) => `${column} = ${column} - ${DAY_MS}`).join(', ')
      expect(await write(updateVisit(id, nearer))).toBe(atDoctor)
    },
  )

  it('of another doctor is in nobody’s way, and overlaps of inactive appointments are none', async () => {
    const originMs = nextDay()
    await write(offer({ ...existing, doctor: colleague, patient, originMs }))
    expect(await write(offer({ ...existing, doctor, patient, originMs }))).toBe('done')
    const rejected = { ...existing, doctor, patient: other, originMs, status: 'rejected' }
    expect(await write(insertVisit(rejected))).toBe('done')
    const cancelled = nextDay()
    await write(insertVisit({ ...rejected, originMs: cancelled }))
    expect(await write(offer({ ...existing, doctor, patient: other, originMs: cancelled }))).toBe('done')
  })

  it('blocks until the instant at which it expires, as the writer’s clock has it', async () => {
    const originMs = nextDay()
    const atMs = originMs - DAY_MS
    await write(offer({ ...existing, doctor, patient, originMs, atMs }))
    const expiresAt = atMs + 5 * MINUTE_MS
    const visit = { ...existing, doctor, patient: other, originMs }
    const moved = newId('apt')
    await write(insertVisit({ ...visit, id: moved, originMs: originMs + DAY_MS }))
    const move = (nowMs: number) =>
      write(
        updateVisit(
          moved,
          `updated_at = ${nowMs}, start_ms = start_ms - ${DAY_MS}, blocked_start_ms = blocked_start_ms - ${DAY_MS},
           end_ms = end_ms - ${DAY_MS}, blocked_end_ms = blocked_end_ms - ${DAY_MS}`,
        ),
      )
    expect(await write(insertVisit({ ...visit, atMs: expiresAt - 1 }))).toBe('slot-taken')
    expect(await write(offer({ ...visit, atMs: expiresAt - 1 }))).toBe('slot-taken')
    expect(await move(expiresAt - 1)).toBe('slot-taken')
    const again = newId('hld')
    expect(await write(offer({ ...visit, id: again, atMs: expiresAt }))).toBe('done')
    expect(await write(end(again))).toBe('done')
    expect(await move(expiresAt)).toBe('done')
    const cancelled = updateVisit(moved, `status = 'cancelled'`)
    expect(await write(cancelled, insertVisit({ ...visit, atMs: expiresAt }))).toBe('done')
  })

  it('gives way once it has ended, in the very batch that books, and to its owner no sooner', async () => {
    const originMs = nextDay()
    const id = newId('hld')
    await write(insertHeld({ ...existing, id, doctor, patient, originMs }))
    const visit = insertVisit({ ...existing, doctor, patient, originMs })
    expect(await write(visit)).toBe('slot-taken')
    expect(await write(visit, end(id, 'booked'))).toBe('slot-taken')
    expect(await write(end(id, 'booked'), visit)).toBe('done')
    expect(await rows('SELECT outcome FROM hold WHERE id = ?', id)).toEqual([{ outcome: 'booked' }])
  })

  it('is found twelve hours back, and not a millisecond later', async () => {
    const [held, booked] = [nextDay(), nextDay()]
    const longest = { start: 120, end: 600, before: 120, after: 120, doctor, patient }
    await write(offer({ ...longest, originMs: held }))
    await write(insertVisit({ ...longest, originMs: booked }))
    for (const originMs of [held, booked]) {
      const late = { doctor, patient: other, originMs, start: 720, end: 750 }
      expect(await write(offer({ ...late, start: 720 - 1 / 60_000 }))).toBe('slot-taken')
      expect(await write(offer(late))).toBe('done')
    }
    const early = { doctor, patient: other, originMs: held, start: -30, end: 0 }
    expect(await write(insertVisit({ ...early, end: 1 / 60_000 }))).toBe('slot-taken')
    expect(await write(insertVisit(early))).toBe('done')
  })

  it('of somebody who is no patient is refused by that name', async () => {
    const held = { ...existing, doctor, originMs: nextDay() }
    expect(await write(offer({ ...held, patient: colleague }))).toBe('patient-not-found')
    expect(await write(offer({ ...held, patient: { userId: newId('usr') } }))).toBe('patient-not-found')
  })
})

describe('A third hold of a patient', () => {
  /** Two holds that the patient asked for, at two doctors. */
  async function withTwo(): Promise<{
    who: SeededUser
    first: string
    third: (held?: Partial<Held>) => Held
  }> {
    const who = await seedUser(env, 'patient')
    const originMs = nextDay()
    const first = newId('hld')
    const held = { ...existing, patient: who, originMs }
    expect(await write(insertHeld({ ...held, id: first, doctor }))).toBe('done')
    expect(await write(insertHeld({ ...held, doctor: colleague }))).toBe('done')
    const owner = await seedUser(env, 'doctor')
    return { who, first, third: (change = {}) => ({ ...held, doctor: owner, ...change }) }
  }

  it('is one too many, over all doctors', async () => {
    const { third } = await withTwo()
    expect(await write(insertHeld(third()))).toBe('too-many-holds')
    expect(await write(insertHeld(third({ patient: other })))).toBe('done')
  })

  it.each(['waitlist', 'time-off'] as const)('is none where it is an offer: %s', async (origin) => {
    const { who, third, first } = await withTwo()
    expect(await write(insertHeld(third({ origin })))).toBe('done')
    const own = third({ originMs: nextDay() })
    expect(await write(insertHeld(own))).toBe('too-many-holds')
    expect(await write(end(first), insertHeld(own))).toBe('done')
    const live = 'SELECT count(*) AS n FROM hold WHERE patient_id = ? AND ended_at IS NULL'
    expect(await rows(live, who.userId)).toEqual([{ n: 3 }])
  })

  it('is the second once one has ended, or has expired by the clock of the new one', async () => {
    const ended = await withTwo()
    expect(await write(insertHeld(ended.third()), end(ended.first))).toBe('too-many-holds')
    expect(await write(end(ended.first), insertHeld(ended.third()))).toBe('done')
    const expired = await withTwo()
    expect(await write(insertHeld(expired.third({ atMs: 5 * MINUTE_MS - 1 })))).toBe('too-many-holds')
    expect(await write(insertHeld(expired.third({ atMs: 5 * MINUTE_MS })))).toBe('done')
  })
})

describe('What a hold is', () => {
  const newHold = async (): Promise<string> => {
    const id = newId('hld')
    expect(await write(offer({ ...existing, id, doctor, patient, originMs: nextDay() }))).toBe('done')
    return id
  }

  it.each([
    ['id', `id || 'x'`],
    ['doctor_id', `'usr_other'`],
    ['patient_id', `'usr_other'`],
    ['start_ms', 'start_ms + 1'],
    ['end_ms', 'end_ms - 1'],
    ['blocked_start_ms', 'blocked_start_ms - 1'],
    ['blocked_end_ms', 'blocked_end_ms + 1'],
    ['expires_at', 'expires_at + 1'],
  ])('never changes: %s', async (column, value) => {
    const id = await newHold()
    expect(await sql(`UPDATE hold SET ${column} = ${value} WHERE id = ?`, id)).toBe('stale-version')
  })

  it('ends once, and takes down the batch of whoever ends it again', async () => {
    const id = await newHold()
    expect(await write(end(id, 'released', 7))).toBe('done')
    const visit = insertVisit({ ...existing, doctor, patient, originMs: nextDay() })
    expect(await write(visit, end(id, 'booked', 8))).toBe('stale-version')
    expect(await sql('UPDATE hold SET ended_at = NULL, outcome = NULL WHERE id = ?', id)).toBe(
      'stale-version',
    )
    expect(await rows('SELECT ended_at, outcome FROM hold WHERE id = ?', id)).toEqual([
      { ended_at: 7, outcome: 'released' },
    ])
    expect(await rows('SELECT id FROM appointment WHERE id = ?', String(visit.params[0]))).toEqual([])
  })

  it('has an id that is never used again', async () => {
    const id = await newHold()
    await write(end(id))
    const again = await write(offer({ ...existing, id, doctor, patient, originMs: nextDay() }))
    expect(again).toContain('UNIQUE constraint failed: hold.id')
  })
})
