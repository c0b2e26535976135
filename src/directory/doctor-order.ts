/** The orders of the directory. Each has an index behind it, and cursors of its own; of equals the id decides. */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import * as z from 'zod'
import { availableOrder, calendar, doctor, experienceOrder, feeOrder } from '#db/schema'
import { decodeCursor, encodeCursor } from '#http/page'
import type { DoctorRow } from './doctor'

export const SORTS = ['name', 'fee', 'experience', 'nextAvailable'] as const
export type Sort = (typeof SORTS)[number]

/** A place in an order: what follows it is greater. */
export type Place = readonly [key: string | number, id: string]

interface Order {
  readonly key: SQLWrapper
  readonly id: SQLWrapper
}

const ORDERS: Readonly<Record<Sort, Order>> = {
  name: { key: doctor.sortName, id: doctor.userId },
  fee: { key: feeOrder(doctor.feeMinor), id: doctor.userId },
  experience: { key: experienceOrder(doctor.experienceYears), id: doctor.userId },
  nextAvailable: { key: availableOrder(calendar.nextAvailableAt), id: calendar.doctorId },
}

/** What D1 orders a row by, for the cursor after it. */
export const orderKeyOf = (sort: Sort) => sql<string | number>`${ORDERS[sort].key}`.as('order_key')

/** The condition that a row comes after the place. SQLite seeks an expression only where it is compared alone. */
export function isAfter(sort: Sort, [key, id]: Place): SQL {
  const order = ORDERS[sort]
  const after = sql`(${order.key}, ${order.id}) > (${key}, ${id})`
  return sort === 'name' ? after : sql`${order.key} >= ${key} AND ${after}`
}

export const orderBy = (sort: Sort): SQL[] => [sql`${ORDERS[sort].key}`, sql`${ORDERS[sort].id}`]

/** Before everybody. */
const start = (sort: Sort): Place => [sort === 'name' ? '' : Number.MIN_SAFE_INTEGER, '']

const NameCursor = z.tuple([z.string(), z.string()])
const NumberCursor = z.tuple([z.enum(SORTS), z.int(), z.string()])

/** The place that a cursor names, the start for none, or undefined for one that this order never gave out. */
export function placeOf(sort: Sort, cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return start(sort)
  if (sort === 'name') return decodeCursor(cursor, NameCursor)
  const decoded = decodeCursor(cursor, NumberCursor)
  return decoded === undefined || decoded[0] !== sort ? undefined : [decoded[1], decoded[2]]
}

/** The cursor of what comes after a row. */
export const cursorAfter = (sort: Sort, { orderKey: key, id }: DoctorRow): string =>
  encodeCursor(sort === 'name' ? [key, id] : [sort, key, id])
