/** What a fault of form is told as, in the words of the rest of the API rather than the validator’s own. */
import type * as z from 'zod'

type RawIssue = z.core.$ZodRawIssue

/** What to send, by the type that was expected. The API takes no number that is not whole. */
const WANTED: Partial<Record<string, string>> = {
  string: 'Send a string',
  number: 'Send a whole number',
  int: 'Send a whole number',
  boolean: 'Send true or false',
  object: 'Send an object',
  array: 'Send a list',
}

/** What the length of a thing is counted in; of anything else it is the value that is too small or too large. */
const COUNTED: Partial<Record<string, string>> = { string: 'character', array: 'item' }

/** The words for a fault, or undefined where the validator’s must do; a schema’s own words go before these. */
export function wordsOf(issue: RawIssue): string | undefined {
  if (issue.input === undefined) return 'Required'
  switch (issue.code) {
    case 'invalid_type':
      return WANTED[issue.expected]
    case 'invalid_value':
      return `Send ${issue.values.length === 1 ? '' : 'one of: '}${issue.values.join(', ')}`
    case 'too_small':
      return bound('At least', issue.minimum, issue.origin)
    case 'too_big':
      return bound('At most', issue.maximum, issue.origin)
    default:
      return undefined
  }
}

function bound(words: string, limit: number | bigint, origin: string): string {
  const unit = COUNTED[origin]
  if (unit === undefined) return `${words} ${limit}`
  return `${words} ${limit} ${unit}${limit === 1 ? '' : 's'}`
}
