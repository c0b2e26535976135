/**
 * Keeps one doctor's calendar in memory and in step with D1. It knows the protocol, not the commands: those
 * are one file a verb. Three rules hold it together:
 *
 * - Memory is never freer than D1. What takes changes memory before D1 is asked, what gives back after.
 * - One epoch, one writer. Every write begins with the fence; a load raises the epoch.
 * - A failure that bears none of our names is an unknown outcome: the calendar is forgotten and loaded, and
 *   what the load lacks never happens, for the fence refuses whatever arrives late.
 */
import type { Database, Statement } from '#db/database'
import type { KeyedRequest } from '#db/idempotency'
import { type Actor, holdsRight } from '#db/right'
import { done, type Outcome, refused } from './answer'
import type { Calendar } from './core/calendar'
import { type Commit, Commits, inTime } from './gather-commits'
import { keyOf, loadCalendar, type RememberedAnswer } from './load-calendar'

/** Thrown where D1 cannot be loaded from; the object answers 503. */
export class Unavailable extends Error {}

export interface KeeperHooks {
  /** Memory changed or was loaded: listings and alarms follow. */
  changed(calendar: Calendar): void
}

export class CalendarKeeper {
  #calendar: Calendar | undefined
  #answers = new Map<string, RememberedAnswer>()
  #loading: Promise<Calendar | undefined> | undefined
  /** Creating commands under way, by key: a twin shares the first one's outcome. */
  readonly #twins = new Map<string, { bodyHash: string; outcome: Promise<Outcome<unknown>> }>()
  /** Changes on their way to D1, by what they change. */
  readonly #underWay = new Map<string, Promise<unknown>>()
  /** The last command of each queue: commands on one appointment run one after another. */
  readonly #queues = new Map<string, Promise<unknown>>()
  readonly #commits = new Commits({
    isCurrent: (calendar) => this.isCurrent(calendar),
    forget: (calendar) => this.#forget(calendar),
  })

  constructor(
    readonly doctorId: string,
    private readonly hooks: KeeperHooks,
  ) {}

  /** The calendar, loaded if it is not in memory; undefined for an unknown doctor. Throws `Unavailable`. */
  async ready(database: Database): Promise<Calendar | undefined> {
    return this.#calendar ?? (await this.#load(database))
  }

  /** The calendar if it is in memory. */
  get inMemory(): Calendar | undefined {
    return this.#calendar
  }

  /** Whether this is still the calendar that decides; after any wait it may have been loaded anew. */
  isCurrent(calendar: Calendar): boolean {
    return this.#calendar === calendar
  }

  /** Memory changed after D1 agreed. */
  changed(calendar: Calendar): void {
    if (this.isCurrent(calendar)) this.hooks.changed(calendar)
  }

  #load(database: Database): Promise<Calendar | undefined> {
    this.#loading ??= this.#loadOnce(database).finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #loadOnce(database: Database): Promise<Calendar | undefined> {
    let loaded: Awaited<ReturnType<typeof loadCalendar>>
    try {
      loaded = await inTime(loadCalendar(database, this.doctorId, Date.now()))
    } catch (error) {
      throw new Unavailable('The calendar could not be loaded', { cause: error })
    }
    this.#calendar = loaded?.calendar
    this.#answers = loaded?.answers ?? new Map()
    if (loaded !== undefined) this.hooks.changed(loaded.calendar)
    return this.#calendar
  }

  /** Drops what turned out to be wrong, unless it has been replaced already. */
  #forget(calendar: Calendar): void {
    if (this.#calendar === calendar) this.#calendar = undefined
  }

  /**
   * Writes to D1 in one batch, perhaps together with others: the right (where somebody acts), the fence, the
   * statements. On `done` the calendar's version has moved on; `rows` are those of the statements alone.
   */
  commit(
    database: Database,
    calendar: Calendar,
    actor: Actor | null,
    statements: readonly Statement[],
  ): Promise<Commit> {
    return this.#commits.add({ database, calendar, actor, statements })
  }

  /** Notes that a change of these subjects is on its way. */
  async track<T>(subjectIds: readonly string[], work: Promise<T>): Promise<T> {
    for (const subjectId of subjectIds) this.#underWay.set(subjectId, work)
    try {
      return await work
    } finally {
      for (const subjectId of subjectIds) this.#underWay.delete(subjectId)
    }
  }

  /** Those of the subjects that a change is on its way for. */
  underWay(subjectIds: readonly string[]): string[] {
    return subjectIds.filter((subjectId) => this.#underWay.has(subjectId))
  }

  /** When the changes of these subjects that are on their way have been settled, either way. */
  async settled(subjectIds: readonly string[]): Promise<void> {
    await Promise.allSettled(subjectIds.map((subjectId) => this.#underWay.get(subjectId)))
  }

  /** Keeps an answer that D1 has agreed to; loads read it from there. */
  remember(actor: Actor, { key, bodyHash }: KeyedRequest, answer: string, createdAt: number): void {
    this.#answers.set(keyOf(actor.userId, key), { bodyHash, answer, createdAt })
  }

  /**
   * One key, one effect. A key seen before gives its first answer, a twin in flight shares the outcome of
   * the first, and either with another body is refused. Called in the turn that decides.
   */
  once<T>(
    { database }: { database: Database },
    actor: Actor,
    key: KeyedRequest | undefined,
    work: () => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    if (key === undefined) return work()
    const id = keyOf(actor.userId, key.key)
    const seen = this.#answers.get(id)
    const first = seen && { bodyHash: seen.bodyHash, outcome: Promise.resolve(done(JSON.parse(seen.answer))) }
    const earlier = first ?? this.#twins.get(id)
    if (earlier !== undefined) {
      if (earlier.bodyHash !== key.bodyHash) return Promise.resolve(refused('idempotency-key-reused'))
      return replayOf(database, actor, earlier.outcome as Promise<Outcome<T>>)
    }
    const outcome = work().finally(() => this.#twins.delete(id))
    this.#twins.set(id, { bodyHash: key.bodyHash, outcome })
    return outcome
  }

  /** Runs after whatever else is under way in the same queue. */
  async inOrder<T>(queue: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(queue) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#queues.set(queue, mine)
    try {
      return await mine
    } finally {
      if (this.#queues.get(queue) === mine) this.#queues.delete(queue)
    }
  }

  /** Keys older than `beforeMs` hold no longer. They are in the order of their making, so the first to hold ends it. */
  forgetAnswers(beforeMs: number): void {
    for (const [id, { createdAt }] of this.#answers) {
      if (createdAt > beforeMs) return
      this.#answers.delete(id)
    }
  }
}

/** An earlier outcome given again. It tells what a first answer tells, so its right is checked as well. */
async function replayOf<T>(
  database: Database,
  actor: Actor,
  earlier: Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const outcome = await earlier
  if (!outcome.ok) return outcome
  return (await holdsRight(database, actor))
    ? done(outcome.value, { replayed: true })
    : refused('session-ended')
}
