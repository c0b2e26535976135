/** Accounts: who you are. */
import { Hono } from 'hono'
import { limitAddress } from '#http/address-limit'
import type { AppEnv } from '#http/context'
import { etagOf } from '#http/etag'
import { operation } from '#http/operation'
import { problem } from '#http/problem'
import { databaseOf } from '#http/request'
import { invalid, validate } from '#http/validate'
import { Credentials, login } from './login'
import { logout } from './logout'
import { Me, readMe } from './me'
import { RefreshRequest, refresh } from './refresh'
import { Registration, register } from './register'
import { Session } from './session'
import { TokenAnswer, TokenError, TokenForm, tokenRequestOf } from './token-request'
import { MeChanges, updateMe } from './update-me'
import { User } from './user'

export const accounts = new Hono<AppEnv>()
  .post(
    '/auth/register',
    operation('register', {
      tag: 'Accounts',
      summary: 'Registers a patient or a doctor',
      description:
        'A doctor is listed and bookable once an administrator has verified them. Without `timeZone` it is UTC.',
      answers: { 201: { description: 'The new user', schema: User } },
      problems: ['role-not-allowed', 'email-taken', 'mobile-taken', 'rate-limited'],
    }),
    limitAddress('ADDRESS_LIMIT'),
    validate('json', Registration),
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
      answers: { 200: { description: 'The session', schema: Session } },
      problems: ['invalid-credentials', 'account-suspended', 'rate-limited'],
    }),
    limitAddress('SIGN_IN_ADDRESS_LIMIT'),
    validate('json', Credentials),
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
        200: { description: 'The tokens', schema: TokenAnswer },
        400: { description: 'An error of RFC 6749, section 5.2', schema: TokenError },
      },
      problems: ['rate-limited'],
    }),
    limitAddress('SIGN_IN_ADDRESS_LIMIT'),
    validate('form', TokenForm),
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
      answers: { 200: { description: 'The session', schema: Session } },
      problems: ['invalid-refresh-token', 'rate-limited'],
    }),
    limitAddress('ADDRESS_LIMIT'),
    validate('json', RefreshRequest),
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
      answers: { 200: { description: 'The own user', schema: Me } },
    }),
    async (c) => {
      const read = await readMe(databaseOf(c), c.var.actor)
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
      answers: { 200: { description: 'The changed user', schema: Me } },
      problems: ['mobile-taken', 'precondition-failed'],
    }),
    validate('json', MeChanges),
    async (c) => {
      const database = databaseOf(c, 'first-primary')
      const ifMatch = c.req.header('If-Match')
      const result = await updateMe(database, c.var.actor, c.req.valid('json'), ifMatch, Date.now())
      if (!result.ok) {
        if (result.code !== 'not-a-patient') return problem(c, result.code)
        return invalid(c, [{ pointer: '/patient', detail: 'Only a patient has these members' }])
      }
      c.header('ETag', etagOf(result.value.version))
      return c.json(result.value.me, 200)
    },
  )

const GRANT_ERRORS = {
  'invalid-credentials': 'The e-mail address or the password is wrong',
  'account-suspended': 'The account is suspended',
  'invalid-refresh-token': 'The refresh token is not valid, or was used before',
} as const
