/** The log of what went wrong: one line of JSON each, and the one place that decides what an error tells there. */
import { failureOf } from '#db/refusal'

/** What the line says beside the error: ids and names of ours, never what somebody wrote. */
interface Circumstances {
  /** Set where a caller's request failed. */
  readonly requestId?: string
  readonly [member: string]: unknown
}

/**
 * Logs that something failed; `what` names it. Of an error in a request the message stays untold, for it may
 * quote what the caller sent; what D1 said is told always, for it names tables, columns and our own SQL, and
 * never a bound value.
 */
export function logError(what: string, circumstances: Circumstances, error?: unknown): void {
  const line = { level: 'error', what, ...circumstances }
  if (error === undefined) {
    console.error(JSON.stringify(line))
    return
  }
  const database = failureOf(error)?.message
  const message = circumstances.requestId === undefined ? messageOf(error) : database
  console.error(
    JSON.stringify({
      ...line,
      ...(error instanceof Error && { name: error.name, stack: placesOf(error) }),
      ...(message !== undefined && { message }),
    }),
  )
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The places of a stack and no more: its head repeats the message. */
const placesOf = (error: Error): string =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .join('\n')
