/** The check that every answer goes through (test/support/conformance.ts) is not blind: wrong answers fail it. */
import { env } from 'cloudflare:workers'
import { beforeAll, expect, it } from 'vitest'
import type { SeededUser } from '../support/accounts'
import { seedUser } from '../support/accounts'
import { type Answer, call } from '../support/api'
import { book, openStart, seedClinic } from '../support/clinic'
import { expectDeclared, type Received, undeclared } from '../support/conformance'

const BOOK = ['POST', '/v1/appointments'] as const

let patient: SeededUser
let booked: Answer
let lost: Answer

beforeAll(async () => {
  patient = await seedUser(env, 'patient')
  const other = await seedUser(env, 'patient')
  const { userId } = await seedClinic()
  const start = await openStart(userId)
  booked = await book(patient, userId, start, 'conformance-1')
  lost = await book(other, userId, start)
})

/** The answer with some things changed; a header of null is left out. */
function but(
  { status, headers, body }: Answer,
  changes: { status?: number; headers?: Record<string, string | null>; body?: object },
): Received {
  const changed = new Headers(headers)
  for (const [name, value] of Object.entries(changes.headers ?? {})) {
    if (value === null) changed.delete(name)
    else changed.set(name, value)
  }
  return { status: changes.status ?? status, headers: changed, text: JSON.stringify(changes.body ?? body) }
}

const without = (body: Record<string, unknown>, member: string): object => {
  const { [member]: _, ...rest } = body
  return rest
}

it('Right answers pass', () => {
  expect([booked.status, lost.status]).toEqual([201, 409])
  expect(undeclared(...BOOK, but(booked, {}))).toEqual([])
  expect(undeclared(...BOOK, but(lost, {}))).toEqual([])
})

it('A status that the operation does not declare fails', () => {
  for (const status of [200, 202, 304, 402, 412, 418, 502]) {
    expect(undeclared(...BOOK, but(booked, { status })), `${status}`).toEqual([
      `bookAppointment declares no ${status}`,
    ])
  }
  expect(() => expectDeclared(...BOOK, but(booked, { status: 200 }))).toThrow(
    'is not what /openapi.json says',
  )
})

it('A member that is missing fails, whichever it is', () => {
  for (const member of Object.keys(booked.body).filter((name) => name !== 'calendarVersion')) {
    expect(undeclared(...BOOK, but(booked, { body: without(booked.body, member) })), member).not.toEqual([])
  }
  for (const member of Object.keys(lost.body)) {
    expect(undeclared(...BOOK, but(lost, { body: without(lost.body, member) })), member).not.toEqual([])
  }
})

it('A member that is not declared fails, at every depth', () => {
  const { body } = booked
  for (const wrong of [
    { ...body, secret: 1 },
    { ...body, doctor: { ...body.doctor, email: 'x@example.org' } },
    { ...body, fee: { amountMinor: 1, currency: 'BDT', tax: 0 } },
  ]) {
    expect(undeclared(...BOOK, but(booked, { body: wrong }))).not.toEqual([])
  }
  const alternatives = [{ ...lost.body.alternatives[0], patientId: 'usr_1' }]
  expect(undeclared(...BOOK, but(lost, { body: { ...lost.body, alternatives } }))).not.toEqual([])
  expect(undeclared(...BOOK, but(lost, { body: { ...lost.body, from: 'pending' } }))).not.toEqual([])
})

it('A value of another type or form fails', () => {
  for (const wrong of [{ status: 'booked' }, { version: '1' }, { start: '2026-12-01 04:00' }, { fee: 80 }]) {
    expect(undeclared(...BOOK, but(booked, { body: { ...booked.body, ...wrong } }))).not.toEqual([])
  }
})

it('A code that the operation does not declare for the status fails', () => {
  for (const code of ['email-taken', 'too-late-to-cancel', 'doctor-not-found', 'nothing']) {
    const body = { ...lost.body, code, type: `/problems/${code}` }
    expect(undeclared(...BOOK, but(lost, { body })), code).toEqual([`the code ${code} is not declared`])
  }
  const other = { ...lost.body, type: '/problems/patient-busy' }
  expect(undeclared(...BOOK, but(lost, { body: other }))).not.toEqual([])
})

it('Another content type fails, and so does a body that is missing or not declared', () => {
  const html = but(booked, { headers: { 'Content-Type': 'text/html' } })
  expect(undeclared(...BOOK, html)).toEqual(['text/html is not declared'])
  const plain = but(lost, { headers: { 'Content-Type': 'application/json' } })
  expect(undeclared(...BOOK, plain)).toEqual(['application/json is not declared'])
  expect(undeclared(...BOOK, { ...but(booked, {}), text: '' })).toEqual(['the body is missing'])
  const deleted = { ...but(booked, { status: 204 }), headers: new Headers({ 'X-Request-Id': 'x'.repeat(8) }) }
  const remove = ['DELETE', '/v1/doctors/me/availability/opn_1'] as const
  expect(undeclared(...remove, { ...deleted, text: '' })).toEqual([])
  expect(undeclared(...remove, deleted)).toEqual(['a body is not declared'])
})

it('A header that is missing, malformed or not declared fails', () => {
  for (const name of ['ETag', 'Location', 'X-Request-Id']) {
    expect(undeclared(...BOOK, but(booked, { headers: { [name]: null } }))).toEqual([
      `the header ${name} is missing`,
    ])
  }
  expect(undeclared(...BOOK, but(booked, { headers: { ETag: '1' } }))).not.toEqual([])
  expect(undeclared(...BOOK, but(lost, { headers: { ETag: '"1"' } }))).toEqual([
    'the header ETag is not declared',
  ])
})

it('At an address that the document does not have, only problem documents pass', async () => {
  const nothing = await call('GET', '/v1/nothing')
  expect(undeclared('GET', '/v1/nothing', but(nothing, {}))).toEqual([])
  expect(undeclared('GET', '/v1/nothing', but(booked, {}))).not.toEqual([])
  expect(undeclared('GET', '/v1/nothing', but(nothing, { status: 200 }))).not.toEqual([])
  expect(undeclared('GET', '/v1/nothing', but(lost, {}))).toEqual([
    'an undeclared operation answers slot-taken',
  ])
  expect(undeclared('PUT', '/v1/appointments', but(booked, {}))).not.toEqual([])
})
