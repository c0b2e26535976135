/** When the visits of the demonstration data take place: on real slots of the doctors' hours around today. */
import { Temporal } from 'temporal-polyfill'
import { NOW, VISITS } from './patients.mjs'

export const VISIT_MINUTES = 30

/** The rules count from a Monday so many weeks ago: an even number, so that this week is one of every second. */
const RULES_WEEKS_AGO = 26

/** The longest that a visit is looked for: two periods of the rarest rule that a visit lies on. */
const SEARCHED_DAYS = 28

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** The number of the one at this index, as it stands in ids. */
export const padded = (index, digits = 2) => String(index + 1).padStart(digits, '0')

export const visitTypeId = (doctor) => doctor.id.replace('usr_', 'vis_')

const todayOf = (nowMs, timeZone) =>
  Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()

/** The rules of a doctor as they are stored, with the date that they count from. */
export function rulesFrom(nowMs, { rules, timeZone }) {
  const today = todayOf(nowMs, timeZone)
  const monday = today.subtract({ days: today.dayOfWeek - 1, weeks: RULES_WEEKS_AGO })
  return rules.map((rule) => ({ ...rule, startDate: monday.toString() }))
}

/** Whether a daily or weekly rule occurs on the date; no visit lies on a rule of another kind. */
function occursOn({ rrule, startDate }, date) {
  const parts = Object.fromEntries(rrule.split(';').map((part) => part.split('=')))
  const days = Temporal.PlainDate.from(startDate).until(date).days
  if (parts.FREQ === 'DAILY') return true
  if (parts.FREQ !== 'WEEKLY') throw new Error(`No visit may lie on the rule ${rrule}`)
  const inWeek = Math.floor(days / 7) % Number(parts.INTERVAL ?? 1) === 0
  return inWeek && parts.BYDAY.split(',').includes(WEEKDAYS[date.dayOfWeek - 1])
}

/** Every visit at the first of its times that neither the doctor nor the patient has given away. */
export function bookVisits(doctors, patients, nowMs) {
  const booked = []
  for (const [index, visit] of VISITS.entries()) {
    const doctor = doctors.find(({ handle }) => handle === visit.doctor)
    const patient = patients.find(({ handle }) => handle === visit.patient)
    const startMs = freeTime(visit, doctor, nowMs, (start) =>
      booked.some(
        ({ row }) =>
          (row.doctor_id === doctor.id || row.patient_id === patient.id) &&
          Math.abs(row.start_ms - start) < VISIT_MINUTES * MINUTE_MS,
      ),
    )
    booked.push(appointmentOf(visit, index, doctor, patient, startMs, nowMs))
  }
  return booked
}

function freeTime({ rule, days, time }, doctor, nowMs, isTaken) {
  if (time === NOW) return Math.floor(nowMs / (VISIT_MINUTES * MINUTE_MS)) * VISIT_MINUTES * MINUTE_MS
  const ruleOfVisit = rulesFrom(nowMs, doctor)[rule]
  const today = todayOf(nowMs, doctor.timeZone)
  for (let step = 0; step < SEARCHED_DAYS; step++) {
    const date = today.add({ days: days + Math.sign(days) * step })
    if (!occursOn(ruleOfVisit, date)) continue
    const start = date.toZonedDateTime({ timeZone: doctor.timeZone, plainTime: time }).epochMilliseconds
    if (!isTaken(start)) return start
  }
  throw new Error(`No time is free for a visit to ${doctor.handle} at ${time}`)
}

function appointmentOf(
  { status, notes = null, remarks = null, reason = null },
  index,
  doctor,
  patient,
  start,
  now,
) {
  const end = start + VISIT_MINUTES * MINUTE_MS
  const booked = start < now ? start - 5 * DAY_MS : now - DAY_MS + index * MINUTE_MS
  const by = { doctorId: doctor.id, patientId: patient.id }
  const manual = doctor.policy.approval === 'manual'
  const history = [[manual ? 'requested' : 'booked', patient.id, booked, by]]
  if (status === 'rejected') history.push([status, doctor.id, booked + 40 * MINUTE_MS, by])
  else if (manual && status !== 'pending') history.push(['approved', doctor.id, booked + 40 * MINUTE_MS, by])
  if (status === 'completed') history.push(['started', doctor.id, start, by], [status, doctor.id, end, by])
  if (status === 'in-progress') history.push(['started', doctor.id, start, by])
  if (status === 'no-show') history.push([status, doctor.id, start + 20 * MINUTE_MS, by])
  if (status === 'cancelled') {
    history.push([status, patient.id, start - 2 * DAY_MS, { ...by, by: 'patient' }])
  }
  const row = {
    id: `apt_demo${padded(index)}`,
    doctor_id: doctor.id,
    patient_id: patient.id,
    visit_type_id: visitTypeId(doctor),
    start_ms: start,
    end_ms: end,
    blocked_start_ms: start,
    blocked_end_ms: end,
    status,
    mode: doctor.mode,
    fee_minor: doctor.fee[0],
    fee_currency: doctor.fee[1],
    notes,
    remarks,
    cancellation_reason: reason,
    cancellable_until_ms: start - doctor.policy.cancellationNoticeMinutes * MINUTE_MS,
    version: history.length,
    created_at: booked,
    updated_at: history.at(-1)[2],
  }
  return { row, history }
}
