/**
 * Gathers what the pages of the documents load, in the folder that wrangler serves (`[assets]` in
 * wrangler.toml): Swagger UI and ReDoc from `node_modules`, and the scripts of our own from `assets/`.
 * `npm run dev`, the tests and every `wrangler deploy` do it first; it takes a few milliseconds, and touches no
 * file that is right already, so that a server that watches the folder is not disturbed.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ROOT } from './tool.mjs'

const FOLDER = join(ROOT, 'dist/public')

/** The files of a package lie in a folder of its version: they never change, and may be kept for ever. */
const PACKAGES = {
  'swagger-ui-dist': ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE'],
  redoc: ['bundles/redoc.standalone.js', 'bundles/redoc.standalone.js.LICENSE.txt', 'LICENSE'],
}

/** ReDoc shows its maker's logo from their server. The page asks no server but its own, so it shows none. */
const REDOC_LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const NO_IMAGE = 'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E'

const FOR_EVER = 'public, max-age=31536000, immutable'

/** Headers that the Worker gives to every answer of its own; these files are served without asking it. */
const SECURITY = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=15552000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** Builds the folder. */
export function buildAssets() {
  const files = new Map()
  for (const name of readdirSync(join(ROOT, 'assets'))) {
    files.set(`assets/${name}`, readFileSync(join(ROOT, 'assets', name)))
  }
  const headers = [['/assets/*', SECURITY]]
  for (const [packageName, names] of Object.entries(PACKAGES)) {
    const { folder, version } = findPackage(packageName)
    const address = `assets/${packageName}-${version}`
    for (const name of names) files.set(`${address}/${name.split('/').at(-1)}`, read(join(folder, name)))
    headers.push([`/${address}/*`, { 'Cache-Control': FOR_EVER }])
  }
  files.set('_headers', Buffer.from(headers.map(headersOf).join('\n')))
  for (const [name, content] of files) writeIfChanged(join(FOLDER, name), content)
  removeOthers(files)
}

function findPackage(name) {
  const manifest = join(ROOT, 'node_modules', name, 'package.json')
  const { version } = createRequire(import.meta.url)(manifest)
  return { folder: dirname(manifest), version }
}

function read(file) {
  const content = readFileSync(file)
  if (!file.endsWith('redoc.standalone.js')) return content
  const text = content.toString()
  if (!text.includes(REDOC_LOGO))
    throw new Error('ReDoc has its logo elsewhere: see scripts/build-assets.mjs')
  return Buffer.from(text.replaceAll(REDOC_LOGO, NO_IMAGE))
}

const headersOf = ([pattern, headers]) =>
  [pattern, ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`), ''].join('\n')

/** Renamed into place: a server, or another build at the same time, never sees half of a file. */
function writeIfChanged(file, content) {
  if (
    statSync(file, { throwIfNoEntry: false })?.size === content.length &&
    readFileSync(file).equals(content)
  )
    return
  mkdirSync(dirname(file), { recursive: true })
  const draft = join(ROOT, 'dist', `draft-${process.pid}`)
  writeFileSync(draft, content)
  renameSync(draft, file)
}

/** What an earlier version has left behind. */
function removeOthers(files) {
  for (const entry of readdirSync(FOLDER, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue
    const file = join(entry.parentPath, entry.name)
    if (!files.has(file.slice(FOLDER.length + 1).replaceAll('\\', '/'))) rmSync(file, { force: true })
  }
}

if (process.argv[1] === import.meta.filename) buildAssets()
