/**
 * The Durable Object, one a doctor: the lock that decides. Each method is one command or reading; the protocol
 * is in `change-calendar.ts` and `calendar-keeper.ts`. Its WebSockets outlive its sleep, and its one alarm is set only
 * while something is due, so an idle doctor costs nothing.
 */
import { type ActCommand, actOnAppointment } from './act-on-appointment'
import { done, type ObjectAnswer } from './answer'
import type { AnsweredAppointment } from './appointment-rows'
import { type BookCommand, bookAppointment } from './book-appointment'
import { CalendarObject } from './calendar-object'
import {
  type AddOpeningCommand,
  addOpening,
  type EditOpeningCommand,
  editOpening,
  type RemoveOpeningCommand,
  removeOpening,
} from './change-openings'
import {
  type AddVisitTypeCommand,
  addVisitType,
  archiveVisitType,
  type EditVisitTypeCommand,
  editVisitType,
  type OnVisitType,
} from './change-visit-types'
import type { Appointment } from './core/appointment'
import type { Opening, VisitType } from './core/schedule'
import type { WaitlistEntry } from './core/waiting-list'
import { type EditNotesCommand, editNotes } from './edit-notes'
import { type JoinCommand, joinWaitlist, type LeaveCommand, leaveWaitlist } from './join-waitlist'
import { type Openings, openingsOf } from './openings'
import { type RescheduleCommand, rescheduleAppointment } from './reschedule-appointment'
import { type ChangedSchedule, type SetScheduleCommand, setSchedule } from './set-schedule'
import { type HoldCommand, type ReleaseCommand, releaseHold, type TakenHold, takeHold } from './take-hold'
import {
  type TakeTimeOffCommand,
  takeTimeOff,
  type WithdrawTimeOffCommand,
  withdrawTimeOff,
} from './take-time-off'
import type { TakenTimeOff } from './time-off-rows'
import { upgradeTo } from './upgrade'
import { type VerifiedDoctor, type VerifyCommand, verifyDoctor } from './verify-doctor'

export class DoctorCalendar extends CalendarObject {
  book(command: BookCommand): Promise<ObjectAnswer<AnsweredAppointment>> {
    return this.attempt(command, command.patientId, (context) =>
      bookAppointment(this.keeper, context, command),
    )
  }

  hold(command: HoldCommand): Promise<ObjectAnswer<TakenHold>> {
    return this.attempt(command, command.patientId, (context) => takeHold(this.keeper, context, command))
  }

  release(command: ReleaseCommand): Promise<ObjectAnswer<null>> {
    return this.run(command.actor, (_, context) => releaseHold(this.keeper, context, command))
  }

  joinWaitlist(command: JoinCommand): Promise<ObjectAnswer<WaitlistEntry>> {
    return this.create(command, (context) => joinWaitlist(this.keeper, context, command))
  }

  leaveWaitlist(command: LeaveCommand): Promise<ObjectAnswer<null>> {
    return this.run(command.actor, (_, context) => leaveWaitlist(this.keeper, context, command))
  }

  /** Approves, rejects, cancels, starts, completes, or notes that nobody came. */
  act(command: ActCommand): Promise<ObjectAnswer<Appointment>> {
    return this.run(command.actor, (_, context) => actOnAppointment(this.keeper, context, command))
  }

  reschedule(command: RescheduleCommand): Promise<ObjectAnswer<Appointment>> {
    return this.attempt({ actor: command.actor, key: undefined }, command.actor.userId, (context) =>
      rescheduleAppointment(this.keeper, context, command),
    )
  }

  editNotes(command: EditNotesCommand): Promise<ObjectAnswer<Appointment>> {
    return this.run(command.actor, (_, context) => editNotes(this.keeper, context, command))
  }

  setSchedule(command: SetScheduleCommand): Promise<ObjectAnswer<ChangedSchedule>> {
    return this.inScheduleOrder(command.actor, (context) => setSchedule(this.keeper, context, command))
  }

  addOpening(command: AddOpeningCommand): Promise<ObjectAnswer<Opening>> {
    return this.createInScheduleOrder(command, (context) => addOpening(this.keeper, context, command))
  }

  editOpening(command: EditOpeningCommand): Promise<ObjectAnswer<Opening>> {
    return this.inScheduleOrder(command.actor, (context) => editOpening(this.keeper, context, command))
  }

  removeOpening(command: RemoveOpeningCommand): Promise<ObjectAnswer<null>> {
    return this.inScheduleOrder(command.actor, (context) => removeOpening(this.keeper, context, command))
  }

  takeTimeOff(command: TakeTimeOffCommand): Promise<ObjectAnswer<TakenTimeOff>> {
    return this.createInScheduleOrder(command, (context) => takeTimeOff(this.keeper, context, command))
  }

  withdrawTimeOff(command: WithdrawTimeOffCommand): Promise<ObjectAnswer<null>> {
    return this.inScheduleOrder(command.actor, (context) => withdrawTimeOff(this.keeper, context, command))
  }

  addVisitType(command: AddVisitTypeCommand): Promise<ObjectAnswer<VisitType>> {
    return this.createInScheduleOrder(command, (context) => addVisitType(this.keeper, context, command))
  }

  editVisitType(command: EditVisitTypeCommand): Promise<ObjectAnswer<VisitType>> {
    return this.inScheduleOrder(command.actor, (context) => editVisitType(this.keeper, context, command))
  }

  archiveVisitType(command: OnVisitType): Promise<ObjectAnswer<VisitType>> {
    return this.inScheduleOrder(command.actor, (context) => archiveVisitType(this.keeper, context, command))
  }

  verify(command: VerifyCommand): Promise<ObjectAnswer<VerifiedDoctor>> {
    return this.inScheduleOrder(command.actor, (context) => verifyDoctor(this.keeper, context, command))
  }

  /** What listings show, straight from memory. */
  openings(): Promise<ObjectAnswer<Openings>> {
    return this.read((calendar, nowMs) => done(openingsOf(calendar, nowMs)))
  }

  /** A listener (`upgrade.ts`): the one call that brings more than plain values. */
  override async fetch(_: Request): Promise<Response> {
    return upgradeTo(await this.read((calendar) => this.listeners.admit(calendar)))
  }
}
