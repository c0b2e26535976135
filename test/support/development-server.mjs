/** The real development server, for tests that use it from outside, as people do. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../scripts/tool.mjs'

/** How long the server may take to end before its whole group is killed. */
const END_TIMEOUT_MS = 10_000

/** Milliseconds that a test may wait for the server to be ready, on a busy machine. */
export const START_TIMEOUT_MS = 90_000

/**
 * Starts `npm run dev`'s script, of this tree or a copy of it, on a free port, with a state of its own that ends
 * with it. Resolves once it has announced itself: its address, all that it has said, and how to stop it with
 * everything that it started.
 */
export async function startDevelopmentServer(root = ROOT) {
  const stateDir = mkdtempSync(join(tmpdir(), 'praxis-served-'))
  const port = await freePort()
  const { PATH, HOME, TMPDIR } = process.env
  const server = spawn(process.execPath, [join(root, 'scripts/dev.mjs')], {
    // Its own group, so that nothing of it outlives the test; and nothing of the tests' environment, which
    // names another administrator.
    detached: true,
    env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), PORT: String(port), STATE_DIR: stateDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killGroup = (signal) => {
    try {
      process.kill(-server.pid, signal)
    } catch {
      // Everybody in it has ended.
    }
  }
  const killAtExit = () => killGroup('SIGKILL')
  process.on('exit', killAtExit)
  const ended = new Promise((resolve) => server.once('close', resolve))

  const stop = async () => {
    killGroup('SIGTERM')
    const killer = setTimeout(killAtExit, END_TIMEOUT_MS)
    await ended
    clearTimeout(killer)
    killGroup('SIGKILL')
    process.off('exit', killAtExit)
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 })
  }

  let said = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  try {
    await untilAnnounced(server, () => said)
  } catch (error) {
    await stop()
    throw error
  }
  return { address: `http://127.0.0.1:${port}`, stop, said: () => said }
}

/** The server announces itself when it is ready; before that it may only end. */
function untilAnnounced(server, said) {
  return new Promise((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', () => {
        if (/^Praxis +http/m.test(said())) resolve()
      })
    }
    server.once('error', reject)
    server.once('close', () => reject(new Error(`The development server has ended:\n${said()}`)))
  })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
