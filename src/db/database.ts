/**
 * One view of D1 for one request or one command: a D1 session (so that it reads what it has written), and
 * what it costs. Every round trip is one `batch`, because only a batch tells what it read and wrote.
 */
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'

/** What a request has cost so far; the log line tells it, and the budget tests read it there. */
export interface Cost {
  /** Round trips to D1. */
  d1Batches: number
  d1RowsRead: number
  d1RowsWritten: number
  kvReads: number
  /** Calls of a Durable Object. */
  objectCalls: number
}

export const newCost = (): Cost => ({
  d1Batches: 0,
  d1RowsRead: 0,
  d1RowsWritten: 0,
  kvReads: 0,
  objectCalls: 0,
})

/** Adds what another part of the same request has cost, such as a Durable Object. */
export function addCost(total: Cost, part: Cost): void {
  for (const key of Object.keys(part) as (keyof Cost)[]) total[key] += part[key]
}

/** A statement and the values bound to it, for batches that mix Drizzle's with our own. */
export interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
}

export const statement = (sql: string, ...params: readonly unknown[]): Statement => ({ sql, params })

/** The statement that a Drizzle query would run. */
export const fromQuery = (query: { toSQL(): Statement }): Statement => query.toSQL()

/** Where a D1 session starts: a bookmark of an earlier answer, or one of D1's two constraints. */
export type ReadFrom = 'first-primary' | 'first-unconstrained' | (string & {})

/** A batch that failed, whatever the platform said of it; `db/refusal.ts` tells what kind of failure it is. */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure'

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

export interface Database {
  /** Drizzle over the metered session: for reads, always through `batch`. */
  readonly db: DrizzleD1Database
  readonly cost: Cost
  /** Runs the statements as one transaction: all of them happen, or none. Throws what D1 throws. */
  run(statements: readonly Statement[]): Promise<D1Result<Record<string, unknown>>[]>
  /** The state of D1 that this view has seen, or undefined if it has asked nothing. */
  bookmark(): string | undefined
  /** Another view has carried statements of this one, and tells their cost: this one has seen what it saw. */
  follow(carrier: Database): void
}

export function openDatabase(d1: D1Database, from: ReadFrom, cost: Cost = newCost()): Database {
  const session = d1.withSession(from)
  const metered = {
    prepare: (sql: string) => session.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
      cost.d1Batches += 1
      let results: D1Result<T>[]
      try {
        results = await session.batch<T>(statements)
      } catch (error) {
        throw new DatabaseFailure(error)
      }
      for (const { meta } of results) {
        cost.d1RowsRead += meta.rows_read
        cost.d1RowsWritten += meta.rows_written
      }
      return results
    },
  }
  let followed: Database | undefined
  const own = () => (cost.d1Batches > 0 ? (session.getBookmark() ?? undefined) : undefined)
  return {
    // Drizzle calls nothing of a D1Database but these two.
    db: drizzle(metered as unknown as D1Database),
    cost,
    run: (statements) =>
      metered.batch(statements.map(({ sql, params }) => session.prepare(sql).bind(...params))),
    bookmark: () => latest(own(), followed?.bookmark()),
    follow(carrier) {
      followed = carrier
    },
  }
}

/** The later of two bookmarks, which are ordered as texts. */
export const latest = (one: string | undefined, other: string | undefined): string | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one
