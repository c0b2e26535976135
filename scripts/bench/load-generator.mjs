/**
 * The load generator, a process of its own: it is sent one job at a time and answers with what it measured.
 * Each connection sends its next request when it has the last one's answer.
 */
import { openConnection } from './connection.mjs'

process.on('message', async (job) => {
  try {
    process.send({ measured: await measure(job) })
  } catch (error) {
    process.send({ failure: error.stack })
  }
})
process.on('disconnect', () => process.exit())

/**
 * `requests` are sent in order; with `again` from the beginning when they end. The job ends after `forMs`, or
 * with the last request. An answer of another status than `expects` is shown.
 */
async function measure({ host, port, requests, connections, forMs, again, expects }) {
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(host, port)))
  const timesMs = []
  const statuses = {}
  let unexpected
  let next = 0
  const startedMs = performance.now()
  const work = async (connection) => {
    while (performance.now() - startedMs < forMs) {
      if (next === requests.length && again) next = 0
      const request = requests[next]
      if (request === undefined) return
      next += 1
      const sentMs = performance.now()
      const answer = await connection.send(request)
      timesMs.push(performance.now() - sentMs)
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      if (expects !== undefined && answer.status !== expects)
        unexpected ??= `${answer.status} ${answer.body()}`
    }
  }
  await Promise.all(open.map(work))
  const tookMs = performance.now() - startedMs
  for (const connection of open) connection.close()
  return { timesMs, sent: next, tookMs, statuses, unexpected }
}
