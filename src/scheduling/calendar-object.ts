/**
 * What every doctor's object does around its commands: bounds them, gives each its own view of D1, lets time
 * do its part first, and follows each change with listings, listeners and the alarm. The commands are in `doctor-calendar.ts`.
 */
import { DurableObject } from 'cloudflare:workers'
import { type Database, openDatabase } from '#db/database'
import { IDEMPOTENCY_MS, type KeyedRequest } from '#db/idempotency'
import { isDatabaseFailure } from '#db/refusal'
import type { Actor } from '#db/right'
import { logError } from '#http/log-error'
import { done, type ObjectAnswer, type Outcome, type RateState, refused } from './answer'
import { Attempts } from './attempts'
import { CalendarKeeper, Unavailable } from './calendar-keeper'
import type { CommandContext } from './change-calendar'
import type { Calendar } from './core/calendar'
import { lapseOverdue } from './lapse-overdue'
import { LiveListeners } from './live-listeners'
import { NextAvailableNote } from './note-next-available'
import { OpeningsPut } from './put-openings'

/**
 * Commands in flight at one doctor before more are refused. Each holds a D1 call and a few kilobytes; 500
 * racers and their retries fit four times over, and memory stays far below an isolate's 128 MB.
 */
const MAX_COMMANDS_IN_FLIGHT = 2000

/** Milliseconds until the object tries again by itself to load after D1 failed it. */
const RELOAD_AFTER_MS = 5000

/** Milliseconds until what was due already is tried again. */
const OVERDUE_AGAIN_MS = 1000

/** One queue for all changes of a doctor's hours. */
const SCHEDULE_QUEUE = 'schedule'

/** A command that creates: who gives it, and under which key. */
interface Creating {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
}

type Work<T> = (context: CommandContext) => Promise<Outcome<T>>
type CalendarWork<T> = (calendar: Calendar, context: CommandContext) => Promise<Outcome<T>>

export abstract class CalendarObject extends DurableObject<Env> {
  protected readonly keeper: CalendarKeeper
  protected readonly listeners: LiveListeners
  readonly #attempts: Attempts
  readonly #put: OpeningsPut
  readonly #note: NextAvailableNote
  #inFlight = 0
  #alarmAtMs: number | undefined

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#attempts = new Attempts(state.storage.sql)
    this.listeners = new LiveListeners(state)
    // The name is the doctor's id. Without it the object could only take every doctor for unknown.
    if (state.id.name === undefined) throw new Error('A doctor’s object is asked for by name')
    this.keeper = new CalendarKeeper(state.id.name, {
      changed: (calendar) => this.#changed(calendar),
    })
    this.#put = new OpeningsPut(
      () => this.env.OPENINGS,
      () => this.keeper.inMemory,
    )
    this.#note = new NextAvailableNote(
      () => this.env.DB,
      () => this.keeper.inMemory,
    )
  }

  /** Answers; for the readiness probe. */
  ping(): true {
    return true
  }

  /** Time's own changes, when they are due; and a load that is owed since D1 failed. */
  override async alarm(): Promise<void> {
    this.#alarmAtMs = undefined
    await this.wake()
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.listeners.heard(socket, message)
  }

  /** Completes the handshake that the listener began; 1005 and 1006 say that it named no code. */
  override webSocketClose(socket: WebSocket, code: number): void {
    if (code === 1005 || code === 1006) socket.close()
    else socket.close(code)
  }

  /**
   * Loads if need be, carries out what time alone changes, and sees that KV and the directory show it. The cron
   * calls it where rows are overdue, the queue after each change.
   */
  wake(): Promise<ObjectAnswer<null>> {
    return this.run(null, (calendar) => {
      this.#mendListings(calendar)
      this.#alarmWhenDue(calendar)
      return Promise.resolve(done(null))
    })
  }

  /**
   * Runs one command with its own view of D1, once time has done its part. The command belongs to the object:
   * a caller who goes away cancels nothing. From the call of `work` to its first await is one turn.
   */
  protected run<T>(actor: Actor | null, work: CalendarWork<T>): Promise<ObjectAnswer<T>> {
    return this.#bounded(actor, (context) => this.#afterTime(context, work))
  }

  /** What was shown may have been lost with an object that owed it, or its time may be over. */
  #mendListings(calendar: Calendar): void {
    const nowMs = Date.now()
    if (this.#put.isBehind(calendar, nowMs)) this.ctx.waitUntil(this.#put.soon())
    if (this.#note.isBehind(nowMs)) this.ctx.waitUntil(this.#note.soon())
  }

  /**
   * A reading of memory, which never waits for what time has still to write. Whoever reads here has found nothing
   * good enough elsewhere.
   */
  protected read<T>(work: (calendar: Calendar, nowMs: number) => Outcome<T>): Promise<ObjectAnswer<T>> {
    return this.#bounded(null, async ({ database, nowMs }) => {
      const calendar = await this.keeper.ready(database)
      if (calendar === undefined) return refused('doctor-not-found')
      this.#mendListings(calendar)
      return work(calendar, calendar.advance(nowMs()))
    })
  }

  async #bounded<T>(actor: Actor | null, work: Work<T>): Promise<ObjectAnswer<T>> {
    const database = openDatabase(this.env.DB, 'first-primary')
    if (this.#inFlight >= MAX_COMMANDS_IN_FLIGHT) return this.#answer(refused('overloaded'), database)
    this.#inFlight += 1
    const running = this.#settle(work({ actor, database, nowMs: () => Date.now() }))
    this.ctx.waitUntil(running)
    return this.#answer(await running, database)
  }

  /** A command that creates: one key, one effect. */
  protected create<T>(command: Creating, work: Work<T>): Promise<ObjectAnswer<T>> {
    return this.run(command.actor, (_, context) =>
      this.keeper.once(context, command.actor, command.key, () => work(context)),
    )
  }

  /** A command that changes hours: one after another. */
  protected inScheduleOrder<T>(actor: Actor, work: Work<T>): Promise<ObjectAnswer<T>> {
    return this.run(actor, (_, context) => this.keeper.inOrder(SCHEDULE_QUEUE, () => work(context)))
  }

  /** Both. */
  protected createInScheduleOrder<T>(command: Creating, work: Work<T>): Promise<ObjectAnswer<T>> {
    return this.create(command, (context) => this.keeper.inOrder(SCHEDULE_QUEUE, () => work(context)))
  }

  /** A command that patients have only so many attempts at in a minute; a replay is none. */
  protected async attempt<T>(command: Creating, patientId: string, work: Work<T>): Promise<ObjectAnswer<T>> {
    let rate: RateState | undefined
    const answered = await this.create(command, (context) => {
      if (command.actor.role !== 'patient') return work(context)
      const counted = this.#attempts.count(patientId, context.nowMs())
      rate = counted.rate
      if (counted.allowed) return work(context)
      return Promise.resolve(refused('rate-limited', { retryAfterSeconds: rate.retryAfterSeconds }))
    })
    return { ...answered, rate }
  }

  async #afterTime<T>(context: CommandContext, work: CalendarWork<T>): Promise<Outcome<T>> {
    let calendar = await this.keeper.ready(context.database)
    if (calendar === undefined) return refused('doctor-not-found')
    const { pending, holds, waiting } = calendar.overdue(calendar.advance(context.nowMs()))
    if (pending.length + holds.length + waiting.length > 0) {
      // Whatever becomes of it: until D1 has noted them, what they block stays blocked.
      await lapseOverdue(this.keeper, { ...context, actor: null })
      calendar = await this.keeper.ready(context.database)
      if (calendar === undefined) return refused('doctor-not-found')
    }
    return work(calendar, context)
  }

  async #settle<T>(work: Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof Error) || !(error instanceof Unavailable || isDatabaseFailure(error)))
        throw error
      logError('command', { doctorId: this.keeper.doctorId }, error)
      this.#alarmBy(Date.now() + RELOAD_AFTER_MS)
      return refused('unavailable')
    } finally {
      this.#inFlight -= 1
    }
  }

  #answer<T>(outcome: Outcome<T>, database: Database): ObjectAnswer<T> {
    return {
      ...outcome,
      version: (outcome.ok ? outcome.version : undefined) ?? this.keeper.inMemory?.version ?? 0,
      cost: database.cost,
      bookmark: database.bookmark(),
      rate: undefined,
    }
  }

  #changed(calendar: Calendar): void {
    this.ctx.waitUntil(this.#put.soon())
    this.ctx.waitUntil(this.listeners.changed(calendar.version))
    this.ctx.waitUntil(this.#note.soon())
    this.keeper.forgetAnswers(Date.now() - IDEMPOTENCY_MS)
    this.#alarmWhenDue(calendar)
  }

  #alarmWhenDue(calendar: Calendar): void {
    const due = calendar.nextDueMs()
    const nowMs = Date.now()
    if (due !== undefined) this.#alarmBy(due > nowMs ? due : nowMs + OVERDUE_AGAIN_MS)
  }

  /** The single alarm is the earliest due time of all purposes. */
  #alarmBy(atMs: number): void {
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return
    this.#alarmAtMs = atMs
    this.ctx.waitUntil(this.ctx.storage.setAlarm(atMs))
  }
}
