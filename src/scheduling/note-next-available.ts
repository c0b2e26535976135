/**
 * Keeps `calendar.next_available_at` in D1, by which the directory is ordered and narrowed.
 *
 * It is not written in the batch of the change that alters it: a booking would then carry one more indexed row,
 * and time alters it as well, with no batch to write it in. It follows as KV does, at most once a second and
 * only where it is another, in a statement of its own; a directory may be a few seconds late, for whoever
 * books is decided upon by the object. The statement sets the fence's `writer_epoch` in the same row, so that
 * what an older object sent and D1 receives late is refused by `stale-calendar`.
 *
 * With it stands until when it holds: `next_check_at`. A reader takes a value whose time is over for unknown, and
 * the cron wakes its object.
 */
import { openDatabase, type Statement, statement } from '#db/database'
import { refusalOf } from '#db/refusal'
import { logError } from '#http/log-error'
import type { Calendar } from './core/calendar'
import { nextSlot } from './core/slot'
import { HOUR_MS, MINUTE_MS } from './core/time'
import { inTime } from './gather-commits'
import { SpacedWork } from './spaced-work'

/**
 * Milliseconds after which a calendar without an open slot is looked at again: with every hour the horizon
 * takes in another hour of the doctor's rules.
 */
const NONE_HOLDS_MS = 6 * HOUR_MS

/** When the next slot of the first visit type starts, and the last instant at which this is so by time alone. */
interface NextAvailable {
  readonly atMs: number | null
  /** Null where time alone changes nothing. */
  readonly checkAtMs: number | null
}

export class NextAvailableNote {
  readonly #work = new SpacedWork(() => this.#write())
  #noted: (NextAvailable & { readonly epoch: number }) | undefined

  constructor(
    private readonly d1: () => D1Database,
    /** The calendar to tell of, if it is in memory. */
    private readonly calendar: () => Calendar | undefined,
  ) {}

  /** Whether D1 was never told, or what it was told holds no longer, and nothing is being done about it. */
  isBehind(nowMs: number): boolean {
    if (this.#work.isUnderWay) return false
    return this.#noted === undefined || (this.#noted.checkAtMs ?? Infinity) < nowMs
  }

  /** Asks for it; resolves when D1 has what was in memory when this was asked, or cannot have it. */
  soon(): Promise<void> {
    return this.#work.soon()
  }

  async #write(): Promise<boolean> {
    const calendar = this.calendar()
    // Forgotten meanwhile: its load asks for it again.
    if (calendar === undefined) return true
    const { epoch } = calendar
    const next = nextAvailableIn(calendar, calendar.advance(Date.now()))
    const { atMs, checkAtMs } = this.#noted ?? {}
    if (this.#noted?.epoch === epoch && atMs === next.atMs && checkAtMs === next.checkAtMs) return true
    try {
      await inTime(openDatabase(this.d1(), 'first-primary').run([noteNext(calendar, next)]))
    } catch (error) {
      // Another object writes for this doctor now, and tells what it knows.
      if (refusalOf(error) === 'stale-calendar') return true
      logError('next-available', { doctorId: calendar.doctorId }, error)
      return false
    }
    this.#noted = { ...next, epoch }
    return true
  }
}

/** What the directory is to show of a calendar at `nowMs`. */
function nextAvailableIn(calendar: Calendar, nowMs: number): NextAvailable {
  const [visitType] = calendar.visitTypes
  if (!calendar.bookable || visitType === undefined) return { atMs: null, checkAtMs: null }
  const offer = calendar.offer(nowMs)
  const next = nextSlot(offer, visitType, nowMs)
  // Rounded, so that it is another only once in that time.
  if (next === undefined)
    return { atMs: null, checkAtMs: NONE_HOLDS_MS * Math.ceil((nowMs + 1) / NONE_HOLDS_MS) }
  return { atMs: next.startMs, checkAtMs: next.startMs - offer.policy.minNoticeMinutes * MINUTE_MS }
}

/** Writes nothing where D1 has it already, as after a load. */
const noteNext = ({ doctorId, epoch }: Calendar, { atMs, checkAtMs }: NextAvailable): Statement =>
  statement(
    `UPDATE calendar SET writer_epoch = ?1, next_available_at = ?2, next_check_at = ?3
     WHERE doctor_id = ?4 AND (next_available_at IS NOT ?2 OR next_check_at IS NOT ?3)`,
    epoch,
    atMs,
    checkAtMs,
    doctorId,
  )
