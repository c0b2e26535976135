/**
 * An answer of a doctor's object that brings a WebSocket. A call carries plain values alone, so this one crosses as
 * the upgrade of a request; all that every answer tells beside its value goes in a header.
 */
import type { ObjectAnswer } from './answer'

const ANSWER_HEADER = 'Praxis-Answer'

/** The request that asks for it: the object takes no other, and looks at nothing of it. */
export const upgradeRequest = (): Request =>
  new Request('https://calendar.internal/', { headers: { Upgrade: 'websocket' } })

export function upgradeTo(answer: ObjectAnswer<WebSocket>): Response {
  if (!answer.ok) return new Response(null, { headers: { [ANSWER_HEADER]: JSON.stringify(answer) } })
  const { value: webSocket, ...told } = answer
  return new Response(null, { status: 101, webSocket, headers: { [ANSWER_HEADER]: JSON.stringify(told) } })
}

export function upgradedFrom({ headers, webSocket }: Response): ObjectAnswer<WebSocket> {
  const told = headers.get(ANSWER_HEADER)
  if (told === null) throw new Error('The object has answered to another question')
  return { ...JSON.parse(told), ...(webSocket !== null && { value: webSocket }) }
}
