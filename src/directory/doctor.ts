/** A doctor as the directory shows them: what D1 holds of them, in one row, and what is made of it. */
import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import type { Database } from '#db/database'
import { calendar, doctor, doctorSpecialty, schedule, specialty, user } from '#db/schema'
import { Money, moneyFrom } from '#http/money'
import { ShownInstant } from '#http/shown'
import { isAfter, orderBy, orderKeyOf, type Place, type Sort } from './doctor-order'

export const Address = z
  .object({
    division: z.string(),
    district: z.string(),
    thana: z.string(),
    street: z.string().optional(),
  })
  .meta({ id: 'Address' })

export const DoctorView = z
  .object({
    id: z.string(),
    fullName: z.string(),
    specialties: z.array(z.string()).meta({ description: 'Names, by the alphabet' }),
    licenseNumber: z.string().nullable(),
    experienceYears: z.int().nullable(),
    consultationFee: Money.nullable(),
    bio: z.string().nullable(),
    languages: z.array(z.string()),
    address: Address.nullable(),
    timeZone: z.string().meta({ description: 'The zone of the doctor’s hours' }),
    photoUrl: z.string().nullable(),
  })
  .meta({ id: 'Doctor' })
export type DoctorView = z.infer<typeof DoctorView>

export const exampleDoctor: DoctorView = {
  id: 'usr_019a9f0c1d2e7f3a8b4c5d6e7f8a9b0c',
  fullName: 'Farida Khan',
  specialties: ['Cardiology'],
  licenseNumber: 'A-77120',
  experienceYears: 14,
  consultationFee: { amountMinor: 80_000, currency: 'BDT' },
  bio: 'Hypertension and heart failure.',
  languages: ['bn', 'en'],
  address: { division: 'Dhaka', district: 'Dhaka', thana: 'Dhanmondi' },
  timeZone: 'Asia/Dhaka',
  photoUrl: null,
}

/** A doctor as everybody finds them: with when they are next free. */
export const ListedDoctor = DoctorView.extend({
  nextAvailable: ShownInstant.nullable().meta({
    description: 'When the next open slot starts; null where none is open, or none is known at this moment',
  }),
}).meta({ id: 'ListedDoctor' })
export type ListedDoctor = z.infer<typeof ListedDoctor>

export const exampleListedDoctor: ListedDoctor = { ...exampleDoctor, nextAvailable: '2026-12-01T04:00:00Z' }

/** What only the doctor sees of their profile: whether they are listed. */
export const OwnDoctorView = DoctorView.extend({ verified: z.boolean() }).meta({ id: 'OwnDoctor' })
export type OwnDoctorView = z.infer<typeof OwnDoctorView>

/** The user of the doctor; for the WHERE of every query that has both tables. */
export const ofUser: SQL = eq(user.id, doctor.userId)

/** Verified, and not suspended. */
export const isListed = and(ofUser, isNotNull(doctor.verifiedAt), eq(user.status, 'active'))

const ofCalendar: SQL = eq(calendar.doctorId, doctor.userId)
const ofSchedule: SQL = eq(schedule.doctorId, doctor.userId)

/** Every column has a name of its own: D1 answers a batch with objects, in which two of one name are one. */
const columnsBy = (sort: Sort) => ({
  id: doctor.userId,
  orderKey: orderKeyOf(sort),
  fullName: user.fullName,
  specialties: sql`(
        SELECT json_group_array(${specialty.name} ORDER BY ${specialty.sortName})
        FROM ${doctorSpecialty} CROSS JOIN ${specialty} ON ${specialty.id} = ${doctorSpecialty.specialtyId}
        WHERE ${doctorSpecialty.doctorId} = ${doctor.userId}
      )`
    .mapWith((names: string): string[] => z.array(z.string()).parse(JSON.parse(names)))
    .as('specialties'),
  licenseNumber: doctor.licenseNumber,
  experienceYears: doctor.experienceYears,
  feeMinor: doctor.feeMinor,
  feeCurrency: doctor.feeCurrency,
  bio: doctor.bio,
  languages: doctor.languages,
  division: doctor.division,
  district: doctor.district,
  thana: doctor.thana,
  street: doctor.street,
  timeZone: sql<string>`coalesce(${schedule.timeZone}, ${user.timeZone})`.as('zone'),
  verifiedAt: doctor.verifiedAt,
  version: doctor.version,
  nextAvailableAt: calendar.nextAvailableAt,
  nextCheckAt: calendar.nextCheckAt,
})

/**
 * Doctors with what is shown of them. CROSS JOIN keeps SQLite to the order of its two tables, which is the order of
 * the indexes; where the calendar comes, it decides.
 */
export const selectDoctors = ({ db }: Pick<Database, 'db'>, sort: Sort = 'name') =>
  db
    .select(columnsBy(sort))
    .from(doctor)
    .crossJoin(user)
    .innerJoin(calendar, ofCalendar)
    .leftJoin(schedule, ofSchedule)
    .$dynamic()

/** The same of everybody, along the index of when they are next free; SQLite would read and sort them all. */
const walkCalendars = ({ db }: Pick<Database, 'db'>) =>
  db
    .select(columnsBy('nextAvailable'))
    .from(calendar)
    .crossJoin(doctor)
    .innerJoin(user, ofCalendar)
    .leftJoin(schedule, ofSchedule)
    .$dynamic()

/**
 * The query of at most `rows` listed doctors after a place of an order. `matching` says what is asked of them, true
 * for nothing; `condition` what of their calendar.
 */
export function selectInOrder(
  database: Pick<Database, 'db'>,
  { sort, after, matching }: { sort: Sort; after: Place; matching: SQL | true },
  rows: number,
  condition?: SQL,
) {
  const wanted = and(isAfter(sort, after), isListed, condition, matching === true ? undefined : matching)
  const doctors =
    sort === 'nextAvailable' && matching === true ? walkCalendars(database) : selectDoctors(database, sort)
  return (doctors as ReturnType<typeof selectDoctors>)
    .where(wanted)
    .orderBy(...orderBy(sort))
    .limit(rows)
}

export type DoctorRow = Awaited<ReturnType<typeof selectDoctors>>[number]

/** The doctor of a row, as everybody sees them. */
export const viewDoctor = (row: DoctorRow): DoctorView => ({
  id: row.id,
  fullName: row.fullName,
  specialties: row.specialties,
  licenseNumber: row.licenseNumber,
  experienceYears: row.experienceYears,
  consultationFee: moneyFrom(row.feeMinor, row.feeCurrency),
  bio: row.bio,
  languages: row.languages,
  address: addressOf(row),
  timeZone: row.timeZone,
  photoUrl: null,
})

function addressOf({ division, district, thana, street }: DoctorRow): DoctorView['address'] {
  if (division === null || district === null || thana === null) return null
  return { division, district, thana, ...(street !== null && { street }) }
}

/** The doctor of a row, as they see themselves. */
export const viewOwnDoctor = (row: DoctorRow): OwnDoctorView => ({
  ...viewDoctor(row),
  verified: row.verifiedAt !== null,
})
