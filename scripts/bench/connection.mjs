/**
 * A keep-alive HTTP connection that does as little as it can: the machine's cores are shared with what is
 * measured, and Node's own clients cost more than the Worker does for a small answer. It reads answers with a
 * Content-Length and chunked ones, which is all that workerd sends.
 */
import { connect } from 'node:net'

const END_OF_HEAD = '\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'

/** Opens a connection: `send(request)` resolves to the answer's status and, unless it is wanted not, its body. */
export async function openConnection(host, port) {
  const socket = connect({ host, port, noDelay: true })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  let received = Buffer.alloc(0)
  let waiting
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const answer = answerIn(received)
    if (answer === undefined) return
    received = Buffer.alloc(0)
    const { resolve } = waiting
    waiting = undefined
    resolve(answer)
  })
  const fail = (error) => waiting?.reject(error ?? new Error('The connection was closed'))
  socket.on('error', fail)
  socket.on('close', () => fail())
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}

/** The one answer in these bytes, once all of it has come. */
function answerIn(bytes) {
  const headEnd = bytes.indexOf(END_OF_HEAD)
  if (headEnd === -1) return undefined
  const head = bytes.latin1Slice(0, headEnd)
  const bodyStart = headEnd + END_OF_HEAD.length
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  const complete =
    length === undefined
      ? bytes.latin1Slice(-LAST_CHUNK.length) === LAST_CHUNK
      : bytes.length === bodyStart + Number(length)
  if (!complete) return undefined
  // "HTTP/1.1 201 Created"
  return { status: Number(head.slice(9, 12)), body: () => bytes.utf8Slice(bodyStart) }
}
