/** Every code of a problem: its status, its title and its page. The one place where refusals have status numbers. */

/** Every code: its status, its title, and what its page at `/problems/<code>` says. */
export const PROBLEMS = {
  'validation-failed': [
    400,
    'The request is not valid',
    'The body, a parameter or a header does not have the form that this call takes. `errors` lists every fault with a JSON pointer to it.',
  ],
  unauthenticated: [
    401,
    'Sign in first',
    'The call needs an access token: `Authorization: Bearer <access token>`.',
  ],
  'invalid-token': [
    401,
    'The access token is not valid',
    'The token is malformed, not signed by us, or has expired. Refresh, or sign in again.',
  ],
  'session-ended': [
    401,
    'The session has ended',
    'The session was signed out or ended, or its user lost the role or was suspended. Sign in again.',
  ],
  'invalid-credentials': [
    401,
    'E-mail or password is wrong',
    'No active account has this e-mail and password. The answer is the same whether the e-mail is known or not.',
  ],
  'invalid-refresh-token': [
    401,
    'The refresh token is not valid',
    'A refresh token works once. Using one again ends the session that it belongs to.',
  ],
  forbidden: [403, 'Your role may not do this', 'The call is for another role.'],
  'role-not-allowed': [
    403,
    'This role cannot be registered',
    'Anyone may register as a patient or a doctor; administrators are made by administrators.',
  ],
  'account-suspended': [
    403,
    'The account is suspended',
    'The password was right, but an administrator has suspended the account.',
  ],
  'not-found': [404, 'There is nothing here', 'The address names nothing, or nothing that you may know of.'],
  'doctor-not-found': [
    404,
    'There is no such doctor',
    'No doctor that is listed has this id. A doctor is listed once an administrator has verified them.',
  ],
  'patient-not-found': [404, 'There is no such patient', 'No patient has this id.'],
  'visit-type-not-found': [404, 'There is no such visit type', 'The doctor offers no visit type of this id.'],
  'method-not-allowed': [
    405,
    'This address does not take that method',
    'The header `Allow` lists what it takes.',
  ],
  'email-taken': [409, 'The e-mail address is taken', 'Another account has this e-mail address.'],
  'mobile-taken': [409, 'The mobile number is taken', 'Another account has this mobile number.'],
  'specialty-exists': [409, 'The specialty exists', 'A specialty of this name exists.'],
  'slot-taken': [
    409,
    'The slot is taken',
    'Somebody else has it. `alternatives` lists the nearest open slots, nearest first.',
  ],
  'patient-busy': [
    409,
    'The patient has another appointment then',
    'The patient has an active appointment that overlaps this time.',
  ],
  'already-booked': [
    409,
    'You have this appointment already',
    'The patient has booked this doctor at this very time; `appointmentId` and `appointment` point to it.',
  ],
  'illegal-transition': [
    409,
    'The appointment does not allow this now',
    '`from` is its status and `allowed` the actions that the status allows.',
  ],
  'too-late-to-cancel': [
    409,
    'It is too late to cancel',
    'The cancellation notice of the doctor has begun; `cancellableUntil` was the last moment.',
  ],
  'too-early': [
    409,
    'It is too early for this',
    'A visit starts at most 15 minutes before its time, and nobody has failed to come before it. `allowedFrom` is the first moment.',
  ],
  'too-many-holds': [
    409,
    'You hold too many slots',
    'A patient holds at most two slots at once, over all doctors. Book with one of them, release one, or wait until one lapses.',
  ],
  'already-waiting': [
    409,
    'You are waiting for this already',
    'The patient waits for this doctor, this visit type and some of this time already; `waitlistId` is their entry. Leave it first to wait for another range.',
  ],
  'too-many-waiting': [
    409,
    'You are on too many waiting lists',
    'A patient has at most 20 entries on waiting lists, over all doctors. Leave one first.',
  ],
  'waitlist-full': [
    409,
    'The waiting list is full',
    'A doctor’s waiting list has at most 500 entries. Try again later.',
  ],
  'hold-expired': [
    410,
    'The hold is over',
    'The hold has lapsed, was released, or never was yours. Take a new one, or book without.',
  ],
  'last-visit-type': [
    409,
    'It is the only visit type',
    'A doctor offers at least one visit type. Add another before you remove this one.',
  ],
  'opening-booked': [
    409,
    'The opening has appointments',
    'An opening can be changed or removed only while nothing is booked in it.',
  ],
  'opening-overlaps': [
    409,
    'The time is offered already',
    'The opening overlaps the hours or another opening.',
  ],
  'precondition-failed': [
    412,
    'It has changed since you read it',
    'The resource no longer has the ETag of your If-Match. Read it again and decide anew.',
  ],
  'request-too-large': [413, 'The request is too large', 'A body may have at most 1 MiB.'],
  'unsupported-media-type': [
    415,
    'The media type is not supported',
    'Send the body in a media type that the call takes, and name it in Content-Type.',
  ],
  'slot-not-offered': [
    422,
    'The doctor does not offer this time',
    '`reasons` says why. All that apply are there, of outside-hours, time-off, too-soon, beyond-horizon, off-grid, in-the-past and daily-limit.',
  ],
  'range-too-long': [
    422,
    'The range is too long',
    'A listing has at most 62 days, waiting too, and time off at most 366. Time off with more appointments than one answer can carry is taken in parts.',
  ],
  'schedule-refused': [
    422,
    'The hours contradict themselves',
    '`errors` lists every rule that recurs too often, never matches, or overlaps another.',
  ],
  'opening-in-past': [
    422,
    'The opening is not in the future',
    'An opening starts in the future and ends after its start.',
  ],
  'too-many-openings': [
    422,
    'There are too many openings',
    'A doctor may have at most 500 openings that have not ended.',
  ],
  'opening-length': [
    422,
    'The opening is too short or too long',
    'An opening ends after its start, and at most 24 hours later.',
  ],
  'hold-mismatch': [
    422,
    'The hold is for another slot',
    'The hold has another start or another visit type than the booking. Book what is held, or without the hold.',
  ],
  'time-off-in-past': [422, 'The time off is over', 'Time off ends in the future.'],
  'waiting-in-past': [422, 'The time is over', 'One waits for time that ends in the future.'],
  'too-much-time-off': [
    422,
    'There is too much time off',
    'A doctor may have at most 200 times off that have not ended.',
  ],
  'too-many-visit-types': [
    422,
    'There are too many visit types',
    'A doctor may offer at most 20 visit types.',
  ],
  'upgrade-required': [
    426,
    'This address is a WebSocket',
    'Ask with `Upgrade: websocket`, as every WebSocket client does by itself.',
  ],
  'idempotency-key-reused': [
    422,
    'The Idempotency-Key was used for another request',
    'The same key came with another body or to another address. Use a new key for a new request.',
  ],
  'rate-limited': [429, 'Too many attempts', 'Wait for `Retry-After` seconds.'],
  'internal-error': [500, 'Something went wrong here', 'The fault is ours. Tell us the `requestId`.'],
  unavailable: [
    503,
    'Not available right now',
    'A part of the system did not answer. Nothing is lost: repeat the request with the same Idempotency-Key after `Retry-After` seconds.',
  ],
  misconfigured: [
    503,
    'The service is not configured',
    'A setting or a secret is missing, too short or too long, or one of development. The log of the service names it.',
  ],
  overloaded: [
    503,
    'Too many requests right now',
    'The doctor’s calendar has more requests under way, or more listeners, than it takes. Repeat after `Retry-After` seconds.',
  ],
} as const satisfies Record<string, readonly [status: number, title: string, page: string]>

export type ProblemCode = keyof typeof PROBLEMS
export type ProblemStatus<C extends ProblemCode = ProblemCode> = (typeof PROBLEMS)[C][0]

/** What is told where nothing more is known: the first sentence of the code's page. */
export const detailOf = (code: ProblemCode): string => {
  const [first = '', ...others] = PROBLEMS[code][2].split('. ')
  return others.length === 0 ? first : `${first}.`
}

/** The header that every answer of the status has, if there is one. */
export function headerOf(status: number): 'WWW-Authenticate' | 'Upgrade' | 'Retry-After' | undefined {
  if (status === 401) return 'WWW-Authenticate'
  if (status === 426) return 'Upgrade'
  return status === 429 || status === 503 ? 'Retry-After' : undefined
}
