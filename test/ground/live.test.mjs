/** Listening over the real development server, with the WebSocket that browsers and Node have. */
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { DEMONSTRATION_PASSWORD, demonstrationEmail } from '../../scripts/demonstration/statements.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'

/** The contract's bound, in milliseconds. */
const HEARD_WITHIN_MS = 1000

let server
let token
let doctorId
let start

beforeAll(async () => {
  server = await startDevelopmentServer()
  const credentials = { email: demonstrationEmail('patient.anika'), password: DEMONSTRATION_PASSWORD }
  token = (await send('POST', '/v1/auth/login', credentials)).accessToken
  for (const { id } of (await send('GET', '/v1/doctors?limit=20')).items) {
    const { slots } = await send('GET', `/v1/doctors/${id}/slots`)
    if (slots.length === 0) continue
    doctorId = id
    start = slots[0].start
    break
  }
}, START_TIMEOUT_MS)

afterAll(() => server?.stop())

async function send(method, path, body) {
  const headers = {
    'Content-Type': 'application/json',
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  }
  const response = await fetch(`${server.address}${path}`, { method, headers, body: JSON.stringify(body) })
  return response.json()
}

const livePath = () => `/v1/doctors/${doctorId}/slots/live`

/** Connects; resolves with the socket and all that it hears, once it has heard something. */
async function listen() {
  const socket = new WebSocket(`${server.address.replace('http', 'ws')}${livePath()}`)
  const heard = []
  let closed
  socket.addEventListener('message', ({ data }) => heard.push(data))
  socket.addEventListener('close', ({ code }) => {
    closed = code
  })
  await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: HEARD_WITHIN_MS, interval: 10 })
  return { socket, heard, closed: () => closed, version: () => JSON.parse(heard.at(-1)).version }
}

/** Connects without a WebSocket of its own, and never reads or answers anything. */
async function connectDeaf() {
  const { hostname, port } = new URL(server.address)
  const socket = connect(Number(port), hostname)
  socket.write(
    `GET ${livePath()} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  const answer = await new Promise((resolve) => socket.once('data', resolve))
  expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /)
  socket.pause()
  return socket
}

it('One books and cancels, others hear within a second, whoever is deaf or breaks off among them', async () => {
  const listening = [await listen(), await listen()]
  const deaf = await connectDeaf()
  const broken = await connectDeaf()
  broken.resetAndDestroy()
  const before = listening[0].version()
  const hear = (version) =>
    vi.waitFor(() => expect(listening.map((one) => one.version())).toEqual([version, version]), {
      timeout: HEARD_WITHIN_MS,
      interval: 10,
    })

  const booked = await send('POST', '/v1/appointments', { doctorId, start })
  expect(booked.calendarVersion).toBe(before + 1)
  await hear(before + 1)
  await send('POST', `/v1/appointments/${booked.id}/cancel`, {})
  await hear(before + 2)
  deaf.destroy()
  const [one, other] = listening
  one.socket.send('ping')
  await vi.waitFor(() => expect(one.heard.at(-1)).toBe('pong'))
  one.socket.close(1000)
  await vi.waitFor(() => expect(one.closed()).toBe(1000))
  other.socket.send('x'.repeat(1025))
  await vi.waitFor(() => expect(other.closed()).toBe(1008))
  expect(server.said()).not.toMatch(/error|exception/i)
})
