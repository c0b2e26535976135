/** The typed client does the main job, and its types say what the answers are. */
import { env, exports } from 'cloudflare:workers'
import type { InferRequestType, InferResponseType } from 'hono/client'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { type Client, createClient } from '../../src/client'
import { seedUser } from '../support/accounts'
import { ALWAYS } from '../support/clinic'
import { declared } from '../support/conformance'

const ADDRESS = 'http://praxis.test'
const PASSWORD = 'Test-Pass-1234!'

/** The Worker as a client reaches it; its answers too are held to the document. */
const viaWorker: typeof fetch = async (input, init) => {
  const request = new Request(input, init)
  return declared(request.method, request.url, await exports.default.fetch(request))
}

const clientOf = (token?: string): Client =>
  createClient(ADDRESS, { fetch: viaWorker, ...(token !== undefined && { token: () => token }) })

/** Somebody who registered and signed in by the client itself. */
async function join(role: 'patient' | 'doctor', name: string): Promise<{ client: Client; id: string }> {
  const email = `${name}@test.praxis.example`
  const registered = await clientOf().v1.auth.register.$post({
    json: { email, password: PASSWORD, fullName: name, role },
  })
  if (registered.status !== 201) throw new Error(`${registered.status}`)
  const signedIn = await clientOf().v1.auth.login.$post({ json: { email, password: PASSWORD } })
  if (signedIn.status !== 200) throw new Error(`${signedIn.status}`)
  const { accessToken, user } = await signedIn.json()
  return { client: clientOf(accessToken), id: user.id }
}

describe('The main job', () => {
  it('register, verify, publish hours, list, book, lose a race, cancel, and the slot is open again', async () => {
    const doctor = await join('doctor', 'typed-doctor')
    const winner = await join('patient', 'typed-winner')
    const loser = await join('patient', 'typed-loser')
    const admin = clientOf((await seedUser(env, 'admin')).token)

    const unseen = await winner.client.v1.doctors[':id'].$get({ param: { id: doctor.id } })
    expect(unseen.status).toBe(404)
    const verified = await admin.v1.admin.doctors[':id'].verify.$post({
      param: { id: doctor.id },
      json: { licenseNumber: 'A-1' },
    })
    expect(verified.status).toBe(200)
    const set = await doctor.client.v1.doctors.me.schedule.$put({
      json: { timeZone: 'UTC', rules: [ALWAYS] },
    })
    expect(set.status).toBe(200)

    const listed = await winner.client.v1.doctors[':id'].slots.$get({ param: { id: doctor.id }, query: {} })
    if (listed.status !== 200) throw new Error(`${listed.status}`)
    const { slots } = await listed.json()
    const start = slots[1]?.start ?? ''

    const booking = { json: { doctorId: doctor.id, start } }
    const booked = await winner.client.v1.appointments.$post(booking)
    if (booked.status !== 201) throw new Error(`${booked.status}`)
    const appointment = await booked.json()
    expect(appointment).toMatchObject({ status: 'confirmed', start, doctorId: doctor.id })

    const lost = await loser.client.v1.appointments.$post(booking)
    if (lost.status !== 409) throw new Error(`${lost.status}`)
    const refusal = await lost.json()
    if (refusal.code !== 'slot-taken') throw new Error(refusal.code)
    expect(refusal.alternatives.length).toBeGreaterThan(0)

    const cancelled = await winner.client.v1.appointments[':id'].cancel.$post({
      param: { id: appointment.id },
      json: { reason: 'The bus strike' },
    })
    if (cancelled.status !== 200) throw new Error(`${cancelled.status}`)
    const { calendarVersion = 0 } = await cancelled.json()
    const again = await loser.client.v1.doctors[':id'].slots.$get({
      param: { id: doctor.id },
      query: { atLeast: String(calendarVersion) },
    })
    if (again.status !== 200) throw new Error(`${again.status}`)
    expect((await again.json()).slots.map((slot) => slot.start)).toContain(start)
  })
})

describe('The client', () => {
  const sent: Headers[] = []
  const bookmarks = ['00000002-a', '00000003-a', '00000001-a']
  let client: Client
  let token: string | undefined

  beforeAll(() => {
    client = createClient(ADDRESS, {
      token: () => token,
      fetch: async (_, init) => {
        sent.push(new Headers(init?.headers))
        return new Response('{}', { headers: { Bookmark: bookmarks[sent.length - 1] ?? '' } })
      },
    })
  })

  it('shows the token of the moment, and sends back the latest Bookmark', async () => {
    await client.v1.me.$get()
    token = 'first'
    await client.v1.me.$get()
    token = 'second'
    await client.v1.me.$get()
    await client.v1.me.$get()
    expect(sent.map((headers) => headers.get('Authorization'))).toEqual([
      null,
      'Bearer first',
      'Bearer second',
      'Bearer second',
    ])
    expect(sent.map((headers) => headers.get('Bookmark'))).toEqual([
      null,
      '00000002-a',
      '00000003-a',
      '00000003-a',
    ])
  })
})

it('The types say what is sent, which statuses there are, and what each of them brings', () => {
  type Book = Client['v1']['appointments']['$post']
  type Cancel = Client['v1']['appointments'][':id']['cancel']['$post']
  type Slots = Client['v1']['doctors'][':id']['slots']['$get']

  expectTypeOf<InferRequestType<Book>['json']>().toEqualTypeOf<{
    doctorId: string
    start: string
    visitTypeId?: string | undefined
    holdId?: string | undefined
    override?: { reason: string } | undefined
    notes?: string | null | undefined
    patientId?: string | undefined
  }>()
  expectTypeOf<Awaited<ReturnType<Book>>['status']>().toEqualTypeOf<
    201 | 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503
  >()
  expectTypeOf<Awaited<ReturnType<Slots>>['status']>().toEqualTypeOf<
    200 | 304 | 400 | 404 | 422 | 500 | 503
  >()

  type Booked = InferResponseType<Book, 201>
  expectTypeOf<Booked['status']>().toEqualTypeOf<InferResponseType<Cancel, 200>['status']>()
  expectTypeOf<Booked['doctor']>().toEqualTypeOf<{ fullName: string }>()
  expectTypeOf<Booked['notes']>().toEqualTypeOf<string | null>()
  expectTypeOf<Booked>().not.toBeAny()

  type Conflict = InferResponseType<Book, 409>
  expectTypeOf<Conflict['code']>().toEqualTypeOf<'slot-taken' | 'patient-busy' | 'already-booked'>()
  expectTypeOf<Extract<Conflict, { code: 'slot-taken' }>['alternatives']>().toEqualTypeOf<
    { start: string; end: string; visitTypeId: string }[]
  >()
  expectTypeOf<Extract<Conflict, { code: 'patient-busy' }>>().not.toHaveProperty('alternatives')
  expectTypeOf<InferResponseType<Book, 422>['code']>().toEqualTypeOf<
    'slot-not-offered' | 'hold-mismatch' | 'idempotency-key-reused'
  >()
  expectTypeOf<InferResponseType<Book, 410>['code']>().toEqualTypeOf<'hold-expired'>()
  expectTypeOf<InferResponseType<Cancel, 409>['code']>().toEqualTypeOf<
    'illegal-transition' | 'too-late-to-cancel'
  >()

  type Move = Client['v1']['appointments'][':id']['reschedule']['$post']
  type Start = Client['v1']['appointments'][':id']['start']['$post']
  type Hold = Client['v1']['holds']['$post']

  expectTypeOf<InferRequestType<Move>['json']>().toEqualTypeOf<{
    start: string
    visitTypeId?: string | undefined
    override?: { reason: string } | undefined
  }>()
  expectTypeOf<InferResponseType<Move, 409>['code']>().toEqualTypeOf<
    'illegal-transition' | 'too-late-to-cancel' | 'slot-taken' | 'patient-busy' | 'already-booked'
  >()
  expectTypeOf<InferResponseType<Start, 409>['code']>().toEqualTypeOf<'illegal-transition' | 'too-early'>()
  expectTypeOf<InferResponseType<Hold, 200>>().toEqualTypeOf<InferResponseType<Hold, 201>>()
  expectTypeOf<InferResponseType<Hold, 201>['origin']>().toEqualTypeOf<'patient' | 'waitlist' | 'time-off'>()
  expectTypeOf<InferResponseType<Hold, 409>['code']>().toEqualTypeOf<
    'slot-taken' | 'patient-busy' | 'already-booked' | 'too-many-holds'
  >()
})
