/** Walks a page's own commands as a reader does: its `bash` blocks, in one bash, against a server. */
import { spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runToEnd } from '../../scripts/tool.mjs'

/** Milliseconds that a walk may take. */
export const WALK_TIMEOUT_MS = 60_000
const MARK = '=== the next block'

/** The commands of each block of a page's section. */
export const blocksOf = (text) =>
  [...text.matchAll(/^```bash\n(.*?)^```$/gms)].map(([, commands]) => commands)

/**
 * Walks the blocks in the folder. `written` is the page's line that names the server, `address` the real one.
 * Gives what each block was answered: the statuses, in the order of its calls, and what it printed.
 */
export async function walk(blocks, { folder, written, address }) {
  const script = blocks
    .map((commands) => `echo '${MARK}'; echo '${MARK}' >&2\n${commands}`)
    .join('\n')
    .replace(written, `API=${address}`)
  const bash = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, PATH: [shim(folder), process.env.PATH].join(delimiter) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: WALK_TIMEOUT_MS,
  })
  let errors = ''
  bash.stderr.on('data', (chunk) => {
    errors += chunk
  })
  let output = ''
  bash.stdout.on('data', (chunk) => {
    output += chunk
  })
  const { code } = await runToEnd(bash)
  if (code !== 0) throw new Error(`The walk ended with ${code}:\n${errors}`)
  const split = (text) => text.split(`${MARK}\n`).slice(1)
  const statuses = split(errors).map((text) => text.trim().split(/\s+/).filter(Boolean))
  return split(output).map((printed, index) => ({
    statuses: statuses[index].map((status) => (/^\d{3}$/.test(status) ? Number(status) : status)),
    bodies: printed
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line)),
    printed,
  }))
}

/** A `curl` that is the real one, and tells stderr the status of every answer as well. */
function shim(folder) {
  const file = join(folder, 'curl')
  const real = `env PATH='${process.env.PATH}' curl`
  writeFileSync(file, `#!/bin/sh\nexec ${real} "$@" -w '\\n%{stderr}%{http_code}\\n'\n`)
  chmodSync(file, 0o755)
  return folder
}
