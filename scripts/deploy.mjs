/**
 * Deployment to production: `npm run deploy`. It checks the secrets, makes the queues and the database where
 * they are missing, applies the migrations, and deploys. Every step may be repeated.
 *
 * `-- --dry-run` builds for production and checks what can be checked without an account.
 * `-- --secrets FILE` sends the secrets of the file (NAME="value", a line each) along: for the first
 * deployment, when there is no Worker yet that could have any.
 */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { secretFaults } from '#http/settings'
import { runTool, startTool } from './tool.mjs'

const ENVIRONMENT = ['--env', 'production']
const DATABASE = 'praxis'
const QUEUES = ['praxis-events-dead', 'praxis-events']
const SECRETS = ['TOKEN_KEYS', 'ADMIN_EMAIL', 'ADMIN_PASSWORD']

const dryRun = process.argv.includes('--dry-run')
const fileAt = process.argv.indexOf('--secrets')
const secretsFile = fileAt === -1 ? undefined : process.argv[fileAt + 1]

try {
  await main()
} catch (error) {
  console.error(`\ndeploy: ${error.message}`)
  process.exitCode = 1
}

async function main() {
  if (dryRun) {
    await step('build for production', ['deploy', '--dry-run', ...ENVIRONMENT])
    return
  }
  await checkSecrets()
  for (const queue of QUEUES) await make(`queue ${queue}`, ['queues', 'create', queue])
  await make(`database ${DATABASE}`, ['d1', 'create', DATABASE])
  // Migrations only add, so that the Worker that still serves goes on serving while they are applied.
  await step('migrations', ['d1', 'migrations', 'apply', DATABASE, '--remote', ...ENVIRONMENT])
  const secrets = secretsFile === undefined ? [] : ['--secrets-file', secretsFile]
  await step('deploy', ['deploy', ...ENVIRONMENT, ...secrets])
}

/** The Worker would refuse to serve without them; here that is told before anything is changed. */
async function checkSecrets() {
  if (secretsFile !== undefined) {
    const faults = secretFaults(parseEnv(readFileSync(secretsFile, 'utf8')))
    if (faults.length > 0) throw new Error(`the secrets of ${secretsFile} will not do:\n${faults.join('\n')}`)
    return
  }
  const known = await deployedSecrets()
  const missing = SECRETS.filter((name) => !known.includes(name))
  if (missing.length === 0) return
  throw new Error(
    `missing secrets: ${missing.join(', ')}. Put them into a file and send it along: npm run deploy -- --secrets FILE`,
  )
}

/** The names of those that the deployed Worker has; their values nobody can read. */
async function deployedSecrets() {
  const { code, output } = await wrangler(['secret', 'list', '--format', 'json', ...ENVIRONMENT])
  if (code !== 0) throw new Error(`the secrets of the deployed Worker cannot be listed:\n${output}`)
  const list = output.slice(output.indexOf('['), output.lastIndexOf(']') + 1)
  return JSON.parse(list).map(({ name }) => name)
}

/** Makes a resource, or finds it made. */
async function make(what, args) {
  const { code, output } = await wrangler(args)
  if (code !== 0 && !/already (exists|taken)/i.test(output)) throw new Error(`${what}:\n${output}`)
  console.log(`✓ ${what}${code === 0 ? ' made' : ' is there'}`)
}

/** A step that says for itself what it does, and may ask. */
async function step(what, args) {
  console.log(`\n— ${what}`)
  const child = startTool('wrangler', 'wrangler', args, { stdio: 'inherit' })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${what} failed`)
}

const wrangler = (args) => runTool('wrangler', 'wrangler', args)
