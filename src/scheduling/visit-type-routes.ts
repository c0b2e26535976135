/** The visit types that a doctor offers. */
import { and, asc, count as counted, eq, gt, gte, or } from 'drizzle-orm'
import { Hono } from 'hono'
import * as z from 'zod'
import { readAs } from '#db/right'
import { visitType } from '#db/schema'
import type { AppEnv } from '#http/context'
import { operation, shows } from '#http/operation'
import { CURSOR_FAULT, decodeCursor, PageOf, pageExample, pageFrom, pageQuery } from '#http/page'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { exampleVisitType, VisitTypeView, viewVisitType } from './visit-type'

const Cursor = z.tuple([z.int(), z.string().max(64)])

export const visitTypeRoutes = new Hono<AppEnv>().get(
  '/doctors/me/visit-types',
  operation('listVisitTypes', {
    tag: 'Scheduling',
    summary: 'The own visit types, oldest first; the first is what a booking gets that names none',
    answers: { 200: shows(PageOf(VisitTypeView), 'A page', pageExample(exampleVisitType)) },
  }),
  validate('query', z.strictObject(pageQuery)),
  async (c) => {
    const { limit, cursor, count } = c.req.valid('query')
    const after = cursor === undefined ? undefined : decodeCursor(cursor, Cursor)
    if (cursor !== undefined && after === undefined) return invalid(c, [CURSOR_FAULT])
    const actor = c.get('actor')
    const database = databaseOf(c)
    const own = eq(visitType.doctorId, actor.userId)
    const beyond =
      after &&
      and(
        gte(visitType.createdAt, after[0]),
        or(gt(visitType.createdAt, after[0]), gt(visitType.id, after[1])),
      )
    const read = await readAs(database, actor, [
      database.db
        .select()
        .from(visitType)
        .where(and(own, beyond))
        .orderBy(asc(visitType.createdAt), asc(visitType.id))
        .limit(limit + 1),
      database.db.select({ total: counted() }).from(visitType).where(own),
    ])
    if (read === undefined) return problem(c, 'session-ended')
    const page = pageFrom(read[0], limit, ({ createdAt, id }) => [createdAt, id], viewVisitType)
    return c.json({ ...page, ...(count === 'true' && { total: read[1][0]?.total ?? 0 }) }, 200)
  },
)
