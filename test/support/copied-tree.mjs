/** A copy of the project's tree, for tests that change it or save files in it, as people do. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../scripts/tool.mjs'

/** Copies what git has or would have, beside the very same packages: the folder, which its caller removes. */
export function copyTree() {
  const folder = mkdtempSync(join(tmpdir(), 'praxis-tree-'))
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0')
  for (const file of files) {
    // One that was deleted, git knows until that is committed.
    if (file !== '' && existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(folder, file))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
