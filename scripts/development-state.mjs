/** What a development server needs before it starts: its secrets, a migrated database, the demonstration data. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEMONSTRATION_PASSWORD, demonstrationEmail } from './demonstration/statements.mjs'
import { ROOT, runToEnd, runTool, startNode } from './tool.mjs'

const TOKEN_KEY_BYTES = 32

/**
 * The secrets of this state, made once. An administrator that the environment names takes the place of the
 * one in the file, which only its owner may read.
 */
export function developmentSecrets(stateDir, environment) {
  mkdirSync(stateDir, { recursive: true })
  const file = join(stateDir, 'development.env')
  const kept = existsSync(file) ? readSecrets(readFileSync(file, 'utf8')) : {}
  const secrets = {
    TOKEN_KEYS: kept.TOKEN_KEYS ?? `dev-1:${randomBytes(TOKEN_KEY_BYTES).toString('base64url')}`,
    ADMIN_EMAIL: environment.ADMIN_EMAIL || kept.ADMIN_EMAIL || demonstrationEmail('admin'),
    ADMIN_PASSWORD: environment.ADMIN_PASSWORD || kept.ADMIN_PASSWORD || DEMONSTRATION_PASSWORD,
  }
  const text = Object.entries(secrets).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
  // Renamed into place, so that a start that is killed here leaves no half of a file.
  const draft = `${file}.new`
  writeFileSync(draft, text.join(''), { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
  return secrets
}

const readSecrets = (text) =>
  Object.fromEntries(
    [...text.matchAll(/^(\w+)=(".*")$/gm)].map(([, name, value]) => [name, JSON.parse(value)]),
  )

/** Applies the migrations that this state lacks; says something only if that fails. */
export async function migrate(stateDir) {
  const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', stateDir]
  // CI: the command asks nothing.
  const { code, output } = await runTool('wrangler', 'wrangler', args, { env: { ...process.env, CI: '1' } })
  if (code !== 0) throw new Error(`The migrations could not be applied:\n${output}`)
}

/**
 * Loads the demonstration data unless this state has it. Returns the address of its administrator, if one was
 * made already: the settings name only the first. In a process of its own, whose warnings matter only if it
 * fails: the Durable Object that it misses runs in the server alone.
 */
export async function loadData(stateDir) {
  const script = join(ROOT, 'scripts/demonstration/load.mjs')
  const { code, output } = await runToEnd(startNode(script, [stateDir]))
  if (code !== 0) throw new Error(`The demonstration data could not be loaded:\n${output}`)
  return /^administrator: (.+)$/m.exec(output)?.[1]
}
