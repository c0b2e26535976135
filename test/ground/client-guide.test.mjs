/** The guide of the typed client does what it says: its code compiles, and books against `npm run dev`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT, runToEnd, runTool, startNode } from '../../scripts/tool.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'

const RUN_TIMEOUT_MS = 60_000

const guide = readFileSync(join(ROOT, 'docs/client.md'), 'utf8')
const [, code = ''] = /^```ts\n(.*?)^```$/ms.exec(guide) ?? []

let folder
let script
let server

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'praxis-client-'))
  script = join(folder, 'book.ts')
  // The reader saves it in the folder of the clone.
  writeFileSync(script, code.replace("'./src/client.ts'", `'${join(ROOT, 'src/client.ts')}'`))
  // It is a module, as everything beside it is there.
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  server = await startDevelopmentServer()
}, START_TIMEOUT_MS)

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('Its code compiles as strictly as the project', { timeout: RUN_TIMEOUT_MS }, async () => {
  const types = ['@types/node', '@cloudflare/workers-types'].map((name) => join(ROOT, 'node_modules', name))
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { allowImportingTsExtensions: true, types },
    include: [script, join(ROOT, 'src/**/*.d.ts')],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { output } = await runTool('typescript', 'tsc', ['--noEmit', '-p', folder])
  expect(output).toBe('')
})

it('Its code books a visit and cancels it', { timeout: RUN_TIMEOUT_MS }, async () => {
  const env = {
    ...process.env,
    BASE_URL: server.address,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
  }
  const run = startNode(script, [], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const { code: exit, output } = await runToEnd(run)
  expect(output).toMatch(/^confirmed: .+, \d{4}-\d\d-\d\dT\d\d:\d\d:00Z\ncancelled\n$/)
  expect(exit).toBe(0)
})
