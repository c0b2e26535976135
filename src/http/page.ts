/** Pages of a list, by cursor: the cursor holds the sort values of the last item, so that nothing is skipped. */
import * as z from 'zod'
import { base64Url, fromBase64Url } from '#db/encode'

const DEFAULT_PAGE_SIZE = 20
const MAX_PAGE_SIZE = 100

/** The longest cursor that is looked at, in characters. */
const MAX_CURSOR_LENGTH = 600

/** Query members that every list takes. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
  cursor: z.string().min(1).max(MAX_CURSOR_LENGTH).optional(),
  count: z.enum(['true', 'false']).default('false'),
}

export interface Page<Item> {
  items: Item[]
  nextCursor: string | null
  total?: number
}

/** The document of a page of such items, which have a name. */
export const PageOf = <S extends z.ZodType>(item: S) =>
  z
    .object({
      items: z.array(item),
      nextCursor: z
        .string()
        .nullable()
        .meta({ description: 'The cursor of the next page; null on the last' }),
      total: z.int().optional().meta({ description: 'How many there are on all pages, with `count=true`' }),
    })
    .meta({ id: `${item.meta()?.id}Page` })

/** An example of a page: one item, and nothing after it. */
export const pageExample = <Item>(item: Item): Page<Item> => ({ items: [item], nextCursor: null })

/**
 * A page from rows that were asked for with `limit + 1`: the row too many says that there is a next page.
 * `cursorOf` gives the sort values of a row.
 */
export function pageFrom<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => readonly (string | number)[],
  toItem: (row: Row) => Item,
): Page<Item> {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    items: rows.slice(0, limit).map(toItem),
    nextCursor: last === undefined ? null : encodeCursor(cursorOf(last)),
  }
}

/** The cursor of what follows these sort values. */
export const encodeCursor = (values: readonly (string | number)[]): string =>
  base64Url(new TextEncoder().encode(JSON.stringify(values)))

/** The sort values in a cursor, or undefined for a cursor that this list never gave out. */
export function decodeCursor<S extends z.ZodType>(cursor: string, shape: S): z.output<S> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(fromBase64Url(cursor))
    return shape.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** The fault of a made-up cursor. */
export const CURSOR_FAULT = { pointer: '/cursor', detail: 'This list gave out no such cursor' }
