/**
 * The import rules of biome.json: of every row, an import that it allows and one that it does not, linted in
 * a tree of their own with the project's own configuration.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, runTool } from '../../scripts/tool.mjs'

const RULE = 'lint/style/noRestrictedImports'

/** Row, file, code that the linter accepts, code that it refuses. */
const ROWS = [
  ['src: no ../', 'src/http', `import './problem'`, `import '../db/schema'`],
  ['src: no ../ in disguise', 'src/http', `import './problem'`, `import './../db/schema'`],
  ['src: zod by namespace', 'src/http', `export * as z from 'zod'`, `export { z } from 'zod'`],
  ['src: zod by namespace', 'src/db', `import '#scheduling/core/time'`, `import { z } from 'zod'\nz.int()`],
  [
    'src: zod by namespace',
    'src/accounts',
    `import * as z from 'zod'\nz.int()`,
    `import z from 'zod'\nz.int()`,
  ],
  ['core: other cores', 'src/scheduling/core', `import '#accounts/core/name'`, `import '#accounts/name'`],
  [
    'core: no wing, its own neither',
    'src/scheduling/core',
    `import './slot'`,
    `import '#scheduling/schedule'`,
  ],
  ['core: no db', 'src/scheduling/core', `import './slot'`, `import '#db/schema'`],
  ['core: no http', 'src/scheduling/core', `import './slot'`, `import '#http/problem'`],
  [
    'core: no platform',
    'src/accounts/core',
    `import * as z from 'zod'\nz.int()`,
    `import 'cloudflare:workers'`,
  ],
  ['core: no Node', 'src/accounts/core', `import './name'`, `import 'node:crypto'`],
  ['core: no other library', 'src/accounts/core', `import './name'`, `import 'hono'`],
  [
    'core: rules of recurrence in one file',
    'src/scheduling/core',
    `import './time'`,
    `import 'rrule-temporal'`,
  ],
  ['core: Temporal in one file', 'src/scheduling/core', `import './time'`, `import 'temporal-polyfill'`],
  ['db: cores', 'src/db', `import '#scheduling/core/time'`, `import '#scheduling/schedule'`],
  ['db: no http', 'src/db', `import './schema'`, `import '#http/problem'`],
  ['db: Drizzle and uuid alone', 'src/db', `import 'drizzle-orm/d1'\nimport 'uuid'`, `import 'hono'`],
  ['http: no wing', 'src/http', `import '#db/schema'`, `import '#accounts/user'`],
  [
    'http: no type of a wing',
    'src/http',
    `import '#db/schema'`,
    `export type { A } from '#scheduling/core/time'`,
  ],
  ['http: not even later', 'src/http', `await import('#db/schema')`, `await import('#directory/doctor')`],
  [
    'accounts: exported names',
    'src/accounts',
    `import '#scheduling/core/time'`,
    `import '#scheduling/core/slot'`,
  ],
  [
    'directory: exported names',
    'src/directory',
    `import '#scheduling/next-available'`,
    `import '#accounts/user'`,
  ],
  [
    'messaging: exported names',
    'src/messaging',
    `import '#scheduling/wake-overdue'`,
    `import '#scheduling/schedule'`,
  ],
  ['scheduling: no other wing', 'src/scheduling', `import '#http/problem'`, `import '#directory/doctor'`],
  ['a wing to come: no other wing', 'src/clinical', `import '#db/schema'`, `import '#scheduling/schedule'`],
  ['a wing: its own files as ./', 'src/accounts', `import './user'`, `import '#accounts/user'`],
  ['no index of a wing', 'src/app.ts', `import '#accounts/router'`, `import '#accounts/index'`],
  ['the cron: any wing', 'src/minutely.ts', `import '#accounts/first-admin'`, `import './app'`],
  ['nothing imports app', 'src/other.ts', `import './client'`, `import './app'`],
  ['but index does', 'src/index.ts', `import './app'`, `import '../app'`],
  [
    'core: Temporal in time.ts',
    'src/scheduling/core/time.ts',
    `import 'temporal-polyfill'`,
    `import 'rrule-temporal'`,
  ],
  [
    'core: recurrence in availability.ts',
    'src/scheduling/core/availability.ts',
    `import 'rrule-temporal'`,
    `import 'temporal-polyfill'`,
  ],
  ['and client', 'src/client.ts', `import './app'`, `import './index'`],
]

const folder = mkdtempSync(join(tmpdir(), 'praxis-import-rules-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A row that names a folder gets a file of its own there. */
const fileOf = (place, index) => (place.endsWith('.ts') ? place : `${place}/row${index}.ts`)

/** Lays one file a row into a tree with the project's configuration, and tells which the rule refuses. */
async function lint(tree, codeOf) {
  const root = join(folder, tree)
  mkdirSync(root)
  copyFileSync(join(ROOT, 'biome.json'), join(root, 'biome.json'))
  for (const [index, row] of ROWS.entries()) {
    const file = join(root, fileOf(row[1], index))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${codeOf(row)}\n`)
  }
  const args = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', '.']
  const { output } = await runTool('@biomejs/biome', 'biome', args, { cwd: root })
  return ROWS.map(([, place], index) =>
    output.split('\n').some((line) => line.includes(RULE) && line.includes(`/${fileOf(place, index)},`)),
  )
}

let refusedOfAccepted = []
let refusedOfViolations = []
beforeAll(async () => {
  refusedOfAccepted = await lint('accepted', ([, , accepted]) => accepted)
  refusedOfViolations = await lint('violations', ([, , , violation]) => violation)
})

describe.each(ROWS.map((row, index) => [...row, index]))(
  '%s (%s)',
  (_name, _place, accepted, violation, index) => {
    it(`accepts ${accepted}`, () => expect(refusedOfAccepted[index]).toBe(false))
    it(`refuses ${violation}`, () => expect(refusedOfViolations[index]).toBe(true))
  },
)
