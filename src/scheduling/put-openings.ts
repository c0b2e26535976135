/** Puts a doctor's openings into KV after each change: one put in flight, and no two within a second. */
import { logError } from '#http/log-error'
import type { Calendar } from './core/calendar'
import { OPENINGS_TTL_SECONDS, openingsKey, openingsOf } from './openings'

/** KV takes one write a second for a key. */
const MIN_SPACING_MS = 1000
/** After so many failed puts in a row the value is left to its end; the next change or load tries again. */
const MAX_FAILURES = 6

export class OpeningsPut {
  #running = false
  #wanted = false
  #lastPutMs = 0
  #lastVersion = -1

  constructor(
    private readonly kv: () => KVNamespace,
    /** The calendar to put, if it is in memory: the value is built when it is sent. */
    private readonly calendar: () => Calendar | undefined,
  ) {}

  /** Whether what was last put is older than this. */
  isBehind({ version }: Calendar): boolean {
    return this.#lastVersion < version
  }

  /** Asks for a put; resolves when KV has what was in memory when this was asked, or cannot have it. */
  async soon(): Promise<void> {
    this.#wanted = true
    if (this.#running) return
    this.#running = true
    try {
      for (let failures = 0; this.#wanted && failures < MAX_FAILURES; ) {
        await pause(this.#lastPutMs + MIN_SPACING_MS * 2 ** failures - Date.now())
        failures = (await this.#put()) ? 0 : failures + 1
      }
    } finally {
      this.#running = false
    }
  }

  async #put(): Promise<boolean> {
    this.#wanted = false
    const calendar = this.calendar()
    // Forgotten meanwhile: its load asks for a put of its own.
    if (calendar === undefined) return true
    this.#lastPutMs = Date.now()
    const value = openingsOf(calendar, calendar.advance(this.#lastPutMs))
    try {
      await this.kv().put(openingsKey(calendar.doctorId), JSON.stringify(value), {
        expirationTtl: OPENINGS_TTL_SECONDS,
      })
      this.#lastVersion = value.version
      return true
    } catch (error) {
      this.#wanted = true
      logError('openings-put', { doctorId: calendar.doctorId }, error)
      return false
    }
  }
}

const pause = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
