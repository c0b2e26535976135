/**
 * The typed client for a project of one's own: `npm run client [-- FOLDER]` writes praxis.js and praxis.d.ts
 * (dist/client). They need the package hono and nothing of this folder: what the compiler infers from the
 * routes stands in the declaration itself, so that it compiles by the settings of any project.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { ROOT, runTool } from './tool.mjs'

/** Makes the compiler write out what a problem of each code is: elsewhere it names the type alone. */
const PROBLEMS = `
import type { ProblemBody } from '#http/problem'
import type { ProblemCode } from '#http/problem-codes'
declare function expand<C extends ProblemCode>(): {
  [Code in C]: { [Member in keyof ProblemBody<Code>]: ProblemBody<Code>[Member] }
}
export const problems = expand<ProblemCode>()
`

const HEADER = `// Made by \`npm run client\` of Praxis, from its routes. Make it anew when they change.\n`

const folder = resolve(process.argv[2] ?? join(ROOT, 'dist/client'))
mkdirSync(join(ROOT, 'dist'), { recursive: true })
// Within the project, so that its own names of folders are known there.
const workspace = mkdtempSync(join(ROOT, 'dist/client-'))
try {
  await compile()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'praxis.js'), HEADER + compiled('src/client.js'))
  writeFileSync(join(folder, 'praxis.d.ts'), HEADER + declaration())
  console.log(`praxis.js and praxis.d.ts are in ${folder}`)
} finally {
  rmSync(workspace, { recursive: true, force: true })
}

async function compile() {
  const problems = join(workspace, 'problems.ts')
  writeFileSync(problems, PROBLEMS)
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rootDir: ROOT,
      outDir: join(workspace, 'out'),
      // Timers are Node's here, as they are where the tests are compiled along.
      types: ['node', '@cloudflare/workers-types'],
    },
    files: [join(ROOT, 'src/client.ts'), problems],
    include: [join(ROOT, 'src/**/*.d.ts')],
  }
  const file = join(workspace, 'tsconfig.json')
  writeFileSync(file, JSON.stringify(config))
  const { code, output } = await runTool('typescript', 'tsc', ['-p', file])
  if (code !== 0) throw new Error(output)
}

function compiled(name) {
  return readFileSync(join(workspace, 'out', name), 'utf8')
}

/** One declaration of everything that the client's types are made of. */
function declaration() {
  const problems = compiled(join('dist', basename(workspace), 'problems.d.ts'))
  const parts = [
    `import type { Env } from 'hono';`,
    compiled('src/client.d.ts').replace(/^import type \{ App \}.*\n/m, ''),
    part(compiled('src/http/page.d.ts'), /^export (interface Page<Item> \{.*?^\})/ms),
    `interface Problems ${part(problems, /^export declare const problems: (\{.*?^\});/ms)}`,
    `type ProblemBody<Code extends keyof Problems> = Problems[Code];`,
    `type App = ${routes(compiled('src/app.d.ts'))};`,
  ]
  return `${parts.join('\n')}\n`
}

/** The type of the app, by the names that stand beside it here. */
function routes(app) {
  const type = part(app, /^declare const routes: (.*?^\}[^\n]*>);$/ms)
    .replace('HonoBase<AppEnv,', 'HonoBase<Env,')
    .replaceAll('import("./http/problem").', '')
    .replaceAll('import("./http/page").', '')
  const foreign = /import\("(?!hono\/)[^)]*\)\.\w+|\bAppEnv\b/.exec(type)?.[0]
  if (foreign !== undefined) throw new Error(`The declaration would need ${foreign}: see scripts/client.mjs`)
  return type
}

function part(text, pattern) {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`The compiler no longer writes ${pattern}: see scripts/client.mjs`)
  return found
}
