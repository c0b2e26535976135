/** The tools of `node_modules`, run by a Node that is new enough for them. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

const require = createRequire(import.meta.url)

/** wrangler needs Node 22; npm puts the one of `node_modules` first on its path, others may not. */
const NODE =
  Number.parseInt(process.versions.node, 10) >= 22 ? process.execPath : join(ROOT, 'node_modules/.bin/node')

/** What the process may say and be asked, where its caller listens: nothing is asked, everything is heard. */
const HEARD = { stdio: ['ignore', 'pipe', 'pipe'] }

/** Starts a script in the project's folder. */
export const startNode = (script, args, options = HEARD) =>
  spawn(NODE, [script, ...args], { cwd: ROOT, ...options })

/** Starts a command of a package, which `node_modules/.bin` would do only where links work. */
export const startTool = (packageName, command, args, options = HEARD) =>
  startNode(commandOf(packageName, command), args, options)

/** Runs a command of a package to its end, in another folder or environment if the options say so. */
export const runTool = (packageName, command, args, options = {}) =>
  runToEnd(startTool(packageName, command, args, { ...HEARD, ...options }))

/** Waits for the process: its exit code, and all that it said. */
export function runToEnd(child) {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

function commandOf(packageName, command) {
  const folder = join(ROOT, 'node_modules', packageName)
  const { bin } = require(join(folder, 'package.json'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}
