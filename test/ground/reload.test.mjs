/** A change of the source is served within seconds, by the server that runs: in a copy of the tree. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copyTree } from '../support/copied-tree.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'

/** What the start page is made by, and what it says. */
const FILE = 'src/http/system.ts'
const SAID = "name: 'Praxis',"

/** Seconds to a machine that is busy; a second or two else. */
const RELOAD_TIMEOUT_MS = 20_000
/** Long enough for a server that reloads for its own builds to have done so again. */
const QUIET_MS = 3000

let copy
let server

beforeAll(async () => {
  copy = copyTree()
  server = await startDevelopmentServer(copy)
}, START_TIMEOUT_MS)

afterAll(async () => {
  await server?.stop()
  rmSync(copy, { recursive: true, force: true })
})

it('A changed file is served, once', { timeout: 2 * RELOAD_TIMEOUT_MS }, async () => {
  expect(await name()).toBe('Praxis')
  const file = join(copy, FILE)
  const source = readFileSync(file, 'utf8')
  expect(source).toContain(SAID)
  writeFileSync(file, source.replaceAll(SAID, "name: 'Changed',"))
  await expect.poll(name, { timeout: RELOAD_TIMEOUT_MS }).toBe('Changed')

  const reloads = server.said().match(/Reloading/g).length
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  expect(server.said().match(/Reloading/g)).toHaveLength(reloads)
})

/** What the API calls itself; nothing while the server is between two versions. */
async function name() {
  try {
    return (await (await fetch(server.address)).json()).name
  } catch {
    return undefined
  }
}
