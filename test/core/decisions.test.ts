/** Any sequence of decisions, taken into the calendar, against a world of plain lists. */
import fc from 'fast-check'
import { it } from 'vitest'
import { Both } from './both'
import { changes, policies, wishes } from './drawn'

it('Whatever is booked, held, moved and changed, in whatever order, is decided as the oracle does', () => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: wishes }, { weight: 2, arbitrary: changes }), {
    minLength: 10,
    maxLength: 50,
    size: 'max',
  })
  fc.assert(
    fc.property(policies, steps, (policy, drawn) => {
      const both = new Both(policy)
      for (const step of drawn) {
        if ('patient' in step) both.wish(step)
        else both.change(step)
        both.agree()
      }
    }),
    { numRuns: 200 },
  )
})
