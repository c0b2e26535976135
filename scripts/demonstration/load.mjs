/**
 * Loads the demonstration data into a migrated local state, unless it is there: `load.mjs STATE_DIR`.
 * Prints the address of the first administrator, if one was made already.
 */
import { join } from 'node:path'
import initializeArgon2 from '@phi-ag/argon2/node'
import { getPlatformProxy } from 'wrangler'
import { ROOT } from '../tool.mjs'
import { DEMONSTRATION_PASSWORD, loadDemonstration } from './statements.mjs'

/** As in src/accounts/password.ts: Argon2id, 19 MiB, two passes, one lane. */
const ARGON2_SETTINGS = { type: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** As in src/accounts/first-admin.ts: the mark that one was made, whose value is their id. */
const FIRST_ADMIN = 'first-admin'

const [stateDir] = process.argv.slice(2)
if (stateDir === undefined) throw new Error('Name the folder of the state')

const { env, dispose } = await getPlatformProxy({
  configPath: join(ROOT, 'wrangler.toml'),
  // Where `--persist-to` of wrangler's commands has it.
  persist: { path: join(stateDir, 'v3') },
  remoteBindings: false,
})
try {
  const argon2 = await initializeArgon2()
  const { encoded } = argon2.hash(DEMONSTRATION_PASSWORD, ARGON2_SETTINGS)
  await loadDemonstration(env.DB, Date.now(), encoded)
  const admin = await env.DB.prepare(
    'SELECT user.email FROM setting JOIN user ON user.id = setting.value WHERE setting.key = ?',
  )
    .bind(FIRST_ADMIN)
    .first()
  if (admin !== null) console.log(`administrator: ${admin.email}`)
} finally {
  await dispose()
}
