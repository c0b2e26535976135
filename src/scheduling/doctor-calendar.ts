/**
 * The Durable Object, one a doctor: the lock that decides. Each method is one command or reading; the
 * protocol is in `change-calendar.ts` and `calendar-keeper.ts`. It has no WebSocket and no timer of its own
 * but one alarm, so an idle doctor costs nothing.
 */
import { DurableObject } from 'cloudflare:workers'
import { type Database, openDatabase } from '#db/database'
import { IDEMPOTENCY_MS } from '#db/idempotency'
import { isDatabaseFailure } from '#db/refusal'
import type { Actor } from '#db/right'
import { done, type ObjectAnswer, type Outcome, type RateState, refused } from './answer'
import { Attempts } from './attempts'
import { type BookCommand, type BookedAppointment, bookAppointment } from './book-appointment'
import { CalendarKeeper, Unavailable } from './calendar-keeper'
import { type CancelCommand, cancelAppointment } from './cancel-appointment'
import type { CommandContext } from './change-calendar'
import {
  type AddOpeningCommand,
  addOpening,
  type RemoveOpeningCommand,
  removeOpening,
} from './change-openings'
import type { Appointment } from './core/appointment'
import type { Calendar } from './core/calendar'
import type { Opening, Schedule } from './core/schedule'
import { lapsePending } from './lapse-pending'
import { type Openings, openingsOf } from './openings'
import { OpeningsPut } from './put-openings'
import { type SetScheduleCommand, setSchedule } from './set-schedule'
import { type VerifiedDoctor, type VerifyCommand, verifyDoctor } from './verify-doctor'

/**
 * Commands in flight at one doctor before more are refused. Each holds a D1 call and a few kilobytes; 500
 * racers and their retries fit four times over, and memory stays far below an isolate's 128 MB.
 */
const MAX_COMMANDS_IN_FLIGHT = 2000

/** Milliseconds until the object tries again by itself to load after D1 failed it. */
const RELOAD_AFTER_MS = 5000

/** One queue for all changes of a doctor's hours. */
const SCHEDULE_QUEUE = 'schedule'

export class DoctorCalendar extends DurableObject<Env> {
  readonly #keeper: CalendarKeeper
  readonly #attempts: Attempts
  readonly #put: OpeningsPut
  #inFlight = 0
  #alarmAtMs: number | undefined

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#attempts = new Attempts(state.storage.sql)
    // The name is the doctor's id. Without it the object could only take every doctor for unknown.
    if (state.id.name === undefined) throw new Error('A doctor’s object is asked for by name')
    this.#keeper = new CalendarKeeper(state.id.name, {
      changed: (calendar) => this.#changed(calendar),
    })
    this.#put = new OpeningsPut(
      () => this.env.OPENINGS,
      () => this.#keeper.inMemory,
    )
  }

  /** Answers; for the readiness probe. */
  ping(): true {
    return true
  }

  async book(command: BookCommand): Promise<ObjectAnswer<BookedAppointment>> {
    let rate: RateState | undefined
    const answered = await this.#run(command.actor, async (context) => {
      if ((await this.#keeper.ready(context.database)) === undefined) return refused('doctor-not-found')
      // From here to the first await inside `bookAppointment` is one turn.
      return this.#keeper.once(context, command.actor, command.key, () => {
        if (command.actor.role === 'patient') {
          const counted = this.#attempts.count(command.patientId, context.nowMs())
          rate = counted.rate
          if (!counted.allowed) {
            return Promise.resolve(refused('rate-limited', { retryAfterSeconds: rate.retryAfterSeconds }))
          }
        }
        return bookAppointment(this.#keeper, context, command)
      })
    })
    return { ...answered, rate }
  }

  cancel(command: CancelCommand): Promise<ObjectAnswer<Appointment>> {
    return this.#run(command.actor, (context) =>
      this.#keeper.inOrder(command.appointmentId, () => cancelAppointment(this.#keeper, context, command)),
    )
  }

  setSchedule(command: SetScheduleCommand): Promise<ObjectAnswer<Schedule>> {
    return this.#inScheduleOrder(command.actor, (context) => setSchedule(this.#keeper, context, command))
  }

  async addOpening(command: AddOpeningCommand): Promise<ObjectAnswer<Opening>> {
    return this.#run(command.actor, async (context) => {
      if ((await this.#keeper.ready(context.database)) === undefined) return refused('doctor-not-found')
      return this.#keeper.once(context, command.actor, command.key, () =>
        this.#keeper.inOrder(SCHEDULE_QUEUE, () => addOpening(this.#keeper, context, command)),
      )
    })
  }

  removeOpening(command: RemoveOpeningCommand): Promise<ObjectAnswer<null>> {
    return this.#inScheduleOrder(command.actor, (context) => removeOpening(this.#keeper, context, command))
  }

  verify(command: VerifyCommand): Promise<ObjectAnswer<VerifiedDoctor>> {
    return this.#inScheduleOrder(command.actor, (context) => verifyDoctor(this.#keeper, context, command))
  }

  /** What listings show, straight from memory. */
  openings(): Promise<ObjectAnswer<Openings>> {
    return this.#run(null, async (context) => {
      const calendar = await this.#keeper.ready(context.database)
      if (calendar === undefined) return refused('doctor-not-found')
      return done(openingsOf(calendar, calendar.advance(context.nowMs())))
    })
  }

  /** Time's own changes, when they are due; and a load that is owed since D1 failed. */
  override async alarm(): Promise<void> {
    this.#alarmAtMs = undefined
    await this.wake()
  }

  /**
   * Loads if need be, carries out what time alone changes, and sees that KV shows it. The cron calls it where
   * rows are overdue, the queue after each change.
   */
  async wake(): Promise<ObjectAnswer<null>> {
    return this.#run(null, async (context) => {
      const calendar = await this.#keeper.ready(context.database)
      if (calendar === undefined) return refused('doctor-not-found')
      const nowMs = calendar.advance(context.nowMs())
      for (const { id } of calendar.lapsedPending(nowMs)) {
        await this.#keeper.inOrder(id, () => lapsePending(this.#keeper, context, id))
      }
      if (this.#put.isBehind(calendar)) this.ctx.waitUntil(this.#put.soon())
      this.#alarmWhenDue(calendar)
      return done(null)
    })
  }

  #inScheduleOrder<T>(
    actor: Actor,
    work: (context: CommandContext) => Promise<Outcome<T>>,
  ): Promise<ObjectAnswer<T>> {
    return this.#run(actor, (context) => this.#keeper.inOrder(SCHEDULE_QUEUE, () => work(context)))
  }

  /**
   * Runs one command with its own view of D1. The command belongs to the object: a caller who goes away
   * cancels nothing.
   */
  async #run<T>(
    actor: Actor | null,
    work: (context: CommandContext) => Promise<Outcome<T>>,
  ): Promise<ObjectAnswer<T>> {
    const database = openDatabase(this.env.DB, 'first-primary')
    if (this.#inFlight >= MAX_COMMANDS_IN_FLIGHT) return this.#answer(refused('overloaded'), database)
    this.#inFlight += 1
    const running = this.#settle(work({ actor, database, nowMs: () => Date.now() }))
    this.ctx.waitUntil(running)
    return this.#answer(await running, database)
  }

  async #settle<T>(work: Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof Error) || !(error instanceof Unavailable || isDatabaseFailure(error)))
        throw error
      console.error(
        JSON.stringify({ level: 'error', what: 'command', doctorId: this.ctx.id.name, ...told(error) }),
      )
      this.#alarmBy(Date.now() + RELOAD_AFTER_MS)
      return refused('unavailable')
    } finally {
      this.#inFlight -= 1
    }
  }

  #answer<T>(outcome: Outcome<T>, database: Database): ObjectAnswer<T> {
    return {
      ...outcome,
      version: (outcome.ok ? outcome.version : undefined) ?? this.#keeper.inMemory?.version ?? 0,
      cost: database.cost,
      bookmark: database.bookmark(),
      rate: undefined,
    }
  }

  #changed(calendar: Calendar): void {
    this.ctx.waitUntil(this.#put.soon())
    const nowMs = Date.now()
    this.#keeper.forgetAnswers(nowMs - IDEMPOTENCY_MS)
    this.#alarmWhenDue(calendar)
  }

  #alarmWhenDue(calendar: Calendar): void {
    const due = calendar.nextPendingStartMs()
    if (due !== undefined) this.#alarmBy(Math.max(due, Date.now()))
  }

  /** The single alarm is the earliest due time of all purposes. */
  #alarmBy(atMs: number): void {
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return
    this.#alarmAtMs = atMs
    this.ctx.waitUntil(this.ctx.storage.setAlarm(atMs))
  }
}

/** A failure as the log tells it: what the platform said, which quotes nothing that a caller sent. */
const told = (error: Error) => ({
  message: error.message,
  cause: String((error.cause as Error | undefined)?.message),
})
