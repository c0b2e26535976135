/** Accounts: who you are. */
import { Hono } from 'hono'
import { limitAddress } from '#http/address-limit'
import type { AppEnv } from '#http/context'
import { etagOf, versionsInIfMatch } from '#http/etag'
import { operation, shows } from '#http/operation'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { exampleMe, findMe, Me } from './find-me'
import { Credentials, login } from './login'
import { logout } from './logout'
import { RefreshRequest, refresh } from './refresh'
import { Registration, register } from './register'
import { exampleSession, Session } from './session'
import { TokenAnswer, TokenError, TokenForm, tokenRequestOf } from './token-request'
import { MeChanges, updateMe } from './update-me'
import { exampleUser, UserView } from './user'

/** What the OAuth form says of a refusal. */
const GRANT_ERRORS = {
  'invalid-credentials': 'The e-mail address or the password is wrong',
  'account-suspended': 'The account is suspended',
  'invalid-refresh-token': 'The refresh token is not valid, or was used before',
} as const

export const accounts = new Hono<AppEnv>()
  .post(
    '/auth/register',
    operation('register', {
      tag: 'Accounts',
      summary: 'Registers a patient or a doctor',
      description:
        'A doctor is listed and bookable once an administrator has verified them. Without `timeZone` it is UTC.',
      answers: { 201: shows(UserView, 'The new user', exampleUser) },
      problems: ['role-not-allowed', 'email-taken', 'mobile-taken', 'rate-limited'],
    }),
    limitAddress('ADDRESS_LIMIT'),
    validate('json', Registration, {
      example: {
        email: 'nadia@example.com',
        password: 'Tour-Pass-1234!',
        fullName: 'Nadia Haque',
        role: 'patient',
        mobile: '+8801711000000',
        timeZone: 'Asia/Dhaka',
      },
    }),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const result = await register(database, c.env, c.req.valid('json'), Date.now())
      return result.ok ? c.json(result.value, 201) : problem(c, result.code)
    },
  )
  .post(
    '/auth/login',
    operation('login', {
      tag: 'Accounts',
      summary: 'Signs in',
      answers: { 200: shows(Session, 'The session', exampleSession) },
      problems: ['invalid-credentials', 'account-suspended', 'rate-limited'],
    }),
    limitAddress('SIGN_IN_ADDRESS_LIMIT'),
    validate('json', Credentials, { example: { email: 'nadia@example.com', password: 'Tour-Pass-1234!' } }),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const result = await login(database, c.env, c.req.valid('json'), Date.now())
      return result.ok ? c.json(result.value, 200) : problem(c, result.code)
    },
  )
  .post(
    '/auth/token',
    operation('issueToken', {
      tag: 'Accounts',
      summary: 'Signs in or refreshes by the form of OAuth 2.0',
      description:
        'RFC 6749: the grants `password` and `refresh_token`, with the errors as the RFC words them.',
      answers: {
        200: shows(TokenAnswer, 'The tokens', {
          access_token: exampleSession.accessToken,
          token_type: 'Bearer',
          expires_in: exampleSession.expiresIn,
          refresh_token: exampleSession.refreshToken,
        }),
        400: shows(TokenError, 'An error of RFC 6749, section 5.2', {
          error: 'invalid_grant',
          error_description: GRANT_ERRORS['invalid-credentials'],
        }),
      },
      problems: ['rate-limited'],
    }),
    limitAddress('SIGN_IN_ADDRESS_LIMIT'),
    validate('form', TokenForm, {
      example: { grant_type: 'password', username: 'nadia@example.com', password: 'Tour-Pass-1234!' },
    }),
    async (c) => {
      c.header('Cache-Control', 'no-store')
      c.header('Pragma', 'no-cache')
      const request = tokenRequestOf(c.req.valid('form'))
      if ('error' in request) return c.json(request, 400)
      const database = databaseOf(c, 'first-primary')
      const result =
        request.grant === 'password'
          ? await login(database, c.env, request, Date.now())
          : await refresh(database, c.env, request.refreshToken, Date.now())
      if (!result.ok) {
        const error_description = GRANT_ERRORS[result.code]
        return c.json({ error: 'invalid_grant' as const, error_description }, 400)
      }
      const { accessToken, tokenType, expiresIn, refreshToken } = result.value
      return c.json(
        {
          access_token: accessToken,
          token_type: tokenType,
          expires_in: expiresIn,
          refresh_token: refreshToken,
        },
        200,
      )
    },
  )
  .post(
    '/auth/refresh',
    operation('refreshSession', {
      tag: 'Accounts',
      summary: 'Exchanges a refresh token, which works once, for new tokens',
      description: 'Using a refresh token again ends the session, and every token of it.',
      answers: { 200: shows(Session, 'The session', exampleSession) },
      problems: ['invalid-refresh-token', 'rate-limited'],
    }),
    limitAddress('ADDRESS_LIMIT'),
    validate('json', RefreshRequest, { example: { refreshToken: exampleSession.refreshToken } }),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const result = await refresh(database, c.env, c.req.valid('json').refreshToken, Date.now())
      return result.ok ? c.json(result.value, 200) : problem(c, result.code)
    },
  )
  .post(
    '/auth/logout',
    operation('logout', {
      tag: 'Accounts',
      summary: 'Ends the session',
      answers: { 204: { description: 'Its tokens have stopped working' } },
    }),
    async (c) => {
      const result = await logout(databaseOf(c, 'first-primary'), c.var.actor, Date.now())
      return result.ok ? c.body(null, 204) : problem(c, result.code)
    },
  )
  .get(
    '/me',
    operation('getMe', {
      tag: 'Accounts',
      summary: 'Who is signed in',
      answers: { 200: shows(Me, 'The own user', exampleMe, ['ETag']) },
    }),
    async (c) => {
      const read = await findMe(databaseOf(c), c.var.actor)
      if (read === undefined) return problem(c, 'session-ended')
      c.header('ETag', etagOf(read.version))
      return c.json(read.me, 200)
    },
  )
  .patch(
    '/me',
    operation('updateMe', {
      tag: 'Accounts',
      summary: 'Changes the members given; null clears one',
      headers: ['If-Match'],
      answers: { 200: shows(Me, 'The changed user', exampleMe, ['ETag']) },
      problems: ['mobile-taken', 'precondition-failed'],
    }),
    validate('json', MeChanges, { example: { fullName: 'Nadia Haque', patient: { sex: 'female' } } }),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const versions = versionsInIfMatch(c.req.header('If-Match'))
      const result = await updateMe(database, c.var.actor, c.req.valid('json'), versions, Date.now())
      if (!result.ok) {
        return result.code === 'validation-failed' ? invalid(c, result.faults ?? []) : problem(c, result.code)
      }
      c.header('ETag', etagOf(result.value.version))
      return c.json(result.value.me, 200)
    },
  )
