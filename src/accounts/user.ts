/** A user as the API shows them, never with their password. */
import * as z from 'zod'
import { ROLES, user } from '#db/schema'
import { ShownInstant } from '#http/shown'
import { line } from '#http/text'
import { formatInstant } from '#scheduling/core/time'

/** In characters; RFC 5321 allows no more (section 4.5.3.1.3, without the angle brackets). */
const MAX_EMAIL_LENGTH = 254

/** In characters. */
const MAX_FULL_NAME_LENGTH = 100

/** Addresses are one whatever their capitals. */
export const normaliseEmail = (email: string): string => email.trim().toLowerCase()

/** A new e-mail address, which is kept in lower case. */
export const Email = z
  .string()
  .trim()
  .max(MAX_EMAIL_LENGTH)
  .regex(z.regexes.email, 'This is no e-mail address')
  .toLowerCase()
  .meta({ format: 'email' })

/** An address that somebody signs in with; one that could never have been registered is merely unknown. */
export const GivenEmail = z.string().min(1).max(MAX_EMAIL_LENGTH).transform(normaliseEmail)

export const FullName = line(1, MAX_FULL_NAME_LENGTH)

/** E.164: a plus, a country code, at most 15 digits. */
export const Mobile = z.string().regex(/^\+[1-9]\d{6,14}$/, 'Send a number as E.164 has it: +8801711000000')

export const UserView = z
  .object({
    id: z.string(),
    email: z.string(),
    fullName: z.string(),
    role: z.enum(ROLES),
    status: z.enum(['active', 'suspended']),
    mobile: z.string().nullable(),
    timeZone: z.string(),
    emailVerified: z.boolean(),
    photoUrl: z.string().nullable(),
    createdAt: ShownInstant,
  })
  .meta({ id: 'User' })
export type UserView = z.infer<typeof UserView>

export const exampleUser: UserView = {
  id: 'usr_019a9f0b6b7a7c3e8d2f4a5b6c7d8e9f',
  email: 'nadia@example.com',
  fullName: 'Nadia Haque',
  role: 'patient',
  status: 'active',
  mobile: '+8801711000000',
  timeZone: 'Asia/Dhaka',
  emailVerified: false,
  photoUrl: null,
  createdAt: '2026-11-20T09:30:00Z',
}

/** The columns of a user that may be shown. No other table's column of the same name may be read beside them. */
export const userColumns = {
  id: user.id,
  email: user.email,
  fullName: user.fullName,
  role: user.role,
  status: user.status,
  mobile: user.mobile,
  timeZone: user.timeZone,
  emailVerifiedAt: user.emailVerifiedAt,
  createdAt: user.createdAt,
}

export type UserRow = Pick<typeof user.$inferSelect, keyof typeof userColumns>

/** The user of a row, as the API shows them. */
export const viewUser = (row: UserRow): UserView => ({
  id: row.id,
  email: row.email,
  fullName: row.fullName,
  role: row.role,
  status: row.status,
  mobile: row.mobile,
  timeZone: row.timeZone,
  emailVerified: row.emailVerifiedAt !== null,
  photoUrl: null,
  createdAt: formatInstant(row.createdAt),
})
