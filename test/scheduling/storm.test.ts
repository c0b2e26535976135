/** Everybody does everything at once, D1 fails as it likes, and objects die: afterwards one story is told. */
import { describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { type SeededUser, seedUsers } from '../support/accounts'
import { eventsOf, expectAgreement, HALF_HOUR_MS, openStart, rows, seedClinic } from '../support/clinic'
import { ask, codeOf } from '../support/commands'
import { abortObject, deliver, type Fault, failBefore, injectFaults, loseAnswer } from '../support/faults'

const ROUNDS = 5
const PATIENTS = 12
/** Commands of each patient: no more than the attempts that they have in a minute. */
const COMMANDS = 8
const SLOTS = 6
/** The longest that anybody waits before they ask, and D1 before it answers; milliseconds. */
const MAX_PAUSE_MS = 40

/** Numbers below 1 that look random and are the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A fault: most often none, at times a slow D1, one that cannot be reached, or one whose answer is lost. */
function weather(next: () => number): Fault {
  const [kind, before, behind] = [next(), next() * MAX_PAUSE_MS, next() * MAX_PAUSE_MS]
  const fault = kind < 0.85 ? deliver : kind < 0.92 ? failBefore : loseAnswer
  return async (deliverNow) => {
    await pause(before)
    const results = await fault(deliverNow)
    await pause(behind)
    return results
  }
}

/** A creating command: what it should have made, and what was heard of it (nothing from an object that died). */
interface Said {
  readonly type: 'appointment.booked' | 'hold.taken'
  readonly subjectId: string
  readonly code: string | undefined
}

/** An appointment or a hold that a patient has heard they have. */
interface Own {
  readonly what: 'appointment' | 'hold'
  readonly doctorId: string
  readonly id: string
  readonly startMs: number
}

/** A patient books, holds, moves, cancels and releases, as the numbers say. */
class Patient {
  readonly said: Said[] = []
  readonly #own: Own[] = []

  constructor(
    private readonly user: SeededUser,
    private readonly doctors: readonly SeededUser[],
    private readonly firstMs: number,
    private readonly next: () => number,
  ) {}

  async act(): Promise<void> {
    const { next } = this
    for (let command = 0; command < COMMANDS; command++) {
      await pause(next() * MAX_PAUSE_MS)
      const own = this.#own[Math.floor(next() * this.#own.length)]
      if (own === undefined || next() < 0.4) await this.#create(next() < 0.6 ? 'appointment' : 'hold')
      else if (own.what === 'hold') await this.#useHold(own)
      else await this.#change(own)
    }
  }

  #startMs(): number {
    return this.firstMs + Math.floor(this.next() * SLOTS) * HALF_HOUR_MS
  }

  #create(what: Own['what']): Promise<void> {
    const { doctors, next } = this
    const doctorId = doctors[Math.floor(next() * doctors.length)]?.userId ?? ''
    const startMs = this.#startMs()
    return what === 'hold' ? this.#hold(doctorId, startMs) : this.#book(doctorId, startMs, undefined)
  }

  async #book(doctorId: string, startMs: number, holdId: string | undefined): Promise<void> {
    const id = newId('apt')
    const booked = await heard(ask.book(this.user, doctorId, startMs, { appointmentId: id, holdId }))
    this.said.push({ type: 'appointment.booked', subjectId: id, code: booked && codeOf(booked) })
    if (booked?.ok) this.#own.push({ what: 'appointment', doctorId, id, startMs })
  }

  async #hold(doctorId: string, startMs: number): Promise<void> {
    const asked = newId('hld')
    const held = await heard(ask.hold(this.user, doctorId, startMs, { holdId: asked }))
    // Of a slot that they hold already, it is the hold that they have.
    const id = held?.ok ? held.value.hold.id : asked
    this.said.push({ type: 'hold.taken', subjectId: id, code: held && codeOf(held) })
    if (held?.ok) this.#own.push({ what: 'hold', doctorId, id, startMs })
  }

  async #useHold({ doctorId, id, startMs }: Own): Promise<void> {
    if (this.next() < 0.5) await heard(ask.release(this.user, doctorId, id))
    else await this.#book(doctorId, startMs, id)
  }

  async #change({ doctorId, id }: Own): Promise<void> {
    if (this.next() < 0.7) await heard(ask.move(this.user, doctorId, id, this.#startMs()))
    else await heard(ask.act(this.user, doctorId, id, 'cancel'))
  }
}

/** The answer, or undefined where the object died before it gave one. */
const heard = <T>(asked: Promise<T>): Promise<T | undefined> => asked.catch(() => undefined)

/** The doctor takes time off over one of the slots, and thinks better of it. */
async function doctorActs(doctor: SeededUser, firstMs: number, next: () => number): Promise<void> {
  for (let times = 0; times < 2; times++) {
    await pause(next() * 4 * MAX_PAUSE_MS)
    const startMs = firstMs + Math.floor(next() * SLOTS) * HALF_HOUR_MS
    const onConflict = next() < 0.5 ? 'keep' : 'cancel'
    const taken = await heard(ask.timeOff(doctor, startMs, startMs + HALF_HOUR_MS, { onConflict }))
    await pause(next() * MAX_PAUSE_MS)
    if (taken?.ok) await heard(ask.withdraw(doctor, taken.value.id))
  }
}

describe.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))('storm %i', (seed) => {
  it('what was answered is in D1, nothing overlaps, and memory knows all of it', async () => {
    const next = numbers(seed)
    const doctors = [await seedClinic(), await seedClinic()]
    const firstMs = Date.parse(await openStart(doctors[0]?.userId ?? '', 4))
    const patients = (await seedUsers('patient', PATIENTS)).map(
      (user) => new Patient(user, doctors, firstMs, next),
    )
    for (const { userId } of doctors) {
      await injectFaults(
        userId,
        Array.from({ length: 1000 }, () => weather(next)),
      )
    }
    const dying = pause(4 * MAX_PAUSE_MS).then(() => abortObject(doctors[seed % 2]?.userId ?? ''))
    await Promise.all([
      dying,
      ...patients.map((patient) => patient.act()),
      ...doctors.map((doctor) => doctorActs(doctor, firstMs, next)),
    ])

    for (const { userId } of doctors) {
      // The weather is fine again.
      await injectFaults(userId, [])
      await expectAgreement(userId)
    }
    const said = patients.flatMap((patient) => patient.said)
    expect(said.filter(({ code }) => code === 'done').length).toBeGreaterThan(SLOTS)
    await expectAnswersKept(said)
    await expectOneStory()
  })
})

/** What was answered as done was written once; what was refused, never. */
async function expectAnswersKept(said: readonly Said[]): Promise<void> {
  for (const { type, subjectId, code } of said) {
    if (code === undefined || code === 'unavailable') continue
    const written = (await eventsOf(subjectId)).filter((written) => written === type).length
    expect([subjectId, code, written]).toEqual([subjectId, code, code === 'done' ? 1 : 0])
  }
}

/** Patients are in one place at a time, and each appointment is what its events have made of it. */
async function expectOneStory(): Promise<void> {
  const busyTwice = await rows(
    `SELECT a.id FROM appointment a JOIN appointment b ON a.patient_id = b.patient_id AND a.id < b.id
     WHERE a.status = 'confirmed' AND b.status = 'confirmed' AND a.start_ms < b.end_ms AND b.start_ms < a.end_ms`,
  )
  expect(busyTwice).toEqual([])
  // SQLite takes what stands beside max() from the row that has it.
  const ends = await rows(
    `SELECT a.id, a.status, a.version, a.start_ms, count(*) AS events, max(e.sequence), e.type AS last
     FROM appointment a JOIN event e ON e.subject_id = a.id GROUP BY a.id`,
  )
  for (const { id, status, version, events, last } of ends) {
    const told = last === 'appointment.cancelled' ? 'cancelled' : 'confirmed'
    expect({ id, status, version }).toEqual({ id, status: told, version: events })
  }
  const moved = await rows<{ start_ms: number; data: string }>(
    `SELECT a.start_ms, max(e.sequence), e.data FROM appointment a JOIN event e ON e.subject_id = a.id
     WHERE e.type = 'appointment.rescheduled' GROUP BY a.id`,
  )
  for (const { start_ms, data } of moved) expect(JSON.parse(data).toMs).toBe(start_ms)
}
