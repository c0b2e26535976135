/**
 * Gathers the writes of one moment into one D1 batch: a round trip costs the same whether it carries one
 * command or thirty. A commit is sent at once while few batches are under way; what comes meanwhile waits for
 * the first of them to return, and goes together, in the order in which it was decided.
 *
 * A batch is one transaction, so that what is gathered happens together or not at all:
 *
 * - refused by name: nothing has happened, and only one of them is to blame. The halves are sent one after
 *   the other, until it stands alone and hears of its refusal, and all others have been carried out;
 * - memory was wrong, or nobody knows what happened: that concerns all of them.
 */
import { type Database, DatabaseFailure, type Statement, statement } from '#db/database'
import { type Refusal, refusalOf } from '#db/refusal'
import { type Actor, useRight } from '#db/right'
import type { Calendar } from './core/calendar'

/** Commits in one batch. At four statements each it stays far below what D1 runs in its thirty seconds. */
export const MAX_GATHERED = 32

/**
 * Batches of one doctor under way at once. The second lets others through while D1 keeps the first waiting;
 * more would only carry less each.
 */
const MAX_BATCHES_UNDER_WAY = 2

/** Milliseconds after which a call of D1 counts as failed, its outcome unknown. */
const D1_TIMEOUT_MS = 10_000

export type Commit =
  | { readonly kind: 'done'; readonly rows: readonly Record<string, unknown>[][]; readonly version: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Memory was wrong or the outcome is unknown: the calendar has been forgotten. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'unknown' }

/** Refusals that say that memory was wrong, rather than that the command may not be. */
const MEMORY_WAS_WRONG: readonly Refusal[] = ['stale-calendar', 'stale-version', 'slot-taken']

/** A change on its way to D1: whose it is, and the calendar by which it was decided. */
export interface NewCommit {
  readonly database: Database
  readonly calendar: Calendar
  /** Null where time alone acts. */
  readonly actor: Actor | null
  readonly statements: readonly Statement[]
}

interface WaitingCommit extends NewCommit {
  settle(commit: Commit): void
}

/** What the commits of a doctor know of the calendar in memory. */
export interface Memory {
  isCurrent(calendar: Calendar): boolean
  forget(calendar: Calendar): void
}

export class Commits {
  readonly #waiting: WaitingCommit[] = []
  #underWay = 0

  constructor(private readonly memory: Memory) {}

  /** Sends it, at once or with others; resolves to what became of it. */
  add(commit: NewCommit): Promise<Commit> {
    return new Promise((settle) => {
      this.#waiting.push({ ...commit, settle })
      this.#sendWaiting()
    })
  }

  #sendWaiting(): void {
    while (this.#underWay < MAX_BATCHES_UNDER_WAY && this.#waiting.length > 0) {
      this.#underWay += 1
      void this.#send(this.#waiting.splice(0, MAX_GATHERED)).finally(() => {
        this.#underWay -= 1
        this.#sendWaiting()
      })
    }
  }

  async #send(gathered: readonly WaitingCommit[]): Promise<void> {
    const settleAll = (commits: readonly WaitingCommit[], commit: Commit) => {
      for (const { settle } of commits) settle(commit)
    }
    // Decided by a calendar that was forgotten since; D1 has not heard of them.
    settleAll(
      gathered.filter(({ calendar }) => !this.memory.isCurrent(calendar)),
      { kind: 'stale' },
    )
    const commits = gathered.filter(({ calendar }) => this.memory.isCurrent(calendar))
    const [first] = commits
    if (first === undefined) return
    const { calendar } = first
    let sent: Sent
    try {
      sent = await inTime(runTogether(calendar, commits))
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined || MEMORY_WAS_WRONG.includes(refusal)) {
        this.memory.forget(calendar)
        settleAll(commits, { kind: refusal === undefined ? 'unknown' : 'stale' })
      } else if (commits.length === 1) {
        first.settle({ kind: 'refused', refusal })
      } else {
        const half = Math.ceil(commits.length / 2)
        await this.#send(commits.slice(0, half))
        await this.#send(commits.slice(half))
      }
      return
    }
    const { version } = sent
    calendar.version = Math.max(calendar.version, version)
    for (const [index, { settle }] of commits.entries()) {
      settle({ kind: 'done', rows: sent.rows[index] ?? [], version })
    }
  }
}

interface Sent {
  readonly version: number
  /** Those of each commit's own statements. */
  readonly rows: readonly Record<string, unknown>[][][]
}

/** One batch: the fence, then of each commit its right (where somebody acts) and its statements. */
async function runTogether(calendar: Calendar, commits: readonly WaitingCommit[]): Promise<Sent> {
  const fence = statement(
    'UPDATE calendar SET writer_epoch = ?, version = version + 1 WHERE doctor_id = ? RETURNING version',
    calendar.epoch,
    calendar.doctorId,
  )
  const nowMs = Date.now()
  const parts = commits.map(({ actor, statements }) => [
    ...(actor === null ? [] : [useRight(actor, nowMs)]),
    ...statements,
  ])
  const [carrier, ...others] = commits.map(({ database }) => database)
  if (carrier === undefined) throw new Error('A batch carries a commit')
  const results = await carrier.run([fence, ...parts.flat()])
  for (const database of others) database.follow(carrier)
  let next = 1
  const rows = commits.map(({ statements }, index) => {
    next += parts[index]?.length ?? 0
    return results.slice(next - statements.length, next).map((result) => result.results)
  })
  return { version: Number(results[0]?.results[0]?.version), rows }
}

/** Rejects when D1 has not answered in time; what it answers later is no longer waited for. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DatabaseFailure('D1 did not answer in time')), D1_TIMEOUT_MS)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
