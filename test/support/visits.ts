/** What people do with appointments and holds, over HTTP. */
import type { SeededUser } from './accounts'
import { type Answer, type Call, call } from './api'

type Caller = Pick<SeededUser, 'token'> | undefined

const as = (caller: Caller): Call => ({ token: caller?.token ?? '' })

/** Takes an action on an appointment; without a body where none is given. */
export const act = (
  caller: Caller,
  appointmentId: string,
  action: string,
  body?: object,
  ifMatch?: string,
): Promise<Answer> =>
  call('POST', `/v1/appointments/${appointmentId}/${action}`, {
    ...as(caller),
    ...(body !== undefined && { body }),
    headers: ifMatch === undefined ? {} : { 'If-Match': ifMatch },
  })

export const reschedule = (caller: Caller, appointmentId: string, start: string, others: object = {}) =>
  act(caller, appointmentId, 'reschedule', { start, ...others })

export const editNotes = (caller: Caller, appointmentId: string, notes: string | null): Promise<Answer> =>
  call('PATCH', `/v1/appointments/${appointmentId}`, { ...as(caller), body: { notes } })

export const readVisit = (caller: Caller, appointmentId: string): Promise<Answer> =>
  call('GET', `/v1/appointments/${appointmentId}`, as(caller))

export const historyOf = (caller: Caller, appointmentId: string, query = ''): Promise<Answer> =>
  call('GET', `/v1/appointments/${appointmentId}/history${query}`, as(caller))

/** Takes a hold, with a key if one is given. */
export const takeHold = (
  caller: Caller,
  doctorId: string,
  start: string,
  key?: string,
  others: object = {},
): Promise<Answer> =>
  call('POST', '/v1/holds', {
    ...as(caller),
    body: { doctorId, start, ...others },
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })

export const releaseHold = (caller: Caller, holdId: string): Promise<Answer> =>
  call('DELETE', `/v1/holds/${holdId}`, as(caller))

export const holdsOf = (caller: Caller, query = ''): Promise<Answer> =>
  call('GET', `/v1/holds${query}`, as(caller))
