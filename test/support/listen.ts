/** Listeners as clients connect them: through the Worker, to a doctor's object. */
import { exports } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { declared } from './conformance'

export const livePath = (doctorId: string): string => `/v1/doctors/${doctorId}/slots/live`

export interface Listening {
  readonly socket: WebSocket
  /** All that was heard, as it came. */
  readonly heard: string[]
  /** The version that was heard last. */
  version(): number
  /** The code and the reason of the close, once the connection is closed. */
  closed(): { code: number; reason: string } | undefined
}

/** The answer to the upgrade, held to the document. */
export const upgrade = async (doctorId: string, headers: Record<string, string> = {}): Promise<Response> => {
  const path = livePath(doctorId)
  const asked = { headers: { Upgrade: 'websocket', ...headers } }
  return declared('GET', path, await exports.default.fetch(`http://praxis.test${path}`, asked))
}

export async function listen(doctorId: string, headers: Record<string, string> = {}): Promise<Listening> {
  const { status, webSocket: socket } = await upgrade(doctorId, headers)
  if (socket === null) throw new Error(`No WebSocket: ${status}`)
  const heard: string[] = []
  let close: { code: number; reason: string } | undefined
  socket.addEventListener('message', ({ data }) => {
    heard.push(String(data))
  })
  socket.addEventListener('close', ({ code, reason }) => {
    close = { code, reason }
  })
  socket.accept()
  return {
    socket,
    heard,
    version: () => JSON.parse(heard.findLast((message) => message.startsWith('{')) ?? '{}').version,
    closed: () => close,
  }
}

/** The contract's bound, in milliseconds. */
export const HEARD_WITHIN_MS = 1000

/** Within a second all of them hear of this version. */
export const expectHeard = (listening: readonly Listening[], version: number): Promise<void> =>
  vi.waitFor(() => expect(new Set(listening.map((one) => one.version()))).toEqual(new Set([version])), {
    timeout: HEARD_WITHIN_MS,
    interval: 10,
  })
