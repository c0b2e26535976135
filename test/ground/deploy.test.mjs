/** What `npm run deploy` refuses before it changes anything, and that it gets as far as asking for an account. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ROOT, runToEnd, startNode } from '../../scripts/tool.mjs'

const SECRET = 'k'.repeat(32)
const PASSWORD = 'A-Right-Pass-1234!'

const folder = mkdtempSync(join(tmpdir(), 'praxis-deploy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs it as somebody who has no account, whoever runs the tests. */
function deploy(args, variables = {}) {
  // A token in a developer's own .env.local would be found all the same; nothing reaches its account.
  const nowhere = { CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9' }
  const env = { PATH: process.env.PATH, HOME: folder, ...nowhere, ...variables }
  const options = { env, stdio: ['ignore', 'pipe', 'pipe'] }
  return runToEnd(startNode(join(ROOT, 'scripts/deploy.mjs'), args, options))
}

function secretsFile({ keys = `2026-11:${SECRET}`, password = PASSWORD }) {
  const file = join(folder, 'secrets')
  writeFileSync(
    file,
    `TOKEN_KEYS="${keys}"\nADMIN_EMAIL="you@clinic.example"\nADMIN_PASSWORD="${password}"\n`,
  )
  return file
}

it('names every fault of the secrets that it is to send, and none of their values', async () => {
  const password = `Aq1!${'x'.repeat(97)}`
  const { code, output } = await deploy(['--secrets', secretsFile({ keys: 'dev-1:short', password })])
  expect(code).toBe(1)
  expect(output).toContain('TOKEN_KEYS: key 1 is not "kid:secret"')
  expect(output).toContain('TOKEN_KEYS: key 1 is one of development')
  expect(output).toContain('ADMIN_PASSWORD has more than 100 characters')
  for (const value of ['short', 'clinic.example', password]) expect(output).not.toContain(value)
})

it('wants a password of twelve characters, in a dry run too', async () => {
  const file = secretsFile({ password: 'Short-Pass1' })
  const { code, output } = await deploy(['--dry-run', '--secrets', file])
  expect(code).toBe(1)
  expect(output).toContain('ADMIN_PASSWORD has fewer than 12 characters')
})

it.each([
  ['the secrets that are deployed', () => [], 'the secrets of the deployed Worker cannot be listed'],
  ['secrets of its own', () => ['--secrets', secretsFile({})], 'queue praxis-events-dead'],
])('with %s: goes on until wrangler wants an account', async (_name, argumentsOf, step) => {
  const { code, output } = await deploy(argumentsOf())
  expect(code).toBe(1)
  expect(output).toContain(`deploy: ${step}:\n`)
  // wrangler's own words follow: no token, or nobody at the address.
  expect(output).toMatch(/CLOUDFLARE_API_TOKEN|fetch failed/)
})

it.each([
  [['--dry'], "Unknown option '--dry'"],
  [['somewhere'], "Unexpected argument 'somewhere'"],
  [['--secrets'], "Option '--secrets <value>' argument missing"],
])('%j: says what it takes', async (args, fault) => {
  const { code, output } = await deploy(args)
  expect(code).toBe(1)
  expect(output).toContain(`deploy: ${fault}`)
  expect(output).toContain('npm run deploy -- --secrets FILE')
})

it('says what it takes where it is asked to', async () => {
  const { code, output } = await deploy(['--help'])
  expect(code).toBe(0)
  expect(output).toMatch(/^npm run deploy +deploys/)
})

it('names a file of secrets that is not there', async () => {
  const { code, output } = await deploy(['--secrets', join(folder, 'nowhere')])
  expect(code).toBe(1)
  expect(output.trim()).toBe(`deploy: there is no file ${join(folder, 'nowhere')}`)
})

it('builds without an account in a dry run, however npm was told of it', async () => {
  const { code, output } = await deploy([], { npm_config_dry_run: 'true' })
  expect(output).toContain('--dry-run: exiting now')
  expect(code).toBe(0)
})
