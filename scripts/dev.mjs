/**
 * The development server: `npm run dev`. It needs no account, no network and no file copied by hand, asks
 * nothing, and may be killed and started again at any moment.
 *
 * PORT (8787) is where it serves on 127.0.0.1; STATE_DIR (.wrangler/state) is where it keeps everything;
 * ADMIN_EMAIL and ADMIN_PASSWORD name another administrator.
 */
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { DEMONSTRATION_PASSWORD, demonstrationEmail } from './demonstration/statements.mjs'
import { developmentSecrets, loadData, migrate } from './development-state.mjs'
import { ROOT, startTool } from './tool.mjs'

const HOST = '127.0.0.1'
const READY_TIMEOUT_MS = 60_000
const POLL_MS = 50
/** How long one answer may take while the server starts. */
const ANSWER_TIMEOUT_MS = 5000
const PARENT_POLL_MS = 500
/** How long the server may take to end before it is killed. */
const END_TIMEOUT_MS = 5000
const MINUTE_MS = 60_000

const port = Number(process.env.PORT || 8787)
const stateDir = resolve(process.env.STATE_DIR || join(ROOT, '.wrangler/state'))
const address = `http://${HOST}:${port}`

let server
let ending = false

process.on('SIGINT', () => end(130))
process.on('SIGTERM', () => end(143))
process.on('SIGHUP', () => end(129))
endWithNpm()

try {
  await main()
} catch (error) {
  console.error(error.message)
  await end(1)
}

async function main() {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`PORT is no port: ${process.env.PORT}`)
  await assertPortIsFree()
  // Settings of the tools, for this process and those that it starts.
  process.loadEnvFile(join(ROOT, '.env'))
  const secrets = developmentSecrets(stateDir, process.env)
  await migrate(stateDir)
  const admin = await loadData(stateDir)
  if (ending) return
  server = startServer(secrets)
  await untilReady()
  if (ending) return
  fireCronEachMinute()
  announce(secrets, admin)
}

/** npm passes a signal on to the shell between it and this script, which dies of it and tells nobody. */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return
  const shell = process.ppid
  setInterval(() => process.ppid === shell || end(143), PARENT_POLL_MS).unref()
}

async function assertPortIsFree() {
  await new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) =>
      reject(
        new Error(
          error.code === 'EADDRINUSE'
            ? `Port ${port} is taken. Stop what serves there, or choose another: PORT=${port + 1} npm run dev`
            : `Port ${port} cannot be used: ${error.message}`,
        ),
      ),
    )
    probe.listen(port, HOST, () => probe.close(resolve))
  })
}

function startServer(secrets) {
  const args = ['dev', '--ip', HOST, '--port', String(port), '--persist-to', stateDir, '--log-level', 'log']
  const child = startTool('wrangler', 'wrangler', [...args, '--show-interactive-dev-session=false'], {
    env: {
      ...process.env,
      ...secrets,
      // wrangler lets variables of the environment replace those of its file: this one is ours to say.
      ENVIRONMENT: 'development',
      // Servers beside this one are none of its business.
      WRANGLER_REGISTRY_PATH: join(stateDir, 'registry'),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  child.on('error', (error) => {
    console.error(`The server could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (ending) return
    console.error(`The server has ended (${signal ?? `code ${code}`}).`)
    process.exit(code || 1)
  })
  return child
}

async function untilReady() {
  const deadline = Date.now() + READY_TIMEOUT_MS
  let last = 'it does not answer'
  while (Date.now() < deadline && !ending) {
    try {
      const answer = await fetch(`${address}/health/ready`, {
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      })
      if (answer.status === 200) return
      last = await answer.text()
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  if (!ending) throw new Error(`The server was not ready within ${READY_TIMEOUT_MS / 1000} s: ${last}`)
}

/** The development server fires no cron by itself. */
function fireCronEachMinute() {
  const fire = async () => {
    setTimeout(fire, MINUTE_MS - (Date.now() % MINUTE_MS))
    try {
      const url = `${address}/cdn-cgi/local/scheduled?cron=${encodeURIComponent('* * * * *')}`
      const answer = await fetch(url, { signal: AbortSignal.timeout(MINUTE_MS / 2) })
      await answer.arrayBuffer()
    } catch {
      // The server is building anew, or ending; what was due is due in a minute as well.
    }
  }
  setTimeout(fire, MINUTE_MS - (Date.now() % MINUTE_MS))
}

function announce(secrets, admin) {
  // A password of somebody's own is not for the screen, nor for what keeps the screen.
  const password =
    secrets.ADMIN_PASSWORD === DEMONSTRATION_PASSWORD
      ? DEMONSTRATION_PASSWORD
      : '(with the password that was set)'
  const adminLine =
    admin === undefined || admin === secrets.ADMIN_EMAIL.trim().toLowerCase()
      ? `${secrets.ADMIN_EMAIL}  ${password}`
      : `${admin}  (made on an earlier start, with its password of then)`
  console.log(`
Praxis     ${address}
Documents  ${address}/docs (to try)  ${address}/redoc (to read)
Crons      each minute, as in production

Sign-ins of the demonstration data
  admin    ${adminLine}
  doctor   ${demonstrationEmail('dr.rahman')}  ${DEMONSTRATION_PASSWORD}
  patient  ${demonstrationEmail('patient.anika')}  ${DEMONSTRATION_PASSWORD}
  doctor who waits for verification  ${demonstrationEmail('dr.alam')}  ${DEMONSTRATION_PASSWORD}`)
}

/** Ends the server, by force if it does not end by itself, and then this process. */
async function end(code) {
  if (ending) return
  ending = true
  if (server !== undefined && server.exitCode === null && server.signalCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGTERM')
    const killer = setTimeout(() => server.kill('SIGKILL'), END_TIMEOUT_MS)
    await ended
    clearTimeout(killer)
  }
  process.exit(code)
}
