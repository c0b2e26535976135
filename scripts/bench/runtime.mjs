/**
 * workerd with the Worker as it is deployed, by Miniflare's own interface: bindings from wrangler.toml, state
 * in a folder of its own, and one direct socket a Worker, past Miniflare's entry and wrangler's proxy.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { ROOT, runTool } from '../tool.mjs'

const BENCH = join(ROOT, 'scripts/bench')
const COMPATIBILITY_DATE = '2026-08-01'
/** The clock of /proc counts hundredths of a second on every Linux that workerd runs on. */
const TICK_US = 10_000

export const TOKEN_KEY = { kid: 'bench', secret: randomBytes(32).toString('base64url') }

const SECRETS = {
  TOKEN_KEYS: `${TOKEN_KEY.kid}:${TOKEN_KEY.secret}`,
  ADMIN_EMAIL: 'admin@bench.praxis.example',
  ADMIN_PASSWORD: randomBytes(16).toString('base64url'),
}

/** Builds and starts everything; the three Workers share one workerd and one D1. */
export async function startRuntime(folder) {
  // Settings of the tools: quiet and offline.
  process.loadEnvFile(join(ROOT, '.env'))
  process.env.WRANGLER_LOG = 'error'
  Object.assign(process.env, SECRETS)
  const hello = join(folder, 'hello.toml')
  writeFileSync(hello, `name = "hello"\ncompatibility_date = "${COMPATIBILITY_DATE}"\n`)
  const [praxis, distant, bare] = await Promise.all([
    bundle(join(folder, 'praxis'), []),
    bundle(join(folder, 'distant'), [join(BENCH, 'distant-database.mjs')]),
    bundle(join(folder, 'hello'), [join(BENCH, 'hello.mjs'), '--config', hello]),
  ])
  const require = createRequire(import.meta.url)
  const { Miniflare, convertV4MiniflareOptions } = createRequire(require.resolve('wrangler'))('miniflare')
  const bindings = await bindingsOfProject()
  const socket = { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] }
  const { queueConsumers: _, ...withoutConsumer } = bindings
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      logRequests: false,
      // The Worker's log lines, which a terminal would be slow to show.
      handleStructuredLogs: () => undefined,
      resourcePersistencePath: join(folder, 'state'),
      workers: [
        { name: 'praxis', ...praxis, ...bindings, ...socket },
        // A queue has one consumer.
        { name: 'distant', ...distant, ...withoutConsumer, ...socket },
        { name: 'hello', ...bare, compatibilityDate: COMPATIBILITY_DATE, ...socket },
      ],
    }),
  )
  await miniflare.ready
  const database = await miniflare.getD1Database('DB', 'praxis')
  await migrate(database)
  const addresses = {}
  for (const name of ['praxis', 'distant', 'hello']) {
    const { hostname: host, port } = await miniflare.unsafeGetDirectURL(name)
    addresses[name] = { host, port: Number(port) }
  }
  const processId = workerdOf(process.pid)
  return {
    addresses,
    database,
    cpuUs: () => (processId === undefined ? undefined : cpuUsOf(processId)),
    stop: () => miniflare.dispose(),
  }
}

/** What wrangler would upload, built without uploading it. */
async function bundle(outdir, args) {
  const { code, output } = await runTool('wrangler', 'wrangler', [
    'deploy',
    ...args,
    '--dry-run',
    '--minify',
    '--outdir',
    outdir,
  ])
  if (code !== 0) throw new Error(`The bundle could not be built:\n${output}`)
  const files = readdirSync(outdir).map((file) => join(outdir, file))
  const [main] = files.filter((file) => extname(file) === '.js')
  const wasm = files.filter((file) => extname(file) === '.wasm')
  return {
    modulesRoot: outdir,
    modules: [{ type: 'ESModule', path: main }, ...wasm.map((path) => ({ type: 'CompiledWasm', path }))],
  }
}

/**
 * The bindings of wrangler.toml, in the form that Miniflare takes them. Not its assets: Miniflare puts two
 * Workers of its own before ours to serve them, which cost each request as much again, and which a deployed
 * Worker that runs first on its API does not have.
 */
async function bindingsOfProject() {
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler')
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'))
  const { modulesRules: _rules, rootPath: _path, assets: _assets, ...options } = workerOptions
  return { ...options, bindings: { ...options.bindings, ...SECRETS } }
}

async function migrate(database) {
  const folder = join(ROOT, 'migrations')
  for (const file of readdirSync(folder).sort()) {
    if (extname(file) !== '.sql') continue
    const statements = readFileSync(join(folder, file), 'utf8').split('--> statement-breakpoint')
    await database.batch(statements.map((sql) => database.prepare(sql)))
  }
}

/** The workerd that this process started; unknown where there is no /proc. */
function workerdOf(parent) {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => ({ id: name, stat: statOf(name) }))
      .find(({ stat }) => stat?.command === 'workerd' && Number(stat.fields[1]) === parent)?.id
  } catch {
    return undefined
  }
}

/** proc(5): after the command, in parentheses, come the state and the parent, and in 12th and 13th place the times. */
function statOf(id) {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8')
    const end = text.lastIndexOf(')')
    return { command: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') }
  } catch {
    // Ended meanwhile.
    return undefined
  }
}

function cpuUsOf(id) {
  const { fields } = statOf(id)
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}
