/** How many things a local day has that count towards the daily limit: appointments, moves and holds. */
import { localDate } from './time'

export class DayCounts {
  readonly #starts = new Map<string, number>()
  #perDay: Record<string, number> = {}

  constructor(private timeZone: string) {}

  /** Local date → how many. */
  get perDay(): Readonly<Record<string, number>> {
    return this.#perDay
  }

  /** Counts what has this key on the day of `startMs`, and there alone. */
  set(key: string, startMs: number): void {
    this.delete(key)
    this.#starts.set(key, startMs)
    this.#add(startMs, 1)
  }

  has(key: string): boolean {
    return this.#starts.has(key)
  }

  delete(key: string): void {
    const startMs = this.#starts.get(key)
    if (startMs === undefined) return
    this.#starts.delete(key)
    this.#add(startMs, -1)
  }

  /** Local dates depend on the zone. */
  setTimeZone(timeZone: string): void {
    this.timeZone = timeZone
    this.#perDay = {}
    for (const startMs of this.#starts.values()) this.#add(startMs, 1)
  }

  #add(startMs: number, by: 1 | -1): void {
    const day = localDate(startMs, this.timeZone)
    this.#perDay[day] = (this.#perDay[day] ?? 0) + by
  }
}
