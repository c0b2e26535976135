/** What all migrations make together: tables, types, references, indexes, triggers; nothing more, nothing less. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { statement } from '#db/database'
import { type SeededUser, seedUser } from '../support/accounts'
import { insertHeld, insertVisit, rows, sql, write } from './rows'

const NOW = Date.UTC(2030, 0, 1)

/** Every table with its references; all are STRICT. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  appointment: [
    'doctor_id → doctor.user_id',
    'patient_id → patient.user_id',
    'visit_type_id → visit_type.id',
  ],
  calendar: ['doctor_id → doctor.user_id'],
  doctor: ['user_id → user.id', 'verified_by → user.id'],
  doctor_specialty: ['doctor_id → doctor.user_id', 'specialty_id → specialty.id'],
  // History refers to what may be gone by then.
  event: [],
  event_note: ['event_id → event.id'],
  hold: ['doctor_id → doctor.user_id', 'patient_id → patient.user_id', 'visit_type_id → visit_type.id'],
  idempotency: ['doctor_id → doctor.user_id', 'user_id → user.id'],
  opening: ['doctor_id → doctor.user_id'],
  patient: ['user_id → user.id'],
  refresh_token: ['session_id → session.id'],
  schedule: ['doctor_id → doctor.user_id'],
  session: ['user_id → user.id'],
  setting: [],
  specialty: [],
  time_off: ['doctor_id → doctor.user_id'],
  user: [],
  visit_type: ['doctor_id → doctor.user_id'],
  waitlist: ['doctor_id → doctor.user_id', 'patient_id → patient.user_id', 'visit_type_id → visit_type.id'],
}

/** The full-text index, and the tables that SQLite keeps for it. */
const SEARCH = ['', '_config', '_content', '_data', '_docsize', '_idx'].map((name) => `doctor_search${name}`)

/** Every index that a migration makes, with its columns. */
const INDEXES: Readonly<Record<string, string>> = {
  appointment_doctor: 'appointment(doctor_id, start_ms, id)',
  appointment_doctor_active: 'appointment(doctor_id, blocked_start_ms) partial',
  appointment_patient: 'appointment(patient_id, start_ms, id)',
  appointment_patient_active: 'appointment(patient_id, start_ms) partial',
  appointment_start: 'appointment(start_ms, id)',
  appointment_status: 'appointment(status, start_ms, id)',
  calendar_next_available: 'calendar(, doctor_id)',
  calendar_next_check: 'calendar(next_check_at) partial',
  // A column without a name is an expression: by it the directory is ordered.
  doctor_experience: 'doctor(, user_id) partial',
  doctor_fee: 'doctor(, user_id) partial',
  doctor_listed: 'doctor(sort_name, user_id) partial',
  doctor_specialty_specialty: 'doctor_specialty(specialty_id, doctor_id)',
  event_id: 'event(id) unique',
  event_subject: 'event(subject_id, sequence)',
  event_unpublished: 'event(sequence) partial',
  hold_doctor_live: 'hold(doctor_id, blocked_start_ms) partial',
  hold_expiry: 'hold(expires_at) partial',
  hold_patient_live: 'hold(patient_id, expires_at, id) partial',
  idempotency_created: 'idempotency(created_at)',
  idempotency_doctor: 'idempotency(doctor_id, created_at) partial',
  opening_doctor: 'opening(doctor_id, start_ms, id)',
  refresh_token_session: 'refresh_token(session_id)',
  session_user: 'session(user_id, created_at)',
  specialty_sort_name: 'specialty(sort_name) unique',
  time_off_doctor: 'time_off(doctor_id, start_ms, id)',
  user_email: 'user(email) unique',
  user_mobile: 'user(mobile) unique partial',
  visit_type_doctor: 'visit_type(doctor_id, created_at, id)',
  waitlist_doctor_live: 'waitlist(doctor_id, created_at, id) partial',
  waitlist_expiry: 'waitlist(to_ms) partial',
  waitlist_patient_live: 'waitlist(patient_id, created_at, id) partial',
}

const TRIGGERS: Readonly<Record<string, string>> = {
  appointment_insert_free: 'BEFORE INSERT ON appointment',
  appointment_insert_not_held: 'BEFORE INSERT ON appointment',
  appointment_move_not_held:
    'BEFORE UPDATE OF start_ms, end_ms, blocked_start_ms, blocked_end_ms ON appointment',
  appointment_update_free:
    'BEFORE UPDATE OF doctor_id, patient_id, start_ms, end_ms, blocked_start_ms, blocked_end_ms, status ON appointment',
  appointment_version: 'BEFORE UPDATE ON appointment',
  doctor_search_insert: 'AFTER INSERT ON doctor',
  doctor_search_rename: 'AFTER UPDATE OF full_name ON user',
  doctor_version: 'BEFORE UPDATE ON doctor',
  event_delete: 'BEFORE DELETE ON event',
  event_facts: 'BEFORE UPDATE',
  event_insert: 'BEFORE INSERT ON event',
  hold_insert_free: 'BEFORE INSERT ON hold',
  hold_once: 'BEFORE UPDATE ON hold',
  idempotency_insert: 'BEFORE INSERT ON idempotency',
  opening_version: 'BEFORE UPDATE ON opening',
  refresh_token_once: 'BEFORE UPDATE OF used_at ON refresh_token',
  schedule_version: 'BEFORE UPDATE ON schedule',
  session_right_use: 'INSTEAD OF INSERT ON session_right',
  user_version: 'BEFORE UPDATE ON user',
  visit_type_version: 'BEFORE UPDATE ON visit_type',
  waitlist_limits: 'BEFORE INSERT ON waitlist',
  waitlist_once: 'BEFORE UPDATE ON waitlist',
}

/** What is there of a type, but for what the platform itself keeps. */
const made = async (type: string): Promise<string[]> => {
  const found = await rows('SELECT name FROM sqlite_schema WHERE type = ? ORDER BY name', type)
  return found.map(({ name }) => String(name)).filter((name) => !/^(sqlite_|_cf_|d1_)/.test(name))
}

describe('After all migrations', () => {
  it('there are these tables, and each but the search is STRICT', async () => {
    expect(await made('table')).toEqual([...Object.keys(TABLES), ...SEARCH].sort())
    const strict = (await rows('PRAGMA table_list')).filter((table) => table.strict === 1)
    expect(strict.map(({ name }) => String(name)).sort()).toEqual(Object.keys(TABLES).sort())
  })

  it('each table has these references, and none deletes by cascade', async () => {
    for (const [table, expected] of Object.entries(TABLES)) {
      const keys = await rows(`PRAGMA foreign_key_list(${table})`)
      expect(keys.map((key) => `${key.from} → ${key.table}.${key.to}`).sort(), table).toEqual(expected)
      for (const key of keys) {
        expect([key.on_delete, key.on_update], table).toEqual(['NO ACTION', 'NO ACTION'])
      }
    }
    expect(await rows(`SELECT name FROM sqlite_schema WHERE sql LIKE '%CASCADE%'`)).toEqual([])
  })

  it('there are these indexes, on these columns', async () => {
    const found: Record<string, string> = {}
    for (const table of Object.keys(TABLES)) {
      for (const { name, unique, partial, origin } of await rows(`PRAGMA index_list(${table})`)) {
        if (origin !== 'c') continue
        const columns = (await rows(`PRAGMA index_info(${name})`)).map((column) => column.name)
        const kind = `${unique === 1 ? ' unique' : ''}${partial === 1 ? ' partial' : ''}`
        found[String(name)] = `${table}(${columns.join(', ')})${kind}`
      }
    }
    expect(found).toEqual(INDEXES)
    expect(await made('index')).toEqual(Object.keys(INDEXES).sort())
  })

  it('there are these triggers and this view', async () => {
    expect(await made('trigger')).toEqual(Object.keys(TRIGGERS).sort())
    for (const { name, text } of await rows(
      `SELECT name, sql AS text FROM sqlite_schema WHERE type = 'trigger'`,
    )) {
      expect(String(text).replaceAll(/\s+/g, ' '), String(name)).toContain(TRIGGERS[String(name)])
    }
    expect(await made('view')).toEqual(['session_right'])
  })
})

describe('A row of every table', () => {
  let doctor: SeededUser
  let patient: SeededUser

  /** One row in each table, all of them of this doctor and patient. */
  beforeAll(async () => {
    doctor = await seedUser(env, 'doctor')
    patient = await seedUser(env, 'patient')
    const [u, p] = [doctor.userId, patient.userId]
    const said = await write(
      insertVisit({ doctor, patient, originMs: NOW, start: 0, end: 30, before: 5, after: 5 }),
      statement(`INSERT INTO doctor_specialty (doctor_id, specialty_id) VALUES (?, 'spc_cardiology')`, u),
      insertHeld({ id: 'hld_1', doctor, patient, originMs: NOW, start: 900, end: 930 }),
      statement(
        `INSERT INTO waitlist (id, doctor_id, patient_id, visit_type_id, from_ms, to_ms, created_at, offer_id, freed_at)
         VALUES ('wtl_1', ?, ?, ?, 1, 2, 0, 'hld_1', 0)`,
        u,
        p,
        doctor.visitTypeId,
      ),
      statement(
        `INSERT INTO time_off (id, doctor_id, start_ms, end_ms, created_at) VALUES ('off_1', ?, 1, 2, 0)`,
        u,
      ),
      statement(
        `INSERT INTO opening (id, doctor_id, start_ms, end_ms, created_at) VALUES ('opn_1', ?, 1, 2, 0)`,
        u,
      ),
      statement(`INSERT INTO refresh_token VALUES ('hash-0', ?, 0, 0, NULL)`, patient.sessionId),
      statement(`INSERT INTO event (id, type, subject_id, at, data) VALUES ('evt_1', 't', 's', 0, '{}')`),
      statement(`INSERT INTO event_note (event_id, note) VALUES ('evt_1', 'Because')`),
      statement(`INSERT INTO setting (key, value, updated_at) VALUES ('k', 'v', 0)`),
      statement(`INSERT INTO idempotency VALUES (?, 'every', 'r', 'h', '{}', ?, 0)`, p, u),
      statement('UPDATE doctor SET verified_by = ?1, version = version + 1 WHERE user_id = ?1', u),
    )
    expect(said).toBe('done')
  })

  const tables = async (): Promise<string[]> =>
    (await rows('PRAGMA table_list')).filter(({ strict }) => strict === 1).map(({ name }) => String(name))

  /** Triggers on updates are asked first, so each update must be one that they allow. */
  const counted = (table: string): string =>
    ['appointment', 'doctor', 'opening', 'schedule', 'user', 'visit_type'].includes(table)
      ? ', version = version + 1'
      : ''

  it('keeps every column to its type', async () => {
    let columns = 0
    for (const table of await tables()) {
      for (const { name, type } of await rows(`PRAGMA table_info(${table})`)) {
        const wrong = type === 'INTEGER' ? `'a text'` : `x'00'`
        const more = name === 'version' ? '' : counted(table)
        const said = await sql(`UPDATE ${table} SET "${name}" = ${wrong}${more}`)
        const refusal = new RegExp(`cannot store (TEXT|BLOB) value in ${type} column|datatype mismatch`)
        expect(said, `${table}.${name}`).toMatch(refusal)
        columns += 1
      }
    }
    expect(columns).toBeGreaterThan(110)
  })

  it('keeps every reference to what exists', async () => {
    let references = 0
    for (const table of await tables()) {
      for (const { from } of await rows(`PRAGMA foreign_key_list(${table})`)) {
        const one = `WHERE rowid = (SELECT min(rowid) FROM ${table})`
        const said = await sql(`UPDATE ${table} SET "${from}" = 'usr_nobody'${counted(table)} ${one}`)
        // Whose hold or wish it is, and of whom, never changes, be it to somebody who exists.
        const guarded =
          ['hold', 'waitlist'].includes(table) && ['doctor_id', 'patient_id'].includes(String(from))
        const refusal = guarded ? 'stale-version' : 'FOREIGN KEY constraint failed'
        expect(said, `${table}.${from}`).toContain(refusal)
        references += 1
      }
    }
    expect(references).toBeGreaterThan(20)
  })

  it.each(['user', 'patient', 'doctor', 'session', 'specialty', 'visit_type'])(
    'stays while another refers to it: %s',
    async (table) => {
      const before = await rows(`SELECT * FROM ${table}`)
      expect(await sql(`DELETE FROM ${table}`)).toContain('FOREIGN KEY constraint failed')
      expect(await rows(`SELECT * FROM ${table}`)).toEqual(before)
    },
  )

  it.each([
    ['user', 'user_role', `role = 'nurse'`],
    ['user', 'user_status', `status = 'deleted'`],
    ['schedule', 'schedule_rules', `rules = '[{'`],
    ['schedule', 'schedule_approval', `approval = 'sometimes'`],
    ['opening', 'opening_interval', 'end_ms = start_ms'],
    ['time_off', 'time_off_interval', 'end_ms = start_ms'],
    ['hold', 'hold_origin', `origin = 'doctor'`],
    ['hold', 'hold_outcome', `ended_at = 1, outcome = 'forgotten'`],
    ['hold', 'hold_outcome', 'ended_at = 1'],
    ['hold', 'hold_outcome', `outcome = 'booked'`],
    ['waitlist', 'waitlist_offer', 'freed_at = NULL'],
    ['waitlist', 'waitlist_outcome', `ended_at = 1, outcome = 'forgotten'`],
    ['waitlist', 'waitlist_outcome', 'ended_at = 1'],
    ['appointment', 'appointment_interval', 'end_ms = start_ms'],
    ['appointment', 'appointment_interval', 'blocked_start_ms = start_ms + 1'],
    ['appointment', 'appointment_interval', 'blocked_end_ms = end_ms - 1'],
    ['appointment', 'appointment_length', 'blocked_end_ms = blocked_start_ms + 43200001'],
    ['appointment', 'appointment_status', `status = 'done'`],
    ['calendar', 'stale-calendar', 'writer_epoch = epoch - 1'],
  ])('of %s is checked: %s', async (table, check, assignment) => {
    const said = await sql(`UPDATE ${table} SET ${assignment}${counted(table)}`)
    expect([`CHECK constraint failed: ${check}`, check].some((words) => said.includes(words))).toBe(true)
  })

  it.each([
    ['hold_interval', { start: 130, end: 130 }],
    ['hold_interval', { start: 130, end: 140, before: -1 }],
    ['hold_interval', { start: 130, end: 140, after: -1 }],
    ['hold_length', { start: 130, end: 840, before: 5, after: 5 + 1 / 60_000 }],
  ])('of hold is checked: %s %j', async (check, times) => {
    const said = await write(insertHeld({ doctor, patient, originMs: NOW, ...times }))
    expect(said).toContain(`CHECK constraint failed: ${check}`)
  })

  it('of hold is of a doctor and of a visit type that exist', async () => {
    const hold = { doctor, patient, originMs: NOW, start: 130, end: 140 }
    for (const change of [{ userId: 'usr_nobody' }, { visitTypeId: 'vis_none' }]) {
      const said = await write(insertHeld({ ...hold, doctor: { ...doctor, ...change } }))
      expect(said).toContain('FOREIGN KEY constraint failed')
    }
  })

  it('of event has data that is JSON', async () => {
    const insert = `INSERT INTO event (id, type, subject_id, at, data) VALUES ('evt_x', 't', 's', 0, ?)`
    expect(await sql(insert, '{')).toContain('CHECK constraint failed: event_data')
  })
})
