/**
 * `npm run bench`: what the Worker costs, on this machine, now. `-- --json` prints the figures as JSON,
 * `-- --only=booking` measures the scenarios whose names begin so (and hello, which all are ratios to).
 *
 * Every scenario runs at each number of connections in short turns, one after another and then all again, so
 * that what else the machine does falls on all of them. CPU is that of workerd, D1 and KV included: on a
 * machine that is shared it says more than requests a second. Only 127.0.0.1 is asked.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT, startNode } from '../tool.mjs'
import { printFigures } from './figures.mjs'
import { startRuntime } from './runtime.mjs'
import { prepare, RACERS } from './scenarios.mjs'

const CONNECTIONS = [1, 16, 64]
const TURNS = 2
const TURN_MS = 1000
const WARM_UP_MS = 300
const WARM_UP_CONNECTIONS = 8
const RACES = 7

const json = process.argv.includes('--json')
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length) ?? ''

const folder = mkdtempSync(join(tmpdir(), 'praxis-bench-'))
let runtime
let generator
let failed = false
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => end(code))
try {
  const figures = await main()
  if (json) console.log(JSON.stringify(figures, undefined, 2))
  else printFigures(figures)
} catch (error) {
  console.error(error)
  failed = true
}
await end(failed ? 1 : 0)

async function main() {
  const startedMs = performance.now()
  const loadBefore = loadavg()[0]
  say('building and starting')
  runtime = await startRuntime(folder)
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc']
  generator = startNode(join(ROOT, 'scripts/bench/load-generator.mjs'), [], { stdio })
  say('seeding')
  const { scenarios, fillKv, race } = await prepare(runtime.database)
  const chosen = scenarios.filter(({ name }) => name === 'hello' || name.startsWith(only))
  if (chosen.some(({ name }) => name.startsWith('listing'))) {
    const filling = fillKv()
    await job({ expects: 200 }, filling, { connections: 16, forMs: 60_000 })
  }
  const measured = []
  for (const connections of CONNECTIONS) {
    say(`${connections} connections`)
    measured.push(...(await measureAll(chosen, connections)))
  }
  const races = 'race'.startsWith(only) || only === '' ? await runRaces(race) : undefined
  await checkDatabase()
  return {
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      node: process.version,
      loadBefore,
      loadAfter: loadavg()[0],
    },
    tookSeconds: (performance.now() - startedMs) / 1000,
    scenarios: measured,
    races,
  }
}

/** All scenarios at this number of connections, in turns. */
async function measureAll(scenarios, connections) {
  const runs = []
  for (const scenario of scenarios) {
    const requests = await scenario.requests()
    const { sent } = await job(scenario, requests, { connections: WARM_UP_CONNECTIONS, forMs: WARM_UP_MS })
    runs.push({ scenario, requests, next: scenario.again ? 0 : sent, turns: [] })
  }
  for (let turn = 0; turn < TURNS; turn++) {
    for (const run of runs) {
      const before = runtime.cpuUs()
      const measured = await job(run.scenario, run.requests.slice(run.next), { connections, forMs: TURN_MS })
      if (before !== undefined) measured.cpuUs = runtime.cpuUs() - before
      if (!run.scenario.again) run.next += measured.sent
      run.turns.push(measured)
    }
  }
  return runs.map(({ scenario, turns }) => summary(scenario.name, connections, turns))
}

function summary(name, connections, turns) {
  const timesMs = turns.flatMap((turn) => turn.timesMs).sort((a, b) => a - b)
  const sum = (member) => turns.reduce((total, turn) => total + turn[member], 0)
  const percentileMs = (part) => timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * part))]
  return {
    name,
    connections,
    answers: timesMs.length,
    perSecond: timesMs.length / (sum('tookMs') / 1000),
    p50Ms: percentileMs(0.5),
    p95Ms: percentileMs(0.95),
    p99Ms: percentileMs(0.99),
    cpuUsPerRequest: turns[0].cpuUs === undefined ? null : sum('cpuUs') / timesMs.length,
  }
}

/** Five hundred patients, one slot, again and again with another doctor. */
async function runRaces(race) {
  say('races')
  const lastAnswerMs = []
  for (let index = 0; index < RACES; index++) {
    const { wake, requests } = await race()
    await job({ expects: 200 }, wake, { connections: 1, forMs: 5000 })
    const { statuses, timesMs, tookMs } = await job({}, requests, { connections: RACERS, forMs: 30_000 })
    if (timesMs.length !== RACERS || statuses[201] !== 1 || statuses[409] !== RACERS - 1) {
      throw new Error(`A race ended with ${JSON.stringify(statuses)}`)
    }
    lastAnswerMs.push(tookMs)
  }
  return { racers: RACERS, winners: 1, lastAnswerMs }
}

/** Sends a job to the load generator; throws for an answer that the scenario does not expect. */
async function job({ at = 'praxis', expects, again = false }, requests, { connections, forMs }) {
  const measured = await new Promise((resolve, reject) => {
    generator.once('message', ({ measured, failure }) =>
      failure === undefined ? resolve(measured) : reject(new Error(failure)),
    )
    generator.once('exit', () => reject(new Error('The load generator ended')))
    generator.send({ ...runtime.addresses[at], requests, connections, forMs, again, expects })
  }).finally(() => generator.removeAllListeners('message').removeAllListeners('exit'))
  if (measured.unexpected !== undefined) throw new Error(`Unexpected answer: ${measured.unexpected}`)
  return measured
}

/** Whatever was answered: no two active appointments of a doctor or of a patient overlap. */
async function checkDatabase() {
  for (const [whose, start, end] of [
    ['doctor_id', 'blocked_start_ms', 'blocked_end_ms'],
    ['patient_id', 'start_ms', 'end_ms'],
  ]) {
    const overlaps = await runtime.database
      .prepare(
        `SELECT count(*) FROM (SELECT ${start} AS start, lag(${end}) OVER (PARTITION BY ${whose} ORDER BY ${start}) AS before
         FROM appointment WHERE status IN ('pending', 'confirmed', 'in-progress')) WHERE before > start`,
      )
      .first('count(*)')
    if (overlaps !== 0) throw new Error(`${overlaps} appointments of one ${whose} overlap`)
  }
}

function say(what) {
  console.error(`bench: ${what}`)
}

/** Ends every process that was started, removes the state, and then ends. */
async function end(code) {
  generator?.kill('SIGKILL')
  await runtime?.stop()
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}
