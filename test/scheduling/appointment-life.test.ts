/** The life of an appointment over HTTP: who does what to it, when, and what is remembered of it. */
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { expectProblem } from '../http/refusal'
import { type SeededUser, seedUser, seedUsers } from '../support/accounts'
import { call } from '../support/api'
import { book, eventsOf, openStart, rows, seedClinic } from '../support/clinic'
import { costOf } from '../support/cost'
import { act, editNotes, historyOf, readVisit } from '../support/visits'

const MINUTE_MS = 60_000

/** Rows that an action may read (right and appointment, twice: to find it and to write) and write. */
const MAX_ACTION_ROWS_READ = 25
const MAX_ACTION_ROWS_WRITTEN = 14

let admin: SeededUser

beforeAll(async () => {
  admin = await seedUser(env, 'admin')
})

afterEach(() => {
  vi.useRealTimers()
})

/** A doctor with slots at every five minutes, a patient, and a visit that begins in five to ten minutes. */
async function visit(policy: object = {}) {
  const doctor = await seedClinic({ slotMinutes: 5, ...policy })
  const [patient, other] = await seedUsers('patient', 2)
  const start = await openStart(doctor.userId, 1)
  const { body: booked } = await book(patient, doctor.userId, start)
  return { doctor, patient, other, start, booked, id: String(booked.id) }
}

/** The time is this much after the start of the visit. */
const fromStart = (start: string, minutes: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(start) + minutes * MINUTE_MS })

describe('From a request to its end', () => {
  it('pending, approved, started, completed: each step tells the next, and who may take it', async () => {
    const { doctor, patient, other, start, booked, id } = await visit({ approval: 'manual' })
    expect([booked.status, booked.allowedActions]).toEqual(['pending', ['reschedule', 'cancel']])
    expect((await readVisit(doctor, id)).body.allowedActions).toEqual([
      'approve',
      'reject',
      'reschedule',
      'cancel',
    ])
    expect((await book(other, doctor.userId, start)).body.code).toBe('slot-taken')

    const steps = [
      ['approve', 'confirmed', ['reschedule', 'cancel', 'start']],
      ['start', 'in-progress', ['complete']],
      ['complete', 'completed', []],
    ] as const
    let { version, calendarVersion } = booked
    for (const [action, status, allowedActions] of steps) {
      const answer = await act(doctor, id, action, action === 'approve' ? {} : undefined, `"${version}"`)
      expect(answer.status, action).toBe(200)
      expect(answer.body).toEqual({
        ...booked,
        status,
        allowedActions,
        version: version + 1,
        calendarVersion: calendarVersion + 1,
      })
      expect(answer.headers.get('ETag')).toBe(`"${version + 1}"`)
      version += 1
      calendarVersion += 1
      const { calendarVersion: _, ...read } = { ...answer.body, allowedActions: expect.any(Array) }
      expect((await readVisit(patient, id)).body).toEqual(read)
      expect((await book(other, doctor.userId, start)).status).toBe(action === 'complete' ? 201 : 409)
    }
    expect(await eventsOf(id)).toEqual([
      'appointment.requested',
      'appointment.approved',
      'appointment.started',
      'appointment.completed',
    ])
  })

  it('rejected, with remarks that the patient reads: the slot is open at once', async () => {
    const { doctor, patient, other, start, id } = await visit({ approval: 'manual' })
    const rejected = await act(admin, id, 'reject', { remarks: ' Please see a dentist ' })
    expect(rejected.body).toMatchObject({ status: 'rejected', remarks: 'Please see a dentist', version: 2 })
    expect((await readVisit(patient, id)).body).toMatchObject({
      remarks: 'Please see a dentist',
      allowedActions: [],
    })
    expect((await book(other, doctor.userId, start)).status).toBe(201)
    for (const action of ['approve', 'start', 'complete', 'cancel']) {
      const late = await act(doctor, id, action)
      expectProblem(late, 409, 'illegal-transition', action)
      expect(late.body).toMatchObject({ from: 'rejected', allowed: [] })
    }
  })

  it('a request whose start has come is rejected, whoever approves it then', async () => {
    const { doctor, start, id } = await visit({ approval: 'manual' })
    fromStart(start, 0)
    const late = await act(doctor, id, 'approve')
    expectProblem(late, 409, 'illegal-transition')
    expect(late.body.from).toBe('rejected')
    expect((await readVisit(doctor, id)).body.status).toBe('rejected')
  })

  it('nobody came: from the start on, and not before', async () => {
    const { doctor, start, id } = await visit()
    const early = await act(doctor, id, 'no-show')
    expectProblem(early, 409, 'too-early')
    expect(early.body.allowedFrom).toBe(start)
    expect((await readVisit(doctor, id)).body.allowedActions).not.toContain('no-show')
    fromStart(start, 0)
    expect((await readVisit(doctor, id)).body.allowedActions).toContain('no-show')
    expect((await act(admin, id, 'no-show')).body.status).toBe('no-show')
    expect((await act(doctor, id, 'no-show')).body).toMatchObject({ code: 'illegal-transition', allowed: [] })
  })

  it('starts at most fifteen minutes before its time', async () => {
    const doctor = await seedClinic({ slotMinutes: 5 })
    const [patient] = await seedUsers('patient', 1)
    const start = await openStart(doctor.userId, 4)
    const { body } = await book(patient, doctor.userId, start)
    const early = await act(doctor, body.id, 'start')
    expectProblem(early, 409, 'too-early')
    expect(Date.parse(early.body.allowedFrom)).toBe(Date.parse(start) - 15 * MINUTE_MS)
    fromStart(start, -15)
    expect((await act(doctor, body.id, 'start')).body.status).toBe('in-progress')
  })

  it('is approved once, and completed only after it was started', async () => {
    const { doctor, id } = await visit({ approval: 'manual' })
    expect((await act(doctor, id, 'start')).body).toMatchObject({
      code: 'illegal-transition',
      from: 'pending',
      allowed: ['approve', 'reject', 'reschedule', 'cancel'],
    })
    expect((await act(doctor, id, 'approve')).status).toBe(200)
    for (const [by, action] of [
      [doctor, 'approve'],
      [admin, 'reject'],
      [doctor, 'complete'],
    ] as const) {
      const answer = await act(by, id, action, action === 'reject' ? { remarks: 'No' } : undefined)
      expect(answer.body).toMatchObject({
        code: 'illegal-transition',
        from: 'confirmed',
        allowed: ['reschedule', 'cancel', 'start', 'no-show'],
      })
    }
    expect(await eventsOf(id)).toEqual(['appointment.requested', 'appointment.approved'])
  })
})

describe('Cancelling', () => {
  it.each(['patient', 'doctor', 'admin'] as const)(
    'by the %s frees the slot, keeps the reason, and again is 200',
    async (party) => {
      const { doctor, patient, other, start, id } = await visit()
      const by = { patient, doctor, admin }[party]
      for (const reason of ['The bus strike', 'Another']) {
        const cancelled = await act(by, id, 'cancel', { reason })
        expect(cancelled.status).toBe(200)
        expect(cancelled.body).toMatchObject({
          status: 'cancelled',
          cancellationReason: 'The bus strike',
          version: 2,
          allowedActions: [],
        })
      }
      expect((await book(other, doctor.userId, start)).status).toBe(201)
      const { body } = await historyOf(by, id)
      expect(body.items).toHaveLength(2)
      expect(body.items[1]).toMatchObject({
        type: 'appointment.cancelled',
        actorId: by?.userId,
        data: { by: party, doctorId: doctor.userId, patientId: patient?.userId },
        note: 'The bus strike',
      })
    },
  )

  it('is too late for the patient inside the notice, and moving is too; staff may do both', async () => {
    const { doctor, patient, booked, id } = await visit({ cancellationNoticeMinutes: 60 })
    expect(booked.allowedActions).toEqual([])
    const until = booked.cancellableUntil
    const later = await openStart(doctor.userId, 40)
    for (const answer of [
      await act(patient, id, 'cancel'),
      await call('DELETE', `/v1/appointments/${id}`, { token: patient?.token ?? '' }),
      await act(patient, id, 'reschedule', { start: later }),
    ]) {
      expectProblem(answer, 409, 'too-late-to-cancel')
      expect(answer.body.cancellableUntil).toBe(until)
    }
    const moved = await act(admin, id, 'reschedule', { start: later })
    expect([moved.status, moved.body.start]).toEqual([200, later])
    expect((await act(doctor, id, 'cancel')).body.status).toBe('cancelled')
  })
})

describe('Notes', () => {
  it('are changed by the patient and by administrators, and cleared by null; no event repeats them', async () => {
    const { doctor, patient, id } = await visit()
    const edited = await editNotes(patient, id, ' Word of pain\nand more ')
    expect(edited.body).toMatchObject({ notes: 'Word of pain\nand more', version: 2, status: 'confirmed' })
    expect(edited.headers.get('ETag')).toBe('"2"')
    expect((await readVisit(doctor, id)).body.notes).toBe('Word of pain\nand more')
    expect((await act(doctor, id, 'start')).body.notes).toBe('Word of pain\nand more')
    expect((await editNotes(admin, id, null)).body).toMatchObject({ notes: null, status: 'in-progress' })
    expectProblem(await editNotes(doctor, id, 'x'), 403, 'forbidden')
    await act(doctor, id, 'complete')
    const late = await editNotes(patient, id, 'x')
    expect(late.body).toMatchObject({ code: 'illegal-transition', from: 'completed', allowed: [] })
    const { body } = await historyOf(patient, id)
    expect(body.items.filter(({ type }: { type: string }) => type === 'appointment.updated')).toHaveLength(2)
    expect(JSON.stringify(body)).not.toContain('Word of')
  })
})

describe('A video visit', () => {
  it('shows its parties a room of its own from ten minutes before until it is over', async () => {
    const doctor = await seedClinic({ slotMinutes: 5 })
    await rows(`UPDATE visit_type SET mode = 'video', version = 2 WHERE doctor_id = ?`, doctor.userId)
    // The object has the visit type as it was: another load reads it anew.
    await rows(
      'UPDATE calendar SET epoch = epoch + 1, writer_epoch = epoch + 1 WHERE doctor_id = ?',
      doctor.userId,
    )
    const [patient, other] = await seedUsers('patient', 2)
    await book(other, doctor.userId, await openStart(doctor.userId, 30))
    const start = await openStart(doctor.userId, 3)
    const { body: booked } = await book(patient, doctor.userId, start)
    expect([booked.mode, booked.meetingUrl]).toEqual(['video', null])
    fromStart(start, -10)
    const { meetingUrl } = (await readVisit(patient, booked.id)).body
    expect(meetingUrl).toMatch(/^https:\/\/meet\.praxis\.example\/[\w-]{22}$/)
    expect((await readVisit(doctor, booked.id)).body.meetingUrl).toBe(meetingUrl)
    expect((await readVisit(admin, booked.id)).body.meetingUrl).toBeNull()
    expect((await act(doctor, booked.id, 'start')).body.meetingUrl).toBe(meetingUrl)
    expect((await act(doctor, booked.id, 'complete')).body.meetingUrl).toBeNull()
    vi.setSystemTime(Date.parse(start) - 11 * MINUTE_MS)
    expect((await readVisit(patient, booked.id)).body.meetingUrl).toBeNull()
  })
})

describe('The history', () => {
  it('has every event with what was said, oldest first, in pages', async () => {
    const { doctor, patient, booked, id } = await visit({ approval: 'manual' })
    const before = Date.parse(booked.start)
    const later = await openStart(doctor.userId, 30)
    await act(doctor, id, 'approve')
    await act(patient, id, 'reschedule', { start: later })
    await act(admin, id, 'reject', { remarks: 'Not on that day' })
    const whole = await historyOf(patient, id, '?count=true')
    expect(whole.body).toMatchObject({ nextCursor: null, total: 4 })
    const { items } = whole.body
    const parties = { doctorId: doctor.userId, patientId: patient?.userId }
    expect(
      items.map(({ id: _id, sequence: _sequence, at: _at, ...rest }: Record<string, unknown>) => rest),
    ).toEqual([
      { type: 'appointment.requested', actorId: patient?.userId, subjectId: id, data: parties, note: null },
      {
        type: 'appointment.approved',
        actorId: doctor.userId,
        subjectId: id,
        data: { ...parties, by: 'doctor' },
        note: null,
      },
      {
        type: 'appointment.rescheduled',
        actorId: patient?.userId,
        subjectId: id,
        data: { ...parties, by: 'patient', from: booked.start, to: later, status: 'pending' },
        note: null,
      },
      {
        type: 'appointment.rejected',
        actorId: admin.userId,
        subjectId: id,
        data: { ...parties, by: 'admin' },
        note: 'Not on that day',
      },
    ])
    const sequences = items.map(({ sequence }: { sequence: number }) => sequence)
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
    for (const { id: eventId, at } of items) {
      expect(eventId).toMatch(/^evt_/)
      expect(Date.parse(at)).toBeLessThan(before)
    }
    for (const reader of [doctor, admin]) expect((await historyOf(reader, id)).body.items).toEqual(items)

    let query = '?limit=3'
    const pages: unknown[][] = []
    for (let cursor: string | null = ''; cursor !== null; query = `?limit=3&cursor=${cursor}`) {
      const { body } = await historyOf(patient, id, query)
      pages.push(body.items)
      cursor = body.nextCursor
    }
    expect(pages).toEqual([items.slice(0, 3), items.slice(3)])
  })

  it('tells what time did, by nobody', async () => {
    const { doctor, patient, start, id } = await visit({ approval: 'manual' })
    fromStart(start, 1)
    await act(doctor, id, 'approve')
    const { body } = await historyOf(patient, id)
    expect(body.items[1]).toMatchObject({
      type: 'appointment.rejected',
      actorId: null,
      data: { by: 'time' },
      note: null,
    })
  })
})

describe('Costs', () => {
  it('an action is two round trips, one to find it and one to write; a refusal and a reading are one', async () => {
    const { doctor, patient, id } = await visit({ approval: 'manual' })
    const again = await costOf(() => act(doctor, id, 'complete'))
    expect(again.cost).toMatchObject({ status: 409, d1Batches: 1, d1RowsWritten: 0, objectCalls: 1 })
    const written = [
      () => act(doctor, id, 'approve'),
      () => editNotes(patient, id, 'Word'),
      () => act(doctor, id, 'start'),
      () => act(doctor, id, 'complete'),
    ]
    for (const action of written) {
      const { cost } = await costOf(action)
      expect(cost).toMatchObject({ status: 200, d1Batches: 2, kvReads: 0, objectCalls: 1 })
      expect(cost.d1RowsRead).toBeLessThanOrEqual(MAX_ACTION_ROWS_READ)
      expect(cost.d1RowsWritten).toBeLessThanOrEqual(MAX_ACTION_ROWS_WRITTEN)
    }
    const history = await costOf(() => historyOf(patient, id))
    expect(history.cost).toMatchObject({ status: 200, d1Batches: 1, d1RowsWritten: 0, objectCalls: 0 })
  })

  it('a page of a history reads no more rows however long it is', async () => {
    const { doctor, patient, id } = await visit()
    await rows(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
       INSERT INTO event (id, type, actor_id, subject_id, at, data)
       SELECT 'evt_' || substr(?1, 5) || i, 'appointment.updated', ?2, ?1, 0, '{}' FROM n`,
      id,
      doctor.userId,
    )
    const { cost, outcome } = await costOf(() => historyOf(patient, id, '?limit=10'))
    expect(outcome.body.items).toHaveLength(10)
    expect(cost.d1RowsRead).toBeLessThanOrEqual(40)
  })
})
