/** What `npm run deploy` refuses before it asks anybody: secrets with which the Worker would not serve. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ROOT, runToEnd, startNode } from '../../scripts/tool.mjs'

const folder = mkdtempSync(join(tmpdir(), 'praxis-deploy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('names every fault of the secrets that it is to send, and none of their values', async () => {
  const file = join(folder, 'secrets')
  const password = `Aq1!${'x'.repeat(97)}`
  writeFileSync(
    file,
    `TOKEN_KEYS="dev-1:short"\nADMIN_EMAIL="you@clinic.example"\nADMIN_PASSWORD="${password}"\n`,
  )
  const script = join(ROOT, 'scripts/deploy.mjs')
  const { code, output } = await runToEnd(startNode(script, ['--secrets', file]))
  expect(code).toBe(1)
  expect(output).toContain('TOKEN_KEYS: key 1 is not "kid:secret"')
  expect(output).toContain('TOKEN_KEYS: key 1 is one of development')
  expect(output).toContain('ADMIN_PASSWORD has more than 100 characters')
  for (const value of ['short', 'clinic.example', password]) expect(output).not.toContain(value)
})
