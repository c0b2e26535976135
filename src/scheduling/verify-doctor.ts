/** Verification decides whether a doctor is listed and bookable, so it goes through their object. */
import { statement } from '#db/database'
import type { Actor } from '#db/right'
import type { Outcome } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { type CommandContext, change, changeCalendar } from './change-calendar'

export interface VerifyCommand {
  readonly actor: Actor
  readonly licenseNumber: string | null
  readonly note: string | null
}

export interface VerifiedDoctor {
  readonly id: string
  readonly fullName: string
  readonly licenseNumber: string | null
  readonly verifiedAt: number
  /** A suspended user stays unlisted, verified or not. */
  readonly listed: boolean
}

/** Verifying again keeps the first date and may correct the licence. */
export const verifyDoctor = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, licenseNumber, note }: VerifyCommand,
): Promise<Outcome<VerifiedDoctor>> =>
  changeCalendar<VerifiedDoctor>(keeper, context, {
    decide(calendar, nowMs) {
      return change({
        subjectIds: [keeper.doctorId],
        statements: [
          statement(
            `UPDATE doctor SET verified_at = coalesce(verified_at, ?), verified_by = coalesce(verified_by, ?),
               license_number = coalesce(?, license_number), verification_note = coalesce(?, verification_note),
               version = version + 1 WHERE user_id = ?`,
            nowMs,
            actor.userId,
            licenseNumber,
            note,
            keeper.doctorId,
          ),
          selectVerified(keeper.doctorId),
        ],
        events: [
          {
            type: 'doctor.verified',
            actorId: actor.userId,
            subjectId: keeper.doctorId,
            atMs: nowMs,
            data: { doctorId: keeper.doctorId },
          },
        ],
        answer: (rows) => verifiedFrom(rows[1]?.[0]),
        keep: ({ listed }) => calendar.setBookable(listed),
      })
    },
    async happened() {
      const [found] = await context.database.run([selectVerified(keeper.doctorId)])
      return verifiedFrom(found?.results[0])
    },
  })

const selectVerified = (doctorId: string) =>
  statement(
    `SELECT user.id, user.full_name AS fullName, doctor.license_number AS licenseNumber,
       doctor.verified_at AS verifiedAt, user.status = 'active' AS listed
     FROM doctor JOIN user ON user.id = doctor.user_id WHERE doctor.user_id = ?`,
    doctorId,
  )

function verifiedFrom(row: Record<string, unknown> | undefined): VerifiedDoctor {
  if (row === undefined) throw new Error('A doctor whose calendar is loaded has a row')
  return {
    id: String(row.id),
    fullName: String(row.fullName),
    licenseNumber: row.licenseNumber === null ? null : String(row.licenseNumber),
    verifiedAt: Number(row.verifiedAt),
    listed: row.listed === 1,
  }
}
