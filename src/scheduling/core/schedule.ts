/** What a doctor says of their time: policy, hours, dated openings, visit types. */
import type { VisitMode } from './appointment'
import type { AvailabilityRule } from './availability'
import type { Interval } from './interval'
import type { SlotPolicy, SlotVisitType } from './slot'

export interface Policy extends SlotPolicy {
  readonly approval: 'auto' | 'manual'
  readonly cancellationNoticeMinutes: number
}

/** A doctor's weekly hours and booking policy. `version` counts its changes, for If-Match. */
export interface Schedule extends Policy {
  readonly timeZone: string
  readonly rules: readonly AvailabilityRule[]
  readonly version: number
}

/** One dated opening beside the rules. */
export interface Opening extends Interval {
  readonly id: string
  /** Counts its changes. */
  readonly version: number
}

export interface TimeOff extends Interval {
  readonly id: string
  readonly reason: string | null
}

/** What is booked: length, buffers, mode, and the fee (in minor units; null for the doctor's own). */
export interface VisitTerms extends SlotVisitType {
  readonly mode: VisitMode
  readonly feeMinor: number | null
  readonly feeCurrency: string | null
}

export interface VisitType extends VisitTerms {
  readonly name: string
  /** Counts its changes. */
  readonly version: number
  readonly createdAt: number
  /** Since when it is offered no more; null for one that is. */
  readonly archivedAt: number | null
}

/** What a doctor begins with at their registration: a policy, and no hours. */
export const initialSchedule = (timeZone: string): Schedule => ({
  timeZone,
  rules: [],
  slotMinutes: 30,
  minNoticeMinutes: 0,
  horizonDays: 60,
  dailyLimit: null,
  approval: 'auto',
  cancellationNoticeMinutes: 0,
  version: 0,
})
