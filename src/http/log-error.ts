/** The log of what went wrong: one line of JSON each, and the one place that decides what an error tells there. */
import { failureOf } from '#db/refusal'

/** What the line says beside the error: ids and names of ours, never what somebody wrote. */
interface Circumstances {
  /** Set where a caller's request failed. */
  readonly requestId?: string
  readonly [member: string]: unknown
}

/** Logs that something failed: `what` names it, the error, if there is one, says how. */
export function logError(what: string, circumstances: Circumstances, error?: unknown): void {
  const told = error === undefined ? {} : tell(error, circumstances.requestId !== undefined)
  console.error(JSON.stringify({ level: 'error', what, ...circumstances, ...told }))
}

/**
 * What may be told of an error. In a request its message stays untold, for it may quote what the caller sent.
 * What D1 said is told always: it names tables, columns and our own SQL. Only a full-text search quotes what it
 * cannot read, and ours is given nothing but quoted words.
 */
function tell(error: unknown, inRequest: boolean): Readonly<Record<string, string | undefined>> {
  const message = inRequest ? failureOf(error)?.message : messageOf(error)
  return error instanceof Error ? { name: error.name, message, stack: placesOf(error) } : { message }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The places of a stack and no more: its head repeats the message. */
const placesOf = (error: Error): string =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .join('\n')
