/** Puts a doctor's openings into KV after each change: one put in flight, and no two within a second. */
import { logError } from '#http/log-error'
import type { Calendar } from './core/calendar'
import { OPENINGS_TTL_SECONDS, openingsKey, openingsOf } from './openings'
import { SpacedWork } from './spaced-work'

export class OpeningsPut {
  readonly #work = new SpacedWork(() => this.#put())
  #lastVersion = -1
  /** When what was last put ends. */
  #endsAtMs = 0

  constructor(
    private readonly kv: () => KVNamespace,
    /** The calendar to put, if it is in memory: the value is built when it is sent. */
    private readonly calendar: () => Calendar | undefined,
  ) {}

  /** Whether what was last put is older than this or has ended, and nothing is being done about it. */
  isBehind({ version }: Calendar, nowMs: number): boolean {
    return !this.#work.isUnderWay && (this.#lastVersion < version || this.#endsAtMs <= nowMs)
  }

  /** Asks for a put; resolves when KV has what was in memory when this was asked, or cannot have it. */
  soon(): Promise<void> {
    return this.#work.soon()
  }

  async #put(): Promise<boolean> {
    const calendar = this.calendar()
    // Forgotten meanwhile: its load asks for a put of its own.
    if (calendar === undefined) return true
    const nowMs = Date.now()
    const value = openingsOf(calendar, calendar.advance(nowMs))
    try {
      await this.kv().put(openingsKey(calendar.doctorId), JSON.stringify(value), {
        expirationTtl: OPENINGS_TTL_SECONDS,
      })
      this.#lastVersion = value.version
      this.#endsAtMs = nowMs + OPENINGS_TTL_SECONDS * 1000
      return true
    } catch (error) {
      logError('openings-put', { doctorId: calendar.doctorId }, error)
      return false
    }
  }
}
