/** The diagram of an appointment's states is what the state machine of the code says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { diagramOf, withDiagram } from '../../scripts/states.mjs'
import { ROOT } from '../../scripts/tool.mjs'
import { TRANSITIONS } from '../../src/scheduling/core/appointment.ts'

const PAGE = join(ROOT, 'docs/appointments.md')

it('The page shows the states, the actions and who may take them as the code has them', async () => {
  // `npm run states` writes it anew.
  const page = withDiagram(readFileSync(PAGE, 'utf8'), diagramOf(TRANSITIONS))
  await expect(page).toMatchFileSnapshot(PAGE)
})

it('The diagram has every action from every state, and ends where no action begins', () => {
  const lines = diagramOf(TRANSITIONS).split('\n')
  for (const [action, { from, to, by }] of Object.entries(TRANSITIONS)) {
    for (const state of from) {
      const name = state.replace('-', '_')
      const own = lines.filter((line) => line.startsWith(`  ${name} --> `) && line.includes(`: ${action} (`))
      expect(own, `${action} from ${state}`).toHaveLength(to.length)
      expect(own.join()).toContain(`: ${action} (${by.join(', ')})`)
    }
  }
  const ends = lines.filter((line) => line.endsWith('--> [*]')).map((line) => line.trim().split(' ')[0])
  expect(ends.sort()).toEqual(['cancelled', 'completed', 'no_show', 'rejected'])
})

it('A page without a place for the diagram is not written over', () => {
  expect(() => withDiagram('# Another page', '')).toThrow('no place')
})
