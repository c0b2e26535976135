/**
 * The guide of the typed client does what it says, in a copy of the clone and in a project of somebody's own:
 * its code compiles by the settings that it prints, and books against `npm run dev`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, runToEnd, runTool, startNode } from '../../scripts/tool.mjs'
import { copyTree } from '../support/copied-tree.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'

const RUN_TIMEOUT_MS = 60_000

const guide = readFileSync(join(ROOT, 'docs/client.md'), 'utf8')
const blockOf = (language) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? ''
const code = blockOf('ts')
const [, ownImport] = /^```\n(import .*'\.\/praxis\/praxis\.js')\n```$/m.exec(guide) ?? []

let clone
let own
let server

beforeAll(async () => {
  clone = copyTree()
  own = mkdtempSync(join(tmpdir(), 'praxis-own-'))
  server = await startDevelopmentServer()
}, START_TIMEOUT_MS)

afterAll(async () => {
  await server?.stop()
  for (const folder of [clone, own]) rmSync(folder, { recursive: true, force: true })
})

/** What the compiler says. */
async function compile(folder, project) {
  const { output } = await runTool('typescript', 'tsc', ['--noEmit', '-p', project], { cwd: folder })
  return output
}

async function expectToBook(folder) {
  const env = {
    ...process.env,
    BASE_URL: server.address,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
  }
  const options = { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env }
  const { code: exit, output } = await runToEnd(startNode('book.ts', [], options))
  expect(output).toMatch(/^confirmed: .+, \d{4}-\d\d-\d\dT\d\d:\d\d:00Z\ncancelled\n$/)
  expect(exit).toBe(0)
}

/** The code with a member and a status that the API does not have. */
const misspelt = (text) => text.replace('doctorId:', 'doctorID:').replace('status === 409', 'status === 418')

describe('In the clone', { timeout: RUN_TIMEOUT_MS }, () => {
  beforeAll(() => {
    writeFileSync(join(clone, 'book.ts'), code)
    writeFileSync(join(clone, 'tsconfig.book.json'), blockOf('json'))
  })

  it('its code compiles', async () => {
    expect(await compile(clone, 'tsconfig.book.json')).toBe('')
  })

  it('its code books a visit and cancels it', () => expectToBook(clone))
})

describe('In a project of one’s own', { timeout: RUN_TIMEOUT_MS }, () => {
  const ownCode = code.replace(/^import .*$/m, ownImport)

  beforeAll(async () => {
    const made = await runToEnd(startNode(join(clone, 'scripts/client.mjs'), [join(own, 'praxis')]))
    expect(made.output).toContain(join(own, 'praxis'))
    writeFileSync(join(own, 'book.ts'), ownCode)
    writeFileSync(join(own, 'package.json'), '{ "type": "module" }')
    mkdirSync(join(own, 'node_modules/@types'), { recursive: true })
    for (const name of ['hono', '@types/node', 'undici-types']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(own, 'node_modules', name))
    }
  }, RUN_TIMEOUT_MS)

  const MODULES = [
    { module: 'nodenext', moduleResolution: 'nodenext' },
    { module: 'esnext', moduleResolution: 'bundler' },
  ]
  it.each(MODULES)('its code compiles, and what the API has not does not: $module', async (modules) => {
    const strict = { strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true }
    const compilerOptions = { target: 'es2024', ...modules, ...strict, types: ['node'] }
    writeFileSync(join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    expect(await compile(own, '.')).toBe('')

    writeFileSync(join(own, 'wrong.ts'), misspelt(ownCode))
    const said = await compile(own, '.')
    rmSync(join(own, 'wrong.ts'))
    expect(said).toMatch(/^wrong\.ts.*'doctorID' does not exist/m)
    expect(said).toMatch(/^wrong\.ts.*have no overlap/m)
  })

  it('its code books a visit and cancels it', () => expectToBook(own))
})
