/** The Worker as it is, but for D1, which is 20 ms away: half of it on the way there, half on the way back. */
import worker, { DoctorCalendar as Calendar } from '../../src/index'

const HALF_WAY_MS = 10

const away = () => new Promise((resolve) => setTimeout(resolve, HALF_WAY_MS))

/** The bindings with D1 far away; what the program calls of D1 is sessions alone. */
const distant = (env) => ({
  ...env,
  DB: {
    withSession(from) {
      const session = env.DB.withSession(from)
      return {
        prepare: (sql) => session.prepare(sql),
        getBookmark: () => session.getBookmark(),
        async batch(statements) {
          await away()
          const results = await session.batch(statements)
          await away()
          return results
        },
      }
    },
  },
})

export class DoctorCalendar extends Calendar {
  constructor(state, env) {
    super(state, distant(env))
  }
}

export default {
  ...worker,
  fetch: (request, env, context) => worker.fetch(request, distant(env), context),
}
