/** What every handler and middleware knows: the bindings, and the variables of one request. */
import type { Cost, Database } from '#db/database'
import type { Actor } from '#db/right'
import type { ProblemCode } from './problem-codes'

/** What middleware knows of a request and hands on to its handler. */
export interface AppEnv {
  Bindings: Env
  Variables: {
    requestId: string
    cost: Cost
    /** The bookmark of the last Durable Object that answered. */
    objectBookmark: string | undefined
    /** The request’s one view of D1, once it has asked for it (`databaseOf`). */
    database: Database | undefined
    /** Who signed in; set before every handler that is not public. */
    actor: Actor
    /** The code of the problem answered, for the log line. */
    problem: ProblemCode | undefined
  }
}
