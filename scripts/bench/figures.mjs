/** The figures as a table that reads as Markdown. */

export function printFigures({ machine, tookSeconds, scenarios, races }) {
  const { cpu, cores, node, loadBefore, loadAfter } = machine
  const load = `${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after`
  console.log(`\n${cpu}, ${cores} cores, node ${node}, load ${load}, ${tookSeconds.toFixed(0)} s\n`)
  const rows = scenarios.map((scenario) => {
    const hello = scenarios.find(
      ({ name, connections }) => name === 'hello' && connections === scenario.connections,
    )
    return [
      scenario.name,
      scenario.connections,
      Math.round(scenario.perSecond).toLocaleString('en'),
      scenario.p50Ms.toFixed(2),
      scenario.p95Ms.toFixed(2),
      scenario.p99Ms.toFixed(2),
      scenario.cpuUsPerRequest === null ? 'n/a' : Math.round(scenario.cpuUsPerRequest).toLocaleString('en'),
      (scenario.perSecond / hello.perSecond).toFixed(3),
      scenario.cpuUsPerRequest === null
        ? 'n/a'
        : (hello.cpuUsPerRequest / scenario.cpuUsPerRequest).toFixed(3),
    ]
  })
  const columns = [
    'scenario',
    'connections',
    'req/s',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'CPU µs/req',
    'req/s of hello',
    'CPU of hello',
  ]
  printTable(columns, rows)
  if (races === undefined) return
  const times = [...races.lastAnswerMs].sort((a, b) => a - b).map((ms) => `${ms.toFixed(0)} ms`)
  console.log(
    `\n${races.racers} patients for one slot, ${times.length} times: one winner each, last answer after ${times.join(', ')}`,
  )
}

function printTable(columns, rows) {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => String(row[index]).length)),
  )
  const line = (cells) => {
    const padded = cells.map((cell, index) =>
      index === 0 ? String(cell).padEnd(widths[index]) : String(cell).padStart(widths[index]),
    )
    return `| ${padded.join(' | ')} |`
  }
  console.log(line(columns))
  console.log(
    `|${widths.map((width, index) => (index === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  )
  for (const row of rows) console.log(line(row))
}
