/** Walks the permission table: every route with every kind of caller. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#db/id'
import { ROLES, type Role } from '#db/schema'
import { routesOf } from '#http/openapi'
import { type OperationId, PUBLIC, permissions } from '#http/permission'
import { app } from '../../src/app'
import { type SeededUser, seedUser } from '../support/accounts'
import { type Answer, call } from '../support/api'
import {
  everything,
  giveTime,
  type Own,
  requests,
  type Subjects,
  unknownOwn,
  unknownSubjects,
} from './requests'
import { badAuthorizations, claimsOf, forge, keys } from './tokens'

const routes = routesOf(app).map(({ method, path, info }) => ({ id: info.id, method, path }))
const guarded = routes.flatMap(({ id, method }) => {
  const access: typeof PUBLIC | readonly Role[] = permissions[id]
  return access === PUBLIC ? [] : [{ id, method, access }]
})
const open = routes.filter(({ id }) => permissions[id] === PUBLIC)

/** How a right can have ended while its token has not; each makes what it needs of a user of the role. */
const ENDINGS: Record<string, (user: SeededUser, role: Role) => Promise<string>> = {
  'whose session has ended': async ({ sessionId, token }) => {
    await env.DB.prepare('UPDATE session SET ended_at = 1 WHERE id = ?').bind(sessionId).run()
    return token
  },
  'whose user is suspended': async ({ userId, token }) => {
    const suspend = `UPDATE user SET status = 'suspended', version = version + 1 WHERE id = ?`
    await env.DB.prepare(suspend).bind(userId).run()
    return token
  },
  'whose user has another role by now': async ({ userId, token }, role) => {
    const other = role === 'admin' ? 'patient' : 'admin'
    await env.DB.prepare('UPDATE user SET role = ?, version = version + 1 WHERE id = ?')
      .bind(other, userId)
      .run()
    return token
  },
  'whose session has no row': (user, role) => forge({ ...claimsOf(user, role), sid: newId('ses') }),
  'whose session was opened for another role': async (user, role) => {
    const other = role === 'admin' ? 'patient' : 'admin'
    await env.DB.prepare('UPDATE session SET role = ? WHERE id = ?').bind(other, user.sessionId).run()
    return user.token
  },
  'whose session and user both have another role': async ({ userId, sessionId, token }, role) => {
    const other = role === 'admin' ? 'patient' : 'admin'
    await env.DB.batch([
      env.DB.prepare('UPDATE user SET role = ?, version = version + 1 WHERE id = ?').bind(other, userId),
      env.DB.prepare('UPDATE session SET role = ? WHERE id = ?').bind(other, sessionId),
    ])
    return token
  },
}

const live = {} as Record<Role, SeededUser>
/** By role, then by how it ended. */
const ended = {} as Record<Role, Map<string, { token: string; own: Own }>>
let known: Subjects

beforeAll(async () => {
  for (const role of ROLES) {
    live[role] = await seedUser(env, role)
    ended[role] = new Map()
    for (const [how, end] of Object.entries(ENDINGS)) {
      const user = await seedUser(env, role)
      const own = role === 'doctor' ? await giveTime(user) : unknownOwn()
      ended[role].set(how, { token: await end(user, role), own })
    }
  }
  const doctor = await seedUser(env, 'doctor')
  const subjects = { ...unknownSubjects(), doctorId: doctor.userId, patientId: live.patient.userId }
  const hours = requests.setSchedule(subjects, 'doctor')
  expect((await call('PUT', hours.path, { ...hours, token: doctor.token })).status).toBe(200)
  known = { ...subjects, appointmentId: newId('apt') }
})

const send = (
  { id, method }: { id: OperationId; method: string },
  subjects: Subjects,
  role: Role | undefined,
  authorization: string | undefined,
): Promise<Answer> => {
  const { path, body, headers } = requests[id](subjects, role)
  const all = { ...headers, ...(authorization !== undefined && { Authorization: authorization }) }
  return call(method, path, { headers: all, ...(body !== undefined && { body }) })
}

/** That the answer is the whole problem document of this code. */
function expectProblem(answer: Answer, status: number, code: string, why: string): void {
  expect({ status: answer.status, code: answer.body.code }, why).toEqual({ status, code })
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({ type: `/problems/${code}`, status })
  expect(answer.body.requestId).toBe(answer.headers.get('X-Request-Id'))
  for (const member of ['title', 'detail', 'instance']) expect(answer.body[member]).toBeTypeOf('string')
  const challenge = answer.headers.get('WWW-Authenticate')
  if (status !== 401) expect(challenge).toBeNull()
  else if (code === 'unauthenticated') expect(challenge).toBe('Bearer realm="praxis"')
  else expect(challenge).toBe('Bearer realm="praxis", error="invalid_token"')
}

const GUARD_CODES = ['unauthenticated', 'invalid-token', 'session-ended', 'forbidden']

it('Every route has a row in the table and a request here, and every row a route', () => {
  const ids = routes.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect([...ids].sort()).toEqual(Object.keys(permissions).sort())
  expect(Object.keys(requests).sort()).toEqual(Object.keys(permissions).sort())
  for (const { id, path } of routes) {
    const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`)
    expect(requests[id](unknownSubjects(), 'patient').path.split('?')[0]).toMatch(pattern)
  }
})

it('The table says what the contract says', () => {
  const of = (wanted: string): string[] =>
    routes
      .filter(({ id }) => String(permissions[id]) === wanted)
      .map(({ method, path }) => `${method} ${path}`)
  const own = (...paths: string[]) => paths.map((path) => path.replace(' ', ' /v1/doctors/me')).sort()
  const visit = (action: string) => `POST /v1/appointments/:id/${action}`
  expect(of('doctor').sort()).toEqual(
    own(
      'GET ',
      'PATCH ',
      'GET /schedule',
      'PUT /schedule',
      'GET /visit-types',
      'POST /visit-types',
      'PATCH /visit-types/:id',
      'DELETE /visit-types/:id',
      'GET /time-off',
      'POST /time-off',
      'DELETE /time-off/:id',
      'GET /availability',
      'POST /availability',
      'PATCH /availability/:id',
      'DELETE /availability/:id',
    ),
  )
  expect(of('admin').sort()).toEqual(['POST /v1/admin/doctors/:id/verify', 'POST /v1/specialties'])
  expect(of('patient').sort()).toEqual(
    ['holds', 'waitlist']
      .flatMap((own) => [`DELETE /v1/${own}/:id`, `GET /v1/${own}`, `POST /v1/${own}`])
      .sort(),
  )
  expect(of('doctor,admin').sort()).toEqual(['approve', 'complete', 'no-show', 'reject', 'start'].map(visit))
  expect(of('patient,admin').sort()).toEqual(['PATCH /v1/appointments/:id', 'POST /v1/appointments'])
  expect(of('patient,doctor,admin').sort()).toEqual([
    'DELETE /v1/appointments/:id',
    'GET /v1/appointments',
    'GET /v1/appointments/:id',
    'GET /v1/appointments/:id/history',
    'GET /v1/me',
    'PATCH /v1/me',
    visit('cancel'),
    visit('reschedule'),
    'POST /v1/auth/logout',
  ])
  const rest = of(PUBLIC).filter((route) => !/^GET |^POST \/v1\/auth\//.test(route))
  expect(rest).toEqual([])
})

it('Nothing answers but routes with a row, what stands around them, and two pages’ other address', () => {
  const named = new Set(routes.map(({ method, path }) => `${method} ${path}`))
  const unnamed = app.routes.filter(({ method, path }) => path !== '/*' && !named.has(`${method} ${path}`))
  expect(unnamed.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /docs/', 'GET /redoc/'])
})

describe.each(guarded)('$id', (operation) => {
  const { access } = operation

  it('refuses whoever shows no token or a bad one, and writes nothing', async () => {
    const before = await everything()
    const [role = 'patient'] = access
    const none = await send(operation, unknownSubjects(), role, undefined)
    expectProblem(none, 401, 'unauthenticated', 'no token')
    for (const [name, authorization] of await badAuthorizations(live[role], role)) {
      const answer = await send(operation, unknownSubjects(), role, authorization)
      expectProblem(answer, 401, 'invalid-token', name)
    }
    expect(await everything()).toBe(before)
  })

  it.each(access.map((role) => [role]))(
    'refuses a %s whose right has ended, and writes nothing',
    async (role) => {
      const before = await everything()
      expect(ended[role].size).toBe(6)
      for (const [how, { token, own }] of ended[role]) {
        const answer = await send(operation, { ...known, ...own }, role, `Bearer ${token}`)
        expectProblem(answer, 401, 'session-ended', how)
      }
      expect(await everything()).toBe(before)
    },
  )

  it('refuses other roles, and writes nothing', async () => {
    const before = await everything()
    for (const role of ROLES.filter((one) => !access.includes(one))) {
      const answer = await send(operation, unknownSubjects(), role, `Bearer ${live[role].token}`)
      expectProblem(answer, 403, 'forbidden', role)
    }
    expect(await everything()).toBe(before)
  })

  it.each(access.map((role) => [role]))('lets a %s in, whichever of our keys signed', async (role) => {
    for (const { kid, secret } of keys) {
      const user = await seedUser(env, role)
      const token = await forge(claimsOf(user, role), { header: { kid }, secret })
      const answer = await send(operation, unknownSubjects(), role, `Bearer ${token}`)
      expect([401, 403], kid).not.toContain(answer.status)
      expect(answer.status, kid).toBeLessThan(500)
    }
  })
})

describe.each(open)('$id', (operation) => {
  it('lets everybody in, whatever token they show', async () => {
    const good = ROLES.map((role) => [role, `Bearer ${live[role].token}`] as const)
    const bad = [...(await badAuthorizations(live.patient, 'patient'))].slice(0, 3)
    const gone = [...ended.patient].map(([how, { token }]) => [how, `Bearer ${token}`] as const)
    const callers = [['nobody', undefined] as const, ...good, ...bad, ...gone.slice(0, 2)]
    for (const [who, authorization] of callers) {
      const answer = await send(operation, unknownSubjects(), undefined, authorization)
      expect(GUARD_CODES, who).not.toContain(answer.body.code)
      // Signing in is refused for what it was sent, not for who sent it.
      const signsIn = operation.id === 'login' || operation.id === 'refreshSession'
      if (signsIn) expect(answer.body.code, who).toMatch(/^invalid-(credentials|refresh-token)$/)
      else expect([401, 403], who).not.toContain(answer.status)
      expect(answer.status, who).toBeLessThan(500)
    }
  })
})
