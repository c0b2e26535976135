/** Finds open slots over all doctors: a whole local day of each. */
import type { Context } from 'hono'
import * as z from 'zod'
import type { AppEnv } from '#http/context'
import { type Page, pageQuery } from '#http/page'
import { LocalDate } from '#scheduling/fields'
import { exampleSlot, SlotView, wordSlot } from '#scheduling/slot'
import { DoctorView, exampleDoctor, viewDoctor } from './doctor'
import { placeOf } from './doctor-order'
import { doctorFilters, matchingDoctors } from './match-doctors'
import { searchDay } from './search-day'

export const SlotsQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: pageQuery.cursor,
  date: LocalDate,
  ...doctorFilters,
})
type SlotsQuery = z.infer<typeof SlotsQuery>

const SHOWN = {
  id: true,
  fullName: true,
  specialties: true,
  consultationFee: true,
  timeZone: true,
  photoUrl: true,
} as const

const DoctorOfSlots = DoctorView.pick(SHOWN).meta({ id: 'DoctorOfSlots' })

export const DoctorSlots = z
  .object({ doctor: DoctorOfSlots, slots: z.array(SlotView) })
  .meta({ id: 'DoctorSlots' })
type DoctorSlots = z.infer<typeof DoctorSlots>

const doctorOf = (doctor: z.infer<typeof DoctorView>): DoctorSlots['doctor'] => ({
  id: doctor.id,
  fullName: doctor.fullName,
  specialties: doctor.specialties,
  consultationFee: doctor.consultationFee,
  timeZone: doctor.timeZone,
  photoUrl: doctor.photoUrl,
})

export const exampleDoctorSlots: DoctorSlots = { doctor: doctorOf(exampleDoctor), slots: [exampleSlot] }

/** A page by the doctors' names, or undefined for a cursor that this list never gave out. */
export async function findSlots(
  c: Context<AppEnv>,
  query: SlotsQuery,
  nowMs: number,
): Promise<Page<DoctorSlots> | undefined> {
  const { date, limit } = query
  const after = placeOf('name', query.cursor)
  if (after === undefined) return undefined
  const matching = matchingDoctors(query)
  if (matching === undefined) return { items: [], nextCursor: null }
  const { found, nextCursor } = await searchDay(c, { matching, date, sort: 'name', after, limit }, nowMs)
  const items = found.map(({ row, read, slots }) => ({
    // The zone by which the day was told.
    doctor: { ...doctorOf(viewDoctor(row)), timeZone: read.openings.timeZone },
    slots: slots.map(wordSlot),
  }))
  return { items, nextCursor }
}
