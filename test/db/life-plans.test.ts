/** What an appointment's life costs in D1: each statement seeks its rows, and no cost grows with what is over. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDatabase, type Statement } from '#db/database'
import { newId } from '#db/id'
import {
  insertAnswer,
  insertAppointment,
  moveAppointment,
  selectAnswer,
  selectNamed,
  updateStatuses,
} from '#scheduling/appointment-rows'
import { findHistory } from '#scheduling/find-history'
import { endHolds } from '#scheduling/hold-rows'
import { loadAppointment, loadCalendar } from '#scheduling/load-calendar'
import { type SeededUser, seedUser } from '../support/accounts'
import { planOf, recording } from './recording'
import { DAY_MS, insertHeld, insertVisit, rows, sql, updateVisit, write } from './rows'

const FUTURE = Date.UTC(2040, 0, 1)

let doctor: SeededUser
let patient: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  patient = await seedUser(env, 'patient')
})

/** The steps of a plan that look at rows of ours: what it is given as JSON is a handful. */
const stepsOf = async (statement: Statement): Promise<string[]> =>
  (await planOf(statement))
    .filter((step) => /^(SCAN|SEARCH) /.test(step) && !/json_each|CONSTANT ROW/.test(step))
    .map((step) => step.replace('COVERING ', ''))

describe('Each statement seeks its rows by their key', () => {
  const byId = (table: string, name = table) =>
    `SEARCH ${name} USING INDEX sqlite_autoindex_${table}_1 (id=?)`
  const parties = [byId('user', 'd'), byId('user', 'p')]

  it('of appointments and of holds', async () => {
    const id = newId('apt')
    expect(await write(insertVisit({ id, doctor, patient, originMs: FUTURE, start: 0, end: 30 }))).toBe(
      'done',
    )
    const known = await loadAppointment(openDatabase(env.DB, 'first-primary'), doctor.userId, id)
    if (known === undefined) throw new Error('It was written')
    const { userId, sessionId } = patient
    const key = { key: 'k', route: 'r', bodyHash: 'h' }
    const calendarOf = expect.stringMatching(/^SEARCH calendar USING INDEX/)
    const answer = [byId('appointment'), ...parties, calendarOf]
    const doctorOf = expect.stringMatching(/^SEARCH doctor USING INDEX sqlite_autoindex_doctor_1/)
    const cases: readonly (readonly [Statement, unknown[]])[] = [
      [updateStatuses([known]), [byId('appointment')]],
      [endHolds([{ id: 'hld_1' }], 'lapsed', 0), [byId('hold')]],
      [moveAppointment(known), [byId('appointment'), doctorOf, doctorOf]],
      [insertAppointment(known), [doctorOf, byId('user'), byId('user'), calendarOf]],
      [selectAnswer(known), answer],
      [insertAnswer({ userId, sessionId, role: 'patient' }, key, known), answer],
      [selectNamed([known]), parties],
    ]
    for (const [statement, expected] of cases) {
      const steps = await stepsOf(statement)
      expect(steps, statement.sql).toHaveLength(expected.length)
      for (const step of expected) expect(steps, statement.sql).toContainEqual(step)
    }
  })

  it('of what time has ended, written by the object that is woken', async () => {
    const owner = await seedUser(env, 'doctor')
    const [request, held] = [newId('apt'), newId('hld')]
    const past = { doctor: owner, patient, originMs: Date.now() - DAY_MS }
    const said = await write(
      insertVisit({ ...past, id: request, start: 0, end: 30, status: 'pending' }),
      insertHeld({ ...past, id: held, start: 60, end: 90 }),
    )
    expect(said).toBe('done')
    const { DB, asked } = recording()
    const stub = env.DOCTOR_CALENDAR.getByName(owner.userId)
    await runInDurableObject(stub, (object) => {
      Object.assign(object, { env: { ...env, DB } })
    })
    expect(await stub.wake()).toMatchObject({ ok: true })
    expect(await rows('SELECT status FROM appointment WHERE id = ?', request)).toEqual([
      { status: 'rejected' },
    ])
    expect(await rows('SELECT outcome FROM hold WHERE id = ?', held)).toEqual([{ outcome: 'lapsed' }])
    const updates = asked.filter(({ sql: text }) => /^UPDATE (appointment|hold) /.test(text))
    expect(updates).toHaveLength(2)
    for (const update of updates) {
      expect(await stepsOf(update)).toEqual([
        expect.stringMatching(/USING INDEX sqlite_autoindex_\w+_1 \(id=\?\)$/),
      ])
    }
  })
})

describe('What is over costs nothing', () => {
  /** Rows read by each statement where so many holds of the same doctor and patient have ended, in and around its time. */
  async function withPast(count: number): Promise<Record<string, number>> {
    const owner = await seedUser(env, 'doctor')
    const who = await seedUser(env, 'patient')
    const ended = Array.from({ length: count }, (_, index) => ({
      id: newId('hld'),
      startMs: FUTURE + (index - count / 2) * DAY_MS * (index % 2),
    }))
    const said = await sql(
      `INSERT INTO hold SELECT value ->> 'id', ?2, ?3, ?4, value ->> 'startMs', (value ->> 'startMs') + 1800000,
         value ->> 'startMs', (value ->> 'startMs') + 1800000, 'patient', 0, 300000, 1, 'released' FROM json_each(?1)`,
      JSON.stringify(ended),
      owner.userId,
      who.userId,
      owner.visitTypeId,
    )
    expect(said).toBe('done')
    const [visit, held] = [newId('apt'), newId('hld')]
    const base = { doctor: owner, patient: who, originMs: FUTURE }
    const cost = async (statement: Statement): Promise<number> => {
      const [result] = await openDatabase(env.DB, 'first-primary').run([statement])
      expect(result?.meta.changes).toBe(1)
      return result?.meta.rows_read ?? Number.NaN
    }
    const costs = {
      hold: await cost(insertHeld({ ...base, id: held, start: 60, end: 90 })),
      end: await cost(endHolds([{ id: held }], 'released', 0)),
      book: await cost(insertVisit({ ...base, id: visit, start: 0, end: 30 })),
      move: await cost(updateVisit(visit, 'start_ms = start_ms + 1')),
      load: 0,
    }
    const database = openDatabase(env.DB, 'first-primary')
    await loadCalendar(database, owner.userId, FUTURE)
    return { ...costs, load: database.cost.d1RowsRead }
  }

  it('to hold, end, book, move and load: the same with ten holds that ended and with five thousand', async () => {
    const few = await withPast(10)
    const many = await withPast(5000)
    for (const [action, cost] of Object.entries(many)) {
      expect(cost - (few[action] ?? 0), `${action}: ${few[action]} → ${cost}`).toBeLessThanOrEqual(2)
      expect(cost, action).toBeLessThan(40)
    }
  })
})

it('A history is read by its subject, in the order of what happened, wherever a page begins', async () => {
  const { DB, asked } = recording()
  const actor = { userId: patient.userId, sessionId: patient.sessionId, role: 'patient' } as const
  const page = { after: 7, rows: 21, counted: true }
  expect(await findHistory(openDatabase(DB, 'first-primary'), actor, 'apt_1', page)).toBe('not-found')
  const steps = (await Promise.all(asked.map(stepsOf))).flat()
  expect(steps).toContain('SEARCH event USING INDEX event_subject (subject_id=? AND sequence>?)')
  expect(steps).toContain('SEARCH event USING INDEX event_subject (subject_id=?)')
  expect(steps.filter((step) => step.startsWith('SCAN'))).toEqual([])
})
