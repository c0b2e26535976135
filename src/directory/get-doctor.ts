/** One listed doctor, with what they offer. */
import { and, asc, eq } from 'drizzle-orm'
import * as z from 'zod'
import type { Database } from '#db/database'
import { idPattern } from '#db/id'
import { doctor, visitType } from '#db/schema'
import { Money, moneyFrom } from '#http/money'
import { Doctor, doctorOf, isListed, selectDoctors } from './doctor'

const OfferedVisit = z
  .object({
    id: z.string(),
    name: z.string(),
    durationMinutes: z.int(),
    bufferBeforeMinutes: z.int(),
    bufferAfterMinutes: z.int(),
    mode: z.enum(['in-person', 'video']),
    fee: Money.nullable().meta({ description: 'Its own, else the consultation fee' }),
  })
  .meta({ id: 'OfferedVisit' })

export const DoctorDetail = Doctor.extend({
  visitTypes: z.array(OfferedVisit),
  nextAvailable: z.string().nullable().meta({ description: 'When the next open slot starts' }),
}).meta({ id: 'DoctorDetail' })

const DOCTOR_ID = idPattern('usr')

/** The doctor, or undefined for anybody who is not listed; an id that is none asks nobody. One round trip. */
export async function findDoctor(
  database: Database,
  doctorId: string,
): Promise<Omit<z.infer<typeof DoctorDetail>, 'nextAvailable'> | undefined> {
  if (!DOCTOR_ID.test(doctorId)) return undefined
  const [[row], visits] = await database.db.batch([
    selectDoctors(database).where(and(eq(doctor.userId, doctorId), isListed)),
    database.db
      .select()
      .from(visitType)
      .where(eq(visitType.doctorId, doctorId))
      .orderBy(asc(visitType.createdAt), asc(visitType.id)),
  ])
  if (row === undefined) return undefined
  const profile = doctorOf(row)
  return {
    ...profile,
    visitTypes: visits.map((visit) => ({
      id: visit.id,
      name: visit.name,
      durationMinutes: visit.durationMinutes,
      bufferBeforeMinutes: visit.bufferBeforeMinutes,
      bufferAfterMinutes: visit.bufferAfterMinutes,
      mode: visit.mode,
      fee: moneyFrom(visit.feeMinor, visit.feeCurrency) ?? profile.consultationFee,
    })),
  }
}
