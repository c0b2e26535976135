/** A schedule as the API takes and shows it. */
import * as z from 'zod'
import { AppointmentView } from './appointment'
import { checkRules, type RuleFault, readFaults } from './core/availability'
import { readRecurrence } from './core/recurrence'
import type { Schedule } from './core/schedule'
import { LocalDate, TimeZone } from './fields'
import { MAX_OUTSIDE_SHOWN } from './set-schedule'

/** The most availability rules of a schedule. */
const MAX_RULES = 30
/** The earliest start of a rule: a COUNT is counted from there, day by day. */
const FIRST_START_DATE = '2000-01-01'
/** A zone moves the day of an UNTIL, and makes no rule malformed that was not. */
const ANY_ZONE = 'UTC'
/** The longest recurrence rule, in characters. */
const MAX_RRULE = 500
/** The longest notice to book or to cancel, in minutes: 30 days. */
const MAX_NOTICE_MINUTES = 43_200

const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Send a time: HH:mm')

const Recurrence = z
  .string()
  .max(MAX_RRULE, { abort: true })
  .superRefine((text, context) => {
    const read = readRecurrence(text, ANY_ZONE)
    if (!('faults' in read)) return
    for (const { code, detail } of read.faults) {
      if (code === 'rrule-malformed') context.addIssue({ code: 'custom', message: detail })
    }
  })
  .meta({ description: 'RFC 5545: FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH' })

const Rule = z
  .strictObject({
    rrule: Recurrence,
    startTime: LocalTime,
    endTime: z.union([LocalTime, z.literal('24:00')], { error: 'Send a time: HH:mm, or 24:00' }),
    startDate: LocalDate.refine((date) => date >= FIRST_START_DATE, `Not before ${FIRST_START_DATE}`),
    endDate: LocalDate.optional(),
  })
  .meta({ id: 'AvailabilityRule' })

/** Faults that the fields of a rule tell themselves. */
const TOLD_BY_FIELDS: readonly RuleFault['code'][] = ['rrule-malformed', 'time-malformed', 'date-malformed']

/** Rules that have the form of rules; whether they can be together is for the route to find out. */
const Rules = z
  .array(Rule)
  .max(MAX_RULES, { abort: true })
  .superRefine((rules, context) => {
    if (sortFaults(readFaults(rules, ANY_ZONE)).malformed.length === 0) return
    for (const { rule, member, code, detail } of checkRules(rules, ANY_ZONE, FIRST_START_DATE)) {
      if (TOLD_BY_FIELDS.includes(code)) continue
      context.addIssue({ code: 'custom', path: [rule, member], message: detail })
    }
  })

export const ScheduleBody = z
  .strictObject({
    timeZone: TimeZone,
    rules: Rules,
    slotMinutes: z.int().min(5).max(240).default(30),
    minNoticeMinutes: z.int().min(0).max(MAX_NOTICE_MINUTES).default(0),
    horizonDays: z.int().min(1).max(366).default(60),
    approval: z.enum(['auto', 'manual']).default('auto'),
    cancellationNoticeMinutes: z.int().min(0).max(MAX_NOTICE_MINUTES).default(0),
    dailyLimit: z
      .int()
      .min(1)
      .max(500)
      .nullish()
      .transform((limit) => limit ?? null),
  })
  .meta({ id: 'ScheduleChange' })

export const ScheduleView = z
  .object({
    timeZone: z.string(),
    rules: z.array(Rule),
    slotMinutes: z.int(),
    minNoticeMinutes: z.int(),
    horizonDays: z.int(),
    approval: z.enum(['auto', 'manual']),
    cancellationNoticeMinutes: z.int(),
    dailyLimit: z.int().nullable(),
  })
  .meta({ id: 'Schedule' })

export const ChangedScheduleView = ScheduleView.extend({
  outsideHours: z.array(AppointmentView).meta({
    description: `Appointments still to come that now lie outside the hours, the first ${MAX_OUTSIDE_SHOWN} by start: they stay`,
  }),
  outsideHoursCount: z.int().meta({ description: 'How many there are in all' }),
}).meta({ id: 'ChangedSchedule' })

export const exampleSchedule: z.infer<typeof ScheduleView> = {
  timeZone: 'Asia/Dhaka',
  rules: [
    {
      rrule: 'FREQ=WEEKLY;BYDAY=SA,SU,MO,TU,WE,TH',
      startTime: '09:00',
      endTime: '12:00',
      startDate: '2026-11-21',
    },
    {
      rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU',
      startTime: '18:00',
      endTime: '21:00',
      startDate: '2026-11-21',
    },
  ],
  slotMinutes: 30,
  minNoticeMinutes: 60,
  horizonDays: 60,
  approval: 'auto',
  cancellationNoticeMinutes: 0,
  dailyLimit: null,
}

export const viewSchedule = (schedule: Schedule): z.infer<typeof ScheduleView> => ({
  timeZone: schedule.timeZone,
  rules: schedule.rules.map(({ endDate, ...rule }) => ({
    ...rule,
    ...(endDate !== undefined && { endDate }),
  })),
  slotMinutes: schedule.slotMinutes,
  minNoticeMinutes: schedule.minNoticeMinutes,
  horizonDays: schedule.horizonDays,
  approval: schedule.approval,
  cancellationNoticeMinutes: schedule.cancellationNoticeMinutes,
  dailyLimit: schedule.dailyLimit,
})

export const exampleChangedSchedule: z.infer<typeof ChangedScheduleView> = {
  ...exampleSchedule,
  outsideHours: [],
  outsideHoursCount: 0,
}

const CONTRADICTIONS = ['rule-too-frequent', 'rule-never-matches', 'rules-overlap'] as const

type Contradiction = RuleFault & { code: (typeof CONTRADICTIONS)[number] }

const isContradiction = (fault: RuleFault): fault is Contradiction =>
  CONTRADICTIONS.some((code) => code === fault.code)

/** Faults of form (400) apart from rules that are well formed but cannot be (422). */
export const sortFaults = (faults: readonly RuleFault[]) => ({
  malformed: faults.filter((fault) => !isContradiction(fault)),
  contradictory: faults.filter(isContradiction),
})
