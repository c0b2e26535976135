/** Who of those that wait has no time for an offer, as far as only D1 knows: their other doctors, their account. */
import { type Database, statement } from '#db/database'
import { type Interval, MAX_BLOCKED_MINUTES } from './core/interval'
import { MINUTE_MS } from './core/time'

/** What D1 has told of these patients, and of this time alone. */
export interface BusyElsewhere {
  readonly patientIds: ReadonlySet<string>
  readonly range: Interval
  /** When the patient has no time; all of the range for one who may have no offer at all. */
  intervalsOf(patientId: string): readonly Interval[]
}

/** Appointments with other doctors; and who has another offer, or may no longer sign in, has no time. */
const BUSY = `
  SELECT a.patient_id AS patientId, a.start_ms AS startMs, a.end_ms AS endMs
  FROM json_each(?1) CROSS JOIN appointment AS a ON a.patient_id = value
  WHERE a.status IN ('pending', 'confirmed', 'in-progress') AND a.start_ms >= ?2 - 43200000
    AND a.start_ms < ?3 AND a.end_ms > ?2 AND +a.doctor_id <> ?4
  UNION ALL
  SELECT h.patient_id, ?2, ?3 FROM json_each(?1) CROSS JOIN hold AS h ON h.patient_id = value
  WHERE h.ended_at IS NULL AND h.expires_at > ?5 AND h.origin = 'waitlist' AND +h.doctor_id <> ?4
  UNION ALL
  SELECT u.id, ?2, ?3 FROM json_each(?1) CROSS JOIN user AS u ON u.id = value
  WHERE u.status <> 'active' OR u.role <> 'patient'`

/** One round trip. Any slot that takes some of the freed time lies in the range that is read. */
export async function readBusyElsewhere(
  database: Database,
  doctorId: string,
  patientIds: readonly string[],
  freed: readonly Interval[],
  nowMs: number,
): Promise<BusyElsewhere> {
  const marginMs = MAX_BLOCKED_MINUTES * MINUTE_MS
  const range = {
    startMs: Math.min(...freed.map(({ startMs }) => startMs)) - marginMs,
    endMs: Math.max(...freed.map(({ endMs }) => endMs)) + marginMs,
  }
  const asked = new Set(patientIds)
  const [read] = await database.run([
    statement(BUSY, JSON.stringify([...asked]), range.startMs, range.endMs, doctorId, nowMs),
  ])
  const busy = new Map<string, Interval[]>()
  for (const { patientId, startMs, endMs } of read?.results ?? []) {
    const known = busy.get(String(patientId)) ?? []
    busy.set(String(patientId), [...known, { startMs: Number(startMs), endMs: Number(endMs) }])
  }
  return { patientIds: asked, range, intervalsOf: (patientId) => busy.get(patientId) ?? [] }
}
