/**
 * Every table, in one view. Instants are integers, epoch milliseconds UTC, in columns that end in `_at`
 * or `_ms`; money is in minor units. Tables are STRICT and guarded by triggers, both written by hand in
 * the migrations (`test/db/schema.test.ts` holds the list). Nothing is deleted by cascade.
 */
import { isNotNull, isNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const ROLES = ['patient', 'doctor', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const APPOINTMENT_STATUSES = [
  'pending',
  'confirmed',
  'in-progress',
  'completed',
  'rejected',
  'cancelled',
  'no-show',
] as const

/** Who asked for a hold: the patient, or the waiting list or a doctor's time off for them. */
export const HOLD_ORIGINS = ['patient', 'waitlist', 'time-off'] as const
/** How a hold ended. */
export const HOLD_OUTCOMES = ['booked', 'released', 'lapsed', 'superseded', 'time-off'] as const

/** How waiting ended: by an offer that was booked, by the patient, by time, or with their account. */
export const WAITLIST_OUTCOMES = ['booked', 'left', 'expired', 'withdrawn'] as const

/**
 * By what the directory is ordered, beside the name: whole numbers, ascending; what is not known comes last. An
 * index serves a query that says the very same, so both take it from here. `LAST` is the largest integer of
 * JavaScript, which no column comes near.
 */
const LAST = sql.raw(String(Number.MAX_SAFE_INTEGER))
const nullsLast = (column: SQLWrapper): SQL<number> =>
  sql`CASE WHEN ${column} IS NULL THEN ${LAST} ELSE ${column} END`
export const feeOrder = nullsLast
export const availableOrder = nullsLast
/** The most experienced first. */
export const experienceOrder = (years: SQLWrapper): SQL<number> =>
  sql`CASE WHEN ${years} IS NULL THEN 1 ELSE -${years} END`

/** Somebody who signs in. `email` is kept in lower case; `password_hash` is a PHC string (Argon2id). */
export const user = sqliteTable(
  'user',
  {
    id: text().primaryKey(),
    email: text().notNull(),
    passwordHash: text('password_hash').notNull(),
    fullName: text('full_name').notNull(),
    role: text({ enum: ROLES }).notNull(),
    status: text({ enum: ['active', 'suspended'] }).notNull(),
    mobile: text(),
    timeZone: text('time_zone').notNull(),
    emailVerifiedAt: integer('email_verified_at'),
    version: integer().notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [
    uniqueIndex('user_email').on(t.email),
    uniqueIndex('user_mobile').on(t.mobile).where(isNotNull(t.mobile)),
    check('user_role', sql`${t.role} IN ('patient', 'doctor', 'admin')`),
    check('user_status', sql`${t.status} IN ('active', 'suspended')`),
  ],
)

/** What a patient adds to their user. */
export const patient = sqliteTable('patient', {
  userId: text('user_id')
    .primaryKey()
    .references(() => user.id),
  dateOfBirth: text('date_of_birth'),
  sex: text({ enum: ['female', 'male', 'other'] }),
  address: text(),
  insuranceProvider: text('insurance_provider'),
  insuranceNumber: text('insurance_number'),
})

/** What a doctor adds to their user. Listed and bookable once `verified_at` is set. */
export const doctor = sqliteTable(
  'doctor',
  {
    userId: text('user_id')
      .primaryKey()
      .references(() => user.id),
    /** The user's name in lower case, kept by a trigger, so that the directory is ordered by an index. */
    sortName: text('sort_name').notNull(),
    licenseNumber: text('license_number'),
    experienceYears: integer('experience_years'),
    feeMinor: integer('fee_minor'),
    feeCurrency: text('fee_currency'),
    bio: text(),
    languages: text({ mode: 'json' }).$type<string[]>().notNull(),
    division: text(),
    district: text(),
    thana: text(),
    street: text(),
    verifiedAt: integer('verified_at'),
    verifiedBy: text('verified_by').references(() => user.id),
    verificationNote: text('verification_note'),
    version: integer().notNull(),
  },
  (t) => [
    index('doctor_listed').on(t.sortName, t.userId).where(isNotNull(t.verifiedAt)),
    index('doctor_fee').on(feeOrder(t.feeMinor), t.userId).where(isNotNull(t.verifiedAt)),
    index('doctor_experience')
      .on(experienceOrder(t.experienceYears), t.userId)
      .where(isNotNull(t.verifiedAt)),
  ],
)

export const specialty = sqliteTable(
  'specialty',
  { id: text().primaryKey(), name: text().notNull(), sortName: text('sort_name').notNull() },
  (t) => [uniqueIndex('specialty_sort_name').on(t.sortName)],
)

export const doctorSpecialty = sqliteTable(
  'doctor_specialty',
  {
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    specialtyId: text('specialty_id')
      .notNull()
      .references(() => specialty.id),
  },
  (t) => [
    primaryKey({ columns: [t.doctorId, t.specialtyId] }),
    index('doctor_specialty_specialty').on(t.specialtyId, t.doctorId),
  ],
)

/** One sign-in. Rows outlive their tokens; `ended_at` is set by sign-out and by a reused refresh token. */
export const session = sqliteTable(
  'session',
  {
    id: text().primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => user.id),
    role: text({ enum: ROLES }).notNull(),
    createdAt: integer('created_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    endedAt: integer('ended_at'),
  },
  (t) => [index('session_user').on(t.userId, t.createdAt)],
)

/** A refresh token, by the SHA-256 of it; each works once (a trigger raises `refresh-token-reused`). */
export const refreshToken = sqliteTable(
  'refresh_token',
  {
    hash: text().primaryKey(),
    sessionId: text('session_id')
      .notNull()
      .references(() => session.id),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    usedAt: integer('used_at'),
  },
  (t) => [index('refresh_token_session').on(t.sessionId)],
)

/**
 * The fence of a doctor's calendar: loading raises both epochs, every write sets `writer_epoch` to the
 * writer's own, so that what an older writer sent is refused whole. `version` counts the writes.
 * `next_available_at` is the start of the doctor's next open slot (null for none), which the object keeps for
 * the directory; it is known until `next_check_at` (null where time alone does not change it).
 */
export const calendar = sqliteTable(
  'calendar',
  {
    doctorId: text('doctor_id')
      .primaryKey()
      .references(() => doctor.userId),
    epoch: integer().notNull(),
    writerEpoch: integer('writer_epoch').notNull(),
    version: integer().notNull(),
    nextAvailableAt: integer('next_available_at'),
    nextCheckAt: integer('next_check_at'),
  },
  (t) => [
    index('calendar_next_available').on(availableOrder(t.nextAvailableAt), t.doctorId),
    index('calendar_next_check').on(t.nextCheckAt).where(isNotNull(t.nextCheckAt)),
    check('stale-calendar', sql`${t.writerEpoch} = ${t.epoch}`),
  ],
)

/** A doctor's weekly hours and booking policy. */
export const schedule = sqliteTable(
  'schedule',
  {
    doctorId: text('doctor_id')
      .primaryKey()
      .references(() => doctor.userId),
    timeZone: text('time_zone').notNull(),
    rules: text().notNull(),
    slotMinutes: integer('slot_minutes').notNull(),
    minNoticeMinutes: integer('min_notice_minutes').notNull(),
    horizonDays: integer('horizon_days').notNull(),
    approval: text({ enum: ['auto', 'manual'] }).notNull(),
    cancellationNoticeMinutes: integer('cancellation_notice_minutes').notNull(),
    dailyLimit: integer('daily_limit'),
    version: integer().notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [
    check('schedule_rules', sql`json_valid(${t.rules})`),
    check('schedule_approval', sql`${t.approval} IN ('auto', 'manual')`),
  ],
)

/** One dated opening beside the rules. */
export const opening = sqliteTable(
  'opening',
  {
    id: text().primaryKey(),
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    startMs: integer('start_ms').notNull(),
    endMs: integer('end_ms').notNull(),
    version: integer().notNull().default(1),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    index('opening_doctor').on(t.doctorId, t.startMs, t.id),
    check('opening_interval', sql`${t.startMs} < ${t.endMs}`),
  ],
)

/** Time that a doctor takes off, whatever their hours and openings say. */
export const timeOff = sqliteTable(
  'time_off',
  {
    id: text().primaryKey(),
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    startMs: integer('start_ms').notNull(),
    endMs: integer('end_ms').notNull(),
    reason: text(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    index('time_off_doctor').on(t.doctorId, t.startMs, t.id),
    check('time_off_interval', sql`${t.startMs} < ${t.endMs}`),
  ],
)

/** What a doctor offers to be booked. One that is offered no more is archived: appointments refer to it. */
export const visitType = sqliteTable(
  'visit_type',
  {
    id: text().primaryKey(),
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    name: text().notNull(),
    durationMinutes: integer('duration_minutes').notNull(),
    bufferBeforeMinutes: integer('buffer_before_minutes').notNull(),
    bufferAfterMinutes: integer('buffer_after_minutes').notNull(),
    mode: text({ enum: ['in-person', 'video'] }).notNull(),
    feeMinor: integer('fee_minor'),
    feeCurrency: text('fee_currency'),
    version: integer().notNull().default(1),
    createdAt: integer('created_at').notNull(),
    archivedAt: integer('archived_at'),
  },
  (t) => [index('visit_type_doctor').on(t.doctorId, t.createdAt, t.id)],
)

/**
 * A booked visit: sold interval [start, end), blocked interval with its buffers. Triggers raise
 * `slot-taken`, `patient-busy` and `stale-version`.
 */
export const appointment = sqliteTable(
  'appointment',
  {
    id: text().primaryKey(),
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    patientId: text('patient_id')
      .notNull()
      .references(() => patient.userId),
    visitTypeId: text('visit_type_id')
      .notNull()
      .references(() => visitType.id),
    startMs: integer('start_ms').notNull(),
    endMs: integer('end_ms').notNull(),
    blockedStartMs: integer('blocked_start_ms').notNull(),
    blockedEndMs: integer('blocked_end_ms').notNull(),
    status: text({ enum: APPOINTMENT_STATUSES }).notNull(),
    mode: text({ enum: ['in-person', 'video'] }).notNull(),
    feeMinor: integer('fee_minor'),
    feeCurrency: text('fee_currency'),
    notes: text(),
    remarks: text(),
    cancellationReason: text('cancellation_reason'),
    cancellableUntilMs: integer('cancellable_until_ms').notNull(),
    /** The secret part of a video visit's address; null for a visit in person. */
    meetingRoom: text('meeting_room'),
    version: integer().notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [
    index('appointment_doctor').on(t.doctorId, t.startMs, t.id),
    index('appointment_patient').on(t.patientId, t.startMs, t.id),
    index('appointment_start').on(t.startMs, t.id),
    index('appointment_doctor_active')
      .on(t.doctorId, t.blockedStartMs)
      .where(sql`${t.status} IN ('pending', 'confirmed', 'in-progress')`),
    index('appointment_patient_active')
      .on(t.patientId, t.startMs)
      .where(sql`${t.status} IN ('pending', 'confirmed', 'in-progress')`),
    index('appointment_status').on(t.status, t.startMs, t.id),
    check(
      'appointment_interval',
      sql`${t.blockedStartMs} <= ${t.startMs} AND ${t.startMs} < ${t.endMs} AND ${t.endMs} <= ${t.blockedEndMs}`,
    ),
    // A visit is at most 480 minutes and each buffer 120: the triggers look no further back than this.
    check('appointment_length', sql`${t.blockedEndMs} - ${t.blockedStartMs} <= 43200000`),
    check(
      'appointment_status',
      sql`${t.status} IN ('pending', 'confirmed', 'in-progress', 'completed', 'rejected', 'cancelled', 'no-show')`,
    ),
  ],
)

/**
 * A slot kept for one patient until `expires_at`. Its id is its fencing token, never used again: triggers raise
 * `slot-taken`, `patient-busy` and `too-many-holds`, and `stale-version` for one that has ended already.
 */
export const hold = sqliteTable(
  'hold',
  {
    id: text().primaryKey(),
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    patientId: text('patient_id')
      .notNull()
      .references(() => patient.userId),
    visitTypeId: text('visit_type_id')
      .notNull()
      .references(() => visitType.id),
    startMs: integer('start_ms').notNull(),
    endMs: integer('end_ms').notNull(),
    blockedStartMs: integer('blocked_start_ms').notNull(),
    blockedEndMs: integer('blocked_end_ms').notNull(),
    origin: text({ enum: HOLD_ORIGINS }).notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    endedAt: integer('ended_at'),
    outcome: text({ enum: HOLD_OUTCOMES }),
  },
  (t) => [
    index('hold_doctor_live').on(t.doctorId, t.blockedStartMs).where(isNull(t.endedAt)),
    index('hold_patient_live').on(t.patientId, t.expiresAt, t.id).where(isNull(t.endedAt)),
    index('hold_expiry').on(t.expiresAt).where(isNull(t.endedAt)),
    check(
      'hold_interval',
      sql`${t.blockedStartMs} <= ${t.startMs} AND ${t.startMs} < ${t.endMs} AND ${t.endMs} <= ${t.blockedEndMs}`,
    ),
    check('hold_length', sql`${t.blockedEndMs} - ${t.blockedStartMs} <= 43200000`),
    check('hold_origin', sql`${t.origin} IN ('patient', 'waitlist', 'time-off')`),
    check(
      'hold_outcome',
      sql`(${t.endedAt} IS NULL) = (${t.outcome} IS NULL)
        AND ${t.outcome} IN ('booked', 'released', 'lapsed', 'superseded', 'time-off')`,
    ),
  ],
)

/**
 * Who waits for a doctor's time to become free, while `ended_at` is null. Triggers raise `too-many-waiting` and
 * `waitlist-full`, and `stale-version` for an entry that has ended already.
 */
export const waitlist = sqliteTable(
  'waitlist',
  {
    id: text().primaryKey(),
    doctorId: text('doctor_id')
      .notNull()
      .references(() => doctor.userId),
    patientId: text('patient_id')
      .notNull()
      .references(() => patient.userId),
    /** Null for whatever the doctor's first is when time becomes free. */
    visitTypeId: text('visit_type_id').references(() => visitType.id),
    fromMs: integer('from_ms').notNull(),
    toMs: integer('to_ms').notNull(),
    createdAt: integer('created_at').notNull(),
    /** When it last let an offer pass, which put it at the end of the line. */
    passedAt: integer('passed_at'),
    /** The hold that it is offered now. No reference: each new hold would have to look for who refers to it. */
    offerId: text('offer_id'),
    /** Since when the time of that offer is being passed down the line. */
    freedAt: integer('freed_at'),
    endedAt: integer('ended_at'),
    outcome: text({ enum: WAITLIST_OUTCOMES }),
  },
  (t) => [
    index('waitlist_doctor_live').on(t.doctorId, t.createdAt, t.id).where(isNull(t.endedAt)),
    index('waitlist_patient_live').on(t.patientId, t.createdAt, t.id).where(isNull(t.endedAt)),
    index('waitlist_expiry').on(t.toMs).where(isNull(t.endedAt)),
    // At most 62 days.
    check('waitlist_range', sql`${t.fromMs} < ${t.toMs} AND ${t.toMs} - ${t.fromMs} <= 5356800000`),
    check('waitlist_offer', sql`(${t.offerId} IS NULL) = (${t.freedAt} IS NULL)`),
    check(
      'waitlist_outcome',
      sql`(${t.endedAt} IS NULL) = (${t.outcome} IS NULL)
        AND ${t.outcome} IN ('booked', 'left', 'expired', 'withdrawn')`,
    ),
  ],
)

/** What happened, for ever: audit log, history, integrators' feed and outbox. Append-only by triggers. */
export const event = sqliteTable(
  'event',
  {
    sequence: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    type: text().notNull(),
    actorId: text('actor_id'),
    subjectId: text('subject_id').notNull(),
    at: integer().notNull(),
    data: text().notNull(),
    publishedAt: integer('published_at'),
  },
  (t) => [
    uniqueIndex('event_id').on(t.id),
    index('event_subject').on(t.subjectId, t.sequence),
    index('event_unpublished').on(t.sequence).where(isNull(t.publishedAt)),
    check('event_data', sql`json_valid(${t.data})`),
  ],
)

/** Somebody's words about an event, beside it: events are for ever and hold no words, these can be erased. */
export const eventNote = sqliteTable('event_note', {
  eventId: text('event_id')
    .primaryKey()
    .references(() => event.id),
  note: text().notNull(),
})

/** The first answer to a creating request, for a day: (user, key) is one effect. */
export const idempotency = sqliteTable(
  'idempotency',
  {
    userId: text('user_id')
      .notNull()
      .references(() => user.id),
    key: text().notNull(),
    route: text().notNull(),
    bodyHash: text('body_hash').notNull(),
    answer: text().notNull(),
    doctorId: text('doctor_id').references(() => doctor.userId),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.key] }),
    index('idempotency_doctor').on(t.doctorId, t.createdAt).where(isNotNull(t.doctorId)),
    index('idempotency_created').on(t.createdAt),
  ],
)

/** One-time marks of the installation: that the first administrator and the demonstration data were made. */
export const setting = sqliteTable('setting', {
  key: text().primaryKey(),
  value: text().notNull(),
  updatedAt: integer('updated_at').notNull(),
})
