/** A D1 that is the real one, and keeps a list of what it was asked. */
import { env } from 'cloudflare:workers'

export interface Asked {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** The binding, passing everything on, and what went through it. */
export function recording(): { DB: D1Database; asked: Asked[] } {
  const asked: Asked[] = []
  const texts = new WeakMap<D1PreparedStatement, Asked>()
  const note = (statement: D1PreparedStatement, one: Asked): D1PreparedStatement => {
    texts.set(statement, one)
    const bind = statement.bind.bind(statement)
    statement.bind = (...params) => note(bind(...params), { sql: one.sql, params })
    return statement
  }
  const withSession: D1Database['withSession'] = (from) => {
    const session = env.DB.withSession(from)
    return {
      prepare: (sql: string) => note(session.prepare(sql), { sql, params: [] }),
      batch: <T>(statements: D1PreparedStatement[]) => {
        for (const statement of statements) asked.push(texts.get(statement) ?? { sql: '', params: [] })
        return session.batch<T>(statements)
      },
      getBookmark: () => session.getBookmark(),
    } as D1DatabaseSession
  }
  return { DB: { withSession } as D1Database, asked }
}

/** The steps of SQLite's plan for a statement. */
export async function planOf({ sql, params }: Asked): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...params)
    .all<{ detail: string }>()
  return results.map(({ detail }) => detail)
}
