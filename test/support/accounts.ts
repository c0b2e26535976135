/**
 * People for tests, written straight to D1 with a live session and a signed token: no hashing, so that a
 * race can have five hundred of them. To test signing in itself, register over HTTP.
 */
import { env } from 'cloudflare:workers'
import { newId } from '#db/id'
import type { Role } from '#db/schema'
import { signAccessToken } from '#http/access-token'

export interface SeededUser {
  readonly userId: string
  readonly sessionId: string
  readonly token: string
  readonly email: string
  /** A doctor's default visit type of 30 minutes; empty for everybody else. */
  readonly visitTypeId: string
}

export interface SeedOverrides {
  readonly email?: string
  readonly fullName?: string
  readonly mobile?: string
  readonly timeZone?: string
  readonly status?: 'active' | 'suspended'
  readonly passwordHash?: string
  /** Whether an administrator has verified the doctor; true unless said otherwise. */
  readonly verified?: boolean
  /** When the token is signed and everything was created; now unless said otherwise. */
  readonly nowMs?: number
}

const SESSION_DAYS = 30
const DAY_MS = 86_400_000

/** No password has this hash. */
const NO_PASSWORD = '$argon2id$none'

/** One person of the role. */
export async function seedUser(
  bindings: Pick<Env, 'DB' | 'TOKEN_KEYS' | 'TOKEN_ISSUER' | 'TOKEN_AUDIENCE'>,
  role: Role,
  overrides: SeedOverrides = {},
): Promise<SeededUser> {
  const [user] = await seed(bindings, role, 1, overrides)
  if (user === undefined) throw new Error('Nobody was seeded')
  return user
}

/** So many people of the role, in one batch. Their names end in a number: `Test patient 1`. */
export const seedUsers = (
  role: Role,
  count: number,
  overrides: Omit<SeedOverrides, 'email' | 'mobile'> = {},
): Promise<SeededUser[]> => seed(env, role, count, overrides)

async function seed(
  bindings: Pick<Env, 'DB' | 'TOKEN_KEYS' | 'TOKEN_ISSUER' | 'TOKEN_AUDIENCE'>,
  role: Role,
  count: number,
  overrides: SeedOverrides,
): Promise<SeededUser[]> {
  const nowMs = overrides.nowMs ?? Date.now()
  const users = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const userId = newId('usr')
      const sessionId = newId('ses')
      return {
        userId,
        sessionId,
        token: await signAccessToken(bindings, { userId, sessionId, role }, nowMs),
        email: overrides.email ?? `${userId}@test.praxis.example`,
        visitTypeId: role === 'doctor' ? newId('vis') : '',
        fullName: overrides.fullName ?? `Test ${role} ${index + 1}`,
      }
    }),
  )
  // One parameter for all of them: a statement may have a hundred.
  const rows = JSON.stringify(users)
  const { DB } = bindings
  const statements = [
    DB.prepare(
      `INSERT INTO user (id, email, password_hash, full_name, role, status, mobile, time_zone, version,
         created_at, updated_at)
       SELECT value ->> 'userId', value ->> 'email', ?2, value ->> 'fullName', ?3, ?4, ?5, ?6, 1, ?7, ?7
       FROM json_each(?1)`,
    ).bind(
      rows,
      overrides.passwordHash ?? NO_PASSWORD,
      role,
      overrides.status ?? 'active',
      overrides.mobile ?? null,
      overrides.timeZone ?? 'UTC',
      nowMs,
    ),
    DB.prepare(
      `INSERT INTO session (id, user_id, role, created_at, last_seen_at, expires_at)
       SELECT value ->> 'sessionId', value ->> 'userId', ?2, ?3, ?3, ?4 FROM json_each(?1)`,
    ).bind(rows, role, nowMs, nowMs + SESSION_DAYS * DAY_MS),
  ]
  if (role === 'patient') {
    statements.push(
      DB.prepare(`INSERT INTO patient (user_id) SELECT value ->> 'userId' FROM json_each(?1)`).bind(rows),
    )
  }
  if (role === 'doctor') {
    statements.push(
      DB.prepare(
        `INSERT INTO doctor (user_id, sort_name, languages, verified_at, version)
         SELECT value ->> 'userId', lower(value ->> 'fullName'), '[]', ?2, 1 FROM json_each(?1)`,
      ).bind(rows, (overrides.verified ?? true) ? nowMs : null),
      DB.prepare(
        `INSERT INTO calendar (doctor_id, epoch, writer_epoch, version)
         SELECT value ->> 'userId', 0, 0, 0 FROM json_each(?1)`,
      ).bind(rows),
      DB.prepare(
        `INSERT INTO schedule (doctor_id, time_zone, rules, slot_minutes, min_notice_minutes, horizon_days, approval,
           cancellation_notice_minutes, version, updated_at)
         SELECT value ->> 'userId', ?2, '[]', 30, 0, 60, 'auto', 0, 0, ?3 FROM json_each(?1)`,
      ).bind(rows, overrides.timeZone ?? 'UTC', nowMs),
      DB.prepare(
        `INSERT INTO visit_type (id, doctor_id, name, duration_minutes, buffer_before_minutes,
           buffer_after_minutes, mode, created_at)
         SELECT value ->> 'visitTypeId', value ->> 'userId', 'Consultation', 30, 0, 0, 'in-person', ?2
         FROM json_each(?1)`,
      ).bind(rows, nowMs),
    )
  }
  await DB.batch(statements)
  return users.map(({ fullName: _, ...user }) => user)
}
