/**
 * The typed client: every path, body and answer of the API, inferred from the routes themselves. Answers are
 * told apart by their status: after `response.status === 201` the body is an appointment, after 409 a problem
 * whose `code` says which. Only the type of the app comes along, none of its code.
 */
import { hc } from 'hono/client'
import type { App } from './app'

export interface ClientOptions {
  /** The access token of the moment, if somebody is signed in; asked for with every request. */
  readonly token?: () => string | undefined
  /** Replaces the global fetch. */
  readonly fetch?: typeof fetch
}

export type Client = ReturnType<typeof hc<App>>

/**
 * A client of the API at this address. It sends back the latest `Bookmark` that it was given, so that whoever
 * uses it always reads at least what they have written.
 */
export function createClient(baseUrl: string, options: ClientOptions = {}): Client {
  const send = options.fetch ?? fetch
  let bookmark: string | undefined
  return hc<App>(baseUrl, {
    headers: () => {
      const token = options.token?.()
      return {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(bookmark !== undefined && { Bookmark: bookmark }),
      }
    },
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const response = await send(input, init)
      const reached = response.headers.get('Bookmark')
      // They sort by age; an answer that was overtaken on its way brings an older one.
      if (reached !== null && (bookmark === undefined || reached > bookmark)) bookmark = reached
      return response
    },
  })
}
