/**
 * The states of an appointment as a diagram in Mermaid, made from the state machine of the code, and its place in
 * docs/appointments.md.
 */

/** The lines between which the diagram stands. */
const BEGIN = '<!-- Made from src/scheduling/core/appointment.ts by `npm run states`. -->'
const END = '<!-- The end of what is made. -->'

/** How an appointment comes to be, and what time does to it: what nobody's action on it is. */
const BESIDE_ACTIONS = [
  ['[*]', 'confirmed', 'book'],
  ['[*]', 'pending', 'book, where the doctor approves by hand'],
  ['pending', 'rejected', 'nobody answered before the start'],
]

/** The diagram of the transitions: each action from each of its states, with who may take it. */
export function diagramOf(transitions) {
  const arrows = [...BESIDE_ACTIONS, ...Object.entries(transitions).flatMap(arrowsOf)]
  const left = new Set(arrows.map(([from]) => from))
  const reached = arrows.map(([, to]) => to)
  const states = [...new Set([...left, ...reached])].filter((state) => state !== '[*]')
  const final = states.filter((state) => !left.has(state)).map((state) => [state, '[*]'])
  return [
    '```mermaid',
    'stateDiagram-v2',
    // A hyphen ends a name in Mermaid.
    ...states.filter((state) => state.includes('-')).map((state) => `  state "${state}" as ${nameOf(state)}`),
    ...[...arrows, ...final].map(lineOf),
    '```',
  ].join('\n')
}

/** The page with the diagram between its two lines. */
export function withDiagram(page, diagram) {
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (before < 0 || after < before) throw new Error('The page has no place for the diagram')
  return `${page.slice(0, before + BEGIN.length)}\n\n${diagram}\n\n${page.slice(after)}`
}

/** An action with several ends keeps the state that it finds; only a patient, whose move is a new request, changes it. */
const arrowsOf = ([action, { from, to, by }]) =>
  from.flatMap((state) =>
    to.map((end) => {
      const who = to.length > 1 && end !== state ? ['patient'] : by
      return [state, end, `${action} (${who.join(', ')})`]
    }),
  )

const lineOf = ([from, to, label]) =>
  `  ${nameOf(from)} --> ${nameOf(to)}${label === undefined ? '' : `: ${label}`}`

const nameOf = (state) => state.replaceAll('-', '_')
