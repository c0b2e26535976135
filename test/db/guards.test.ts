/** Whoever writes past the object is refused by D1 itself: the fence, overlaps and stale versions. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDatabase, statement } from '#db/database'
import { insertEvent } from '#db/event'
import { newId } from '#db/id'
import { loadCalendar } from '#scheduling/load-calendar'
import { type SeededUser, seedUser } from '../support/accounts'
import { existing, overlapCases } from './overlaps'
import { DAY_MS, insertVisit, MINUTE_MS, rows, sql, updateVisit, type Visit, write } from './rows'

let doctor: SeededUser
let colleague: SeededUser
let patient: SeededUser
let other: SeededUser

/** Tests and their cases have a day each, three days apart, so that no case meets another. */
let days = 0
const nextDay = (): number => Date.UTC(2030, 0, 1) + 3 * DAY_MS * days++

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  colleague = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
  other = await seedUser(env, 'patient')
})

describe('The calendar fence', () => {
  const fence = (doctorId: string, epoch: number) =>
    statement(
      'UPDATE calendar SET writer_epoch = ?, version = version + 1 WHERE doctor_id = ?',
      epoch,
      doctorId,
    )
  const load = async (doctorId: string): Promise<number> => {
    const loaded = await loadCalendar(openDatabase(env.DB, 'first-primary'), doctorId, Date.now())
    return loaded?.calendar.epoch ?? Number.NaN
  }

  it('lets the newest load write, and refuses what an older one sends', async () => {
    const { userId } = await seedUser(env, 'doctor')
    const older = await load(userId)
    expect(await write(fence(userId, older))).toBe('done')
    const newer = await load(userId)
    expect(newer).toBe(older + 1)
    expect(await write(fence(userId, older))).toBe('stale-calendar')
    expect(await write(fence(userId, newer + 1))).toBe('stale-calendar')
    expect(await write(fence(userId, newer))).toBe('done')
    expect(
      await rows('SELECT epoch, writer_epoch, version FROM calendar WHERE doctor_id = ?', userId),
    ).toEqual([{ epoch: newer, writer_epoch: newer, version: 2 }])
  })

  it.each(['first', 'last'])(
    'takes the whole batch down with it when it is the %s statement',
    async (place) => {
      const owner = await seedUser(env, 'doctor')
      const older = await load(owner.userId)
      await load(owner.userId)
      const id = newId('apt')
      const visit = insertVisit({ id, doctor: owner, patient, originMs: nextDay(), start: 0, end: 30 })
      const event = insertEvent({ type: 'appointment.booked', actorId: null, subjectId: id, atMs: 0 })
      const late = fence(owner.userId, older)
      const batch = place === 'first' ? [late, visit, event] : [visit, event, late]
      expect(await write(...batch)).toBe('stale-calendar')
      expect(await rows('SELECT id FROM appointment WHERE id = ?', id)).toEqual([])
      expect(await rows('SELECT id FROM event WHERE subject_id = ?', id)).toEqual([])
    },
  )
})

describe.each(['INSERT', 'UPDATE of the times', 'UPDATE of who takes part', 'UPDATE of the status'])(
  'An overlap written by %s',
  (way) => {
    /** Writes the visit so that only the last statement, in the given way, makes it overlap. */
    async function arrive(visit: Visit, elsewhere: Partial<Visit>): Promise<string> {
      const id = newId('apt')
      if (way === 'INSERT') return write(insertVisit({ ...visit, id }))
      if (way === 'UPDATE of who takes part') {
        expect(await write(insertVisit({ ...visit, ...elsewhere, id }))).toBe('done')
        return elsewhere.doctor === undefined
          ? write(updateVisit(id, 'patient_id = ?', visit.patient.userId))
          : write(updateVisit(id, 'doctor_id = ?', visit.doctor.userId))
      }
      if (way === 'UPDATE of the status') {
        expect(await write(insertVisit({ ...visit, id, status: 'cancelled' }))).toBe('done')
        return write(updateVisit(id, `status = 'pending'`))
      }
      expect(await write(insertVisit({ ...visit, id, originMs: visit.originMs + DAY_MS }))).toBe('done')
      const times = ['start_ms', 'end_ms', 'blocked_start_ms', 'blocked_end_ms']
      return write(updateVisit(id, times.map((column) => `${column} = ${column} - ${DAY_MS}`).join(', ')))
    }

    it.each(overlapCases)(
      'is judged by what is blocked at the doctor, and by what is sold of the patient: %s',
      async (...[, times, atDoctor, ofPatient]) => {
        const [here, there] = [nextDay(), nextDay()]
        const [bystander, stranger] = [await seedUser(env, 'doctor'), await seedUser(env, 'patient')]
        await write(insertVisit({ ...existing, doctor, patient, originMs: here }))
        await write(insertVisit({ ...existing, doctor, patient, originMs: there }))
        expect(
          await arrive({ ...times, doctor, patient: other, originMs: here }, { doctor: bystander }),
        ).toBe(atDoctor)
        expect(
          await arrive({ ...times, doctor: colleague, patient, originMs: there }, { patient: stranger }),
        ).toBe(ofPatient)
      },
    )
  },
)

describe('Overlaps', () => {
  it.each(['start_ms', 'blocked_start_ms', 'end_ms', 'blocked_end_ms'])(
    'are found when %s alone is changed',
    async (column) => {
      const originMs = nextDay()
      const id = newId('apt')
      await write(insertVisit({ ...existing, doctor, patient, originMs }))
      const [start, end] = column.includes('start') ? [700, 730] : [500, 530]
      const mine = { id, originMs, start, end, before: 50, after: 60 }
      expect(await write(insertVisit({ ...mine, doctor: colleague, patient }))).toBe('done')
      expect(await write(insertVisit({ ...mine, id: `${id}b`, doctor, patient: other }))).toBe('done')
      if (column.startsWith('blocked')) {
        const by = column.includes('start') ? -60 : 60
        const far = updateVisit(`${id}b`, `${column} = ${column} + ?`, by * MINUTE_MS)
        expect(await write(far)).toBe('slot-taken')
      } else {
        // The patient's time is what is sold; the buffers are widened beforehand, which hurts no patient.
        const [by, blocked] = column.includes('start') ? [-80, 'blocked_start_ms'] : [80, 'blocked_end_ms']
        expect(await write(updateVisit(id, `${blocked} = ${blocked} + ?`, 2 * by * MINUTE_MS))).toBe('done')
        expect(await write(updateVisit(id, `${column} = ${column} + ?`, by * MINUTE_MS))).toBe('patient-busy')
      }
    },
  )

  it('with itself do not keep an appointment from being moved or written again', async () => {
    const originMs = nextDay()
    const id = newId('apt')
    const visit = { ...existing, id, doctor, patient, originMs }
    expect(await write(insertVisit(visit))).toBe('done')
    const by = 5 * MINUTE_MS
    const all = 'start_ms = start_ms + ?, end_ms = end_ms + ?, blocked_start_ms = blocked_start_ms + ?'
    expect(await write(updateVisit(id, `${all}, blocked_end_ms = blocked_end_ms + ?`, by, by, by, by))).toBe(
      'done',
    )
    expect(await write(updateVisit(id, `status = 'in-progress'`))).toBe('done')
    const upsert = insertVisit({ ...visit, start: 610, end: 640 })
    const again = 'ON CONFLICT (id) DO UPDATE SET version = version + 1, notes = excluded.id'
    expect(await write({ ...upsert, sql: `${upsert.sql} ${again}` })).toBe('done')
  })

  it.each(['pending', 'confirmed', 'in-progress'])('with a %s appointment are refused', async (status) => {
    const originMs = nextDay()
    await write(insertVisit({ ...existing, doctor, patient, originMs, status }))
    for (const mine of ['pending', 'confirmed', 'in-progress']) {
      for (const [owner, who, refusal] of [
        [doctor, other, 'slot-taken'],
        [colleague, patient, 'patient-busy'],
      ] as const) {
        const same = { ...existing, id: newId('apt'), originMs, doctor: owner, patient: who }
        expect(await write(insertVisit({ ...same, status: mine }))).toBe(refusal)
        expect(await write(insertVisit({ ...same, status: 'rejected' }))).toBe('done')
        expect(await write(updateVisit(same.id, 'status = ?', mine))).toBe(refusal)
      }
    }
  })

  it.each(['completed', 'rejected', 'cancelled', 'no-show'])(
    'with a %s appointment are none, whichever of the two came first',
    async (status) => {
      const originMs = nextDay()
      const inactive = insertVisit({ ...existing, doctor, patient, originMs, status })
      expect(await write(inactive)).toBe('done')
      expect(await write(insertVisit({ ...existing, doctor, patient, originMs }))).toBe('done')
      expect(await write(insertVisit({ ...existing, doctor, patient, originMs, status }))).toBe('done')
    },
  )

  it('are found twelve hours back, the longest visit with the longest buffers, and not a millisecond later', async () => {
    const [atDoctor, ofPatient] = [nextDay(), nextDay()]
    const longest = { start: 120, end: 600, before: 120, after: 120 }
    await write(insertVisit({ ...longest, doctor, patient, originMs: atDoctor }))
    await write(insertVisit({ start: 0, end: 720, doctor, patient, originMs: ofPatient }))
    for (const [owner, who, originMs, refusal] of [
      [doctor, other, atDoctor, 'slot-taken'],
      [colleague, patient, ofPatient, 'patient-busy'],
    ] as const) {
      const visit = { doctor: owner, patient: who, originMs, start: 720, end: 750 }
      expect(await write(insertVisit({ ...visit, start: 720 - 1 / 60_000 }))).toBe(refusal)
      const id = newId('apt')
      expect(await write(insertVisit({ ...visit, id }))).toBe('done')
      const earlier = 'start_ms = start_ms - 1, blocked_start_ms = blocked_start_ms - 1'
      expect(await write(updateVisit(id, earlier))).toBe(refusal)
    }
  })

  it('cannot hide behind a visit that blocks more than twelve hours, for there is none', async () => {
    const visit = { doctor, patient, originMs: nextDay(), start: 120, end: 601, before: 120, after: 119 }
    expect(await write(insertVisit(visit))).toBe('done')
    const longer = { ...visit, originMs: nextDay(), after: 119 + 1 / 60_000 }
    expect(await write(insertVisit(longer))).toContain('CHECK constraint failed: appointment_length')
  })
})

describe('A version that is not the next', () => {
  it.each(['appointment', 'schedule', 'user', 'doctor', 'opening', 'visit_type'])(
    'is refused as stale for a %s',
    async (table) => {
      const owner = await seedUser(env, 'doctor')
      const id = newId('apt')
      await write(insertVisit({ ...existing, id, doctor: owner, patient, originMs: nextDay() }))
      await sql(
        'INSERT INTO opening (id, doctor_id, start_ms, end_ms, created_at) VALUES (?1, ?1, 1, 2, 0)',
        owner.userId,
      )
      // A schedule begins with version 0, everything else with 1.
      await sql('UPDATE schedule SET version = 1 WHERE doctor_id = ?', owner.userId)
      const key = { appointment: 'id', user: 'id', doctor: 'user_id' }[table] ?? 'doctor_id'
      const value = table === 'appointment' ? id : owner.userId
      const set = (version: number) => sql(`UPDATE ${table} SET version = ? WHERE ${key} = ?`, version, value)
      const event = insertEvent({ type: 'user.updated', actorId: null, subjectId: id, atMs: 0 })
      for (const version of [0, 1, 3]) expect(await set(version)).toBe('stale-version')
      const stale = statement(`UPDATE ${table} SET version = 1 WHERE ${key} = ?`, value)
      expect(await write(event, stale)).toBe('stale-version')
      expect(await rows('SELECT id FROM event WHERE subject_id = ?', id)).toEqual([])
      expect(await set(2)).toBe('done')
      expect(await set(2)).toBe('stale-version')
    },
  )
})
