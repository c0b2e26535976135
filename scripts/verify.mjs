/**
 * Everything that must hold before a change is accepted: `npm run verify`. Each step is named and timed, and
 * the first that fails ends the run with what it said. `--without-tests` leaves the tests out, for a pipeline
 * that has run them already; with them, a Chromium is needed.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { missingChromium } from './chromium.mjs'
import { ROOT, runTool } from './tool.mjs'

/** The largest bundle, in bytes of gzipped JavaScript. */
const MAX_JAVASCRIPT_BYTES = 250_000

const GENERATED_TYPES = 'src/env.generated.d.ts'

const withoutTests = process.argv.includes('--without-tests')
// Told at once, not after the steps before the tests.
const missing = withoutTests ? undefined : missingChromium()
if (missing !== undefined) {
  console.error(
    `verify: the tests use a browser. ${missing}\nWithout any tests: npm run verify -- --without-tests`,
  )
  process.exit(1)
}

const workspace = mkdtempSync(join(tmpdir(), 'praxis-verify-'))
process.on('exit', () => rmSync(workspace, { recursive: true, force: true }))

const steps = [
  ['format', () => tool('@biomejs/biome', 'biome', ['format', '.'], 'Run: npm run format')],
  ['lint, import rules', () => tool('@biomejs/biome', 'biome', ['lint', '--error-on-warnings', '.'])],
  ['generated types', compareTypes],
  ['types', () => tool('typescript', 'tsc', ['--noEmit'])],
  ...(withoutTests ? [] : [['tests, a browser’s too', () => tool('vitest', 'vitest', ['run'])]]),
  ['production build and its size', measureBundle],
]

const startedMs = performance.now()
for (const [name, run] of steps) {
  const stepMs = performance.now()
  const { failure, note = '' } = await run()
  const time = `${((performance.now() - stepMs) / 1000).toFixed(1)} s`
  if (failure !== undefined) {
    console.error(`✗ ${name} (${time})\n\n${failure.trim()}\n\nverify: failed at: ${name}`)
    process.exit(1)
  }
  console.log(`✓ ${name} (${time})${note && `: ${note}`}`)
}
console.log(
  `verify: all ${steps.length} steps passed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
)

/** A step that one command decides. */
async function tool(packageName, command, args, remedy = '') {
  const { code, output } = await runTool(packageName, command, args)
  return code === 0 ? {} : { failure: `${output.trim()}\n${remedy}` }
}

/** The types of the bindings as wrangler.toml has them now, against those that were committed. */
async function compareTypes() {
  const fresh = join(workspace, 'env.generated.d.ts')
  const args = ['types', '--include-runtime=false', '--strict-vars=false', fresh]
  const { code, output } = await runTool('wrangler', 'wrangler', args)
  if (code !== 0) return { failure: output }
  return declarations(fresh) === declarations(join(ROOT, GENERATED_TYPES))
    ? {}
    : { failure: `${GENERATED_TYPES} is not what wrangler.toml says. Run: npm run types` }
}

/** Without what depends on where the file lies: the comments at its top, and the folders of its imports. */
function declarations(file) {
  const lines = readFileSync(file, 'utf8').split('\n')
  const code = lines.filter((line) => !/^\/[/*]/.test(line)).join('\n')
  return code.replaceAll(/import\("[^"]*\/([^"/]+)"\)/g, 'import("$1")')
}

/** What would be uploaded to production, built without uploading it. */
async function measureBundle() {
  const args = ['deploy', '--dry-run', '--env', 'production', '--outdir', workspace]
  const { code, output } = await runTool('wrangler', 'wrangler', args)
  if (code !== 0) return { failure: output }
  const sizeOf = (extension) =>
    readdirSync(workspace)
      .filter((file) => extname(file) === extension)
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(workspace, file))).length, 0)
  const javascript = sizeOf('.js')
  const note = `JavaScript ${kilobytes(javascript)} gzipped, WebAssembly ${kilobytes(sizeOf('.wasm'))}`
  return javascript < MAX_JAVASCRIPT_BYTES
    ? { note }
    : { failure: `${note}: the JavaScript must stay below ${kilobytes(MAX_JAVASCRIPT_BYTES)}` }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`
}
