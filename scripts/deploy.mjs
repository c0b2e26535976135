/**
 * Deployment to production: `npm run deploy`. It checks the secrets, makes the queues and the database where
 * they are missing, applies the migrations, and deploys. Every step may be repeated.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs, parseEnv } from 'node:util'
import { secretFaults } from '#http/settings'
import { runTool, startTool } from './tool.mjs'

const ENVIRONMENT = ['--env', 'production']
const DATABASE = 'praxis'
const QUEUES = ['praxis-events-dead', 'praxis-events']
const SECRETS = ['TOKEN_KEYS', 'ADMIN_EMAIL', 'ADMIN_PASSWORD']

const USAGE = `npm run deploy                          deploys; every step may be repeated
npm run deploy -- --secrets FILE        sends the secrets of the file along (NAME="value", a line each), the
                                        first time and whenever they change
npm run deploy -- --dry-run             builds for production and checks what needs no account; with
                                        --secrets FILE the secrets as well
npm run deploy -- --help                says this`

try {
  await main()
} catch (error) {
  console.error(`\ndeploy: ${error.message}`)
  process.exitCode = 1
}

async function main() {
  const { help, dryRun, secretsFile } = readArguments()
  if (help) {
    console.log(USAGE)
    return
  }
  if (secretsFile !== undefined) checkSecretsOf(secretsFile)
  if (dryRun) {
    await step('build for production', ['deploy', '--dry-run', ...ENVIRONMENT])
    return
  }
  if (secretsFile === undefined) await checkDeployedSecrets()
  for (const queue of QUEUES) await make(`queue ${queue}`, ['queues', 'create', queue])
  await make(`database ${DATABASE}`, ['d1', 'create', DATABASE])
  // Migrations only add, so that the Worker that still serves goes on serving while they are applied.
  await step('migrations', ['d1', 'migrations', 'apply', DATABASE, '--remote', ...ENVIRONMENT])
  const secrets = secretsFile === undefined ? [] : ['--secrets-file', secretsFile]
  await step('deploy', ['deploy', ...ENVIRONMENT, ...secrets])
}

/** What is asked for. Whatever is not understood deploys nothing. */
function readArguments() {
  const options = {
    'dry-run': { type: 'boolean' },
    secrets: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  }
  let values
  try {
    values = parseArgs({ options }).values
  } catch (error) {
    throw new Error(`${error.message}\n\n${USAGE}`)
  }
  return {
    help: values.help,
    // Without `--` npm takes the option for one of its own, and hands it on like this.
    dryRun: values['dry-run'] || process.env.npm_config_dry_run === 'true',
    secretsFile: values.secrets,
  }
}

/** The Worker would refuse to serve with secrets of other kinds; here that is told before anything is changed. */
function checkSecretsOf(file) {
  if (!existsSync(file)) throw new Error(`there is no file ${file}`)
  const faults = secretFaults(parseEnv(readFileSync(file, 'utf8')))
  if (faults.length > 0) throw new Error(`the secrets of ${file} will not do:\n${faults.join('\n')}`)
}

/** The Worker would refuse to serve without them. */
async function checkDeployedSecrets() {
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

function wrangler(args) {
  return runTool('wrangler', 'wrangler', args)
}
