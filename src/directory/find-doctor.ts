/** One listed doctor, with what they offer. */
import { and, asc, eq, isNull } from 'drizzle-orm'
import * as z from 'zod'
import type { Database } from '#db/database'
import { idPattern } from '#db/id'
import { doctor, visitType } from '#db/schema'
import { exampleVisitType, VisitTypeView, viewVisitType } from '#scheduling/visit-type'
import { exampleListedDoctor, isListed, ListedDoctor, selectDoctors, viewDoctor } from './doctor'

export const DoctorDetail = ListedDoctor.extend({
  visitTypes: z
    .array(VisitTypeView)
    .meta({ description: 'Those without a fee of their own show the consultation fee' }),
}).meta({ id: 'DoctorDetail' })

export const exampleDoctorDetail: z.infer<typeof DoctorDetail> = {
  ...exampleListedDoctor,
  visitTypes: [exampleVisitType],
}

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
      .where(and(eq(visitType.doctorId, doctorId), isNull(visitType.archivedAt)))
      .orderBy(asc(visitType.createdAt), asc(visitType.id)),
  ])
  if (row === undefined) return undefined
  const profile = viewDoctor(row)
  return {
    ...profile,
    visitTypes: visits
      .map(viewVisitType)
      .map((visit) => ({ ...visit, fee: visit.fee ?? profile.consultationFee })),
  }
}
