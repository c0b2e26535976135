/** Commands given straight to a doctor's object, as their routes give them. */
import { newId } from '#db/id'
import type { Actor } from '#db/right'
import type { ActCommand } from '#scheduling/act-on-appointment'
import type { ObjectAnswer } from '#scheduling/answer'
import type { BookCommand } from '#scheduling/book-appointment'
import type { CalendarObject } from '#scheduling/call-calendar'
import type { JoinCommand } from '#scheduling/join-waitlist'
import type { RescheduleCommand } from '#scheduling/reschedule-appointment'
import type { HoldCommand } from '#scheduling/take-hold'
import type { TakeTimeOffCommand } from '#scheduling/take-time-off'
import type { SeededUser } from './accounts'
import { calendarObject } from './faults'

/** A doctor's object as the Worker sees it. */
export const calendarOf = (doctorId: string) => calendarObject(doctorId) as unknown as CalendarObject

/** When the object has turned to whatever was asked of it before: decided it, or waits for something. */
export const turnedTo = (doctorId: string) => calendarOf(doctorId).ping()

/** Who acts: a doctor where the user has visit types, a patient otherwise. */
const actorOf = ({ userId, sessionId, visitTypeId }: SeededUser): Actor => ({
  userId,
  sessionId,
  role: visitTypeId === '' ? 'patient' : 'doctor',
})

export const ask = {
  book: (patient: SeededUser, doctorId: string, startMs: number, others: Partial<BookCommand> = {}) =>
    calendarOf(doctorId).book({
      actor: actorOf(patient),
      key: undefined,
      appointmentId: newId('apt'),
      patientId: patient.userId,
      startMs,
      visitTypeId: undefined,
      holdId: undefined,
      notes: null,
      meetingRoom: 'room',
      override: undefined,
      ...others,
    }),
  hold: (patient: SeededUser, doctorId: string, startMs: number, others: Partial<HoldCommand> = {}) =>
    calendarOf(doctorId).hold({
      actor: actorOf(patient),
      key: undefined,
      holdId: newId('hld'),
      patientId: patient.userId,
      startMs,
      visitTypeId: undefined,
      ...others,
    }),
  join: (
    patient: SeededUser,
    doctorId: string,
    fromMs: number,
    toMs: number,
    others: Partial<JoinCommand> & { readonly visitTypeId?: string; readonly id?: string } = {},
  ) => {
    const { visitTypeId = null, id = newId('wtl'), ...rest } = others
    const wish = { id, visitTypeId, fromMs, toMs }
    return calendarOf(doctorId).joinWaitlist({ actor: actorOf(patient), key: undefined, wish, ...rest })
  },
  leave: (patient: SeededUser, doctorId: string, entryId: string) =>
    calendarOf(doctorId).leaveWaitlist({ actor: actorOf(patient), entryId }),
  release: (patient: SeededUser, doctorId: string, holdId: string) =>
    calendarOf(doctorId).release({ actor: actorOf(patient), holdId }),
  move: (
    by: SeededUser,
    doctorId: string,
    appointmentId: string,
    startMs: number,
    others: Partial<RescheduleCommand> = {},
  ) =>
    calendarOf(doctorId).reschedule({
      actor: actorOf(by),
      appointmentId,
      versions: undefined,
      startMs,
      visitTypeId: undefined,
      meetingRoom: 'room',
      override: undefined,
      ...others,
    }),
  act: (
    by: SeededUser,
    doctorId: string,
    appointmentId: string,
    action: ActCommand['command']['action'],
    versions?: readonly number[],
  ) =>
    calendarOf(doctorId).act({
      actor: actorOf(by),
      appointmentId,
      versions,
      command: { action, remarks: 'No', reason: null },
    }),
  timeOff: (doctor: SeededUser, startMs: number, endMs: number, others: Partial<TakeTimeOffCommand> = {}) =>
    calendarOf(doctor.userId).takeTimeOff({
      actor: actorOf(doctor),
      key: undefined,
      timeOff: { id: newId('tof'), startMs, endMs, reason: 'Away' },
      onConflict: 'keep',
      ...others,
    }),
  withdraw: (doctor: SeededUser, timeOffId: string) =>
    calendarOf(doctor.userId).withdrawTimeOff({ actor: actorOf(doctor), timeOffId }),
}

/** A further visit type of the doctor; its id. */
export async function addVisitType(doctor: SeededUser, durationMinutes: number): Promise<string> {
  const added = await calendarOf(doctor.userId).addVisitType({
    actor: actorOf(doctor),
    key: undefined,
    id: newId('vis'),
    terms: {
      name: 'Another',
      durationMinutes,
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      mode: 'in-person',
      feeMinor: null,
      feeCurrency: null,
    },
  })
  return answered(added).id
}

/** What became of a command: 'done', or the code of its refusal. */
export const codeOf = (answer: ObjectAnswer<unknown>) => (answer.ok ? 'done' : answer.refusal.code)

/** What a command has answered; throws where it was refused. */
export function answered<T>(answer: ObjectAnswer<T>): T {
  if (!answer.ok) throw new Error(`Refused: ${JSON.stringify(answer.refusal)}`)
  return answer.value
}
