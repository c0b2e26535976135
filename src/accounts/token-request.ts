/** The form of OAuth 2.0 (RFC 6749), for clients that speak it: sections 4.3, 5.1, 5.2 and 6. */
import * as z from 'zod'
import { Credentials } from './login'
import { RefreshRequest } from './refresh'

/** A parameter; one that comes twice counts as missing (section 3.2), and so is told as such. */
const parameter = z.string().optional().catch(undefined)

/** Unknown parameters are ignored, as the RFC demands. */
export const TokenForm = z
  .object({
    grant_type: parameter.meta({ description: '`password` or `refresh_token`' }),
    username: parameter.meta({ description: 'With `password`: the e-mail address' }),
    password: parameter,
    refresh_token: parameter.meta({ description: 'With `refresh_token`' }),
    scope: parameter.meta({ description: 'Ignored: what one may do follows from one’s role' }),
    client_id: parameter.meta({ description: 'Ignored: clients are not registered' }),
  })
  .meta({ id: 'TokenForm' })

export const TokenAnswer = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    refresh_token: z.string(),
  })
  .meta({ id: 'TokenAnswer' })

export const TokenError = z
  .object({
    error: z.enum(['invalid_request', 'invalid_grant', 'unsupported_grant_type']),
    error_description: z.string(),
  })
  .meta({ id: 'TokenError' })
export type TokenError = z.infer<typeof TokenError>

export type TokenRequest =
  | ({ readonly grant: 'password' } & Credentials)
  | { readonly grant: 'refresh_token'; readonly refreshToken: string }

/** What the form asks for, or the RFC's error. A parameter without a value is missing (section 3.1). */
export function tokenRequestOf(form: z.infer<typeof TokenForm>): TokenRequest | TokenError {
  switch (form.grant_type) {
    case undefined:
    case '':
      return { error: 'invalid_request', error_description: 'Send grant_type, once' }
    case 'password': {
      const given = Credentials.safeParse({ email: form.username, password: form.password })
      if (given.success) return { grant: 'password', ...given.data }
      return { error: 'invalid_request', error_description: 'Send username and password, once each' }
    }
    case 'refresh_token': {
      const given = RefreshRequest.safeParse({ refreshToken: form.refresh_token })
      if (given.success) return { grant: 'refresh_token', ...given.data }
      return { error: 'invalid_request', error_description: 'Send refresh_token, once' }
    }
    default:
      return { error: 'unsupported_grant_type', error_description: 'Use password or refresh_token' }
  }
}
