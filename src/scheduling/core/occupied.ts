/**
 * What is taken of a doctor's time, sorted by start: appointments, the places they are moving to, and holds.
 * Nothing in it is longer than MAX_BLOCKED_MINUTES, so that every search begins that much before its interval.
 */
import type { Hold } from './hold'
import { firstOverlap, type Interval, indexFrom, overlaps } from './interval'
import type { Busy } from './slot'

/** The blocked interval of something, and for whom. */
export interface Occupant extends Busy {
  /** The appointment or the hold. */
  readonly id: string
  readonly patientId: string
  /** What the patient gets of it, buffers left out. */
  readonly sold: Interval
}

/** What an appointment or a hold takes of the doctor's time. */
type Taken = Pick<Hold, 'id' | 'patientId' | 'startMs' | 'endMs' | 'blockedStartMs' | 'blockedEndMs'>

/** All of it, buffers included. */
export const blockedOf = ({
  blockedStartMs,
  blockedEndMs,
}: Pick<Taken, 'blockedStartMs' | 'blockedEndMs'>) => ({
  startMs: blockedStartMs,
  endMs: blockedEndMs,
})

export const occupantOf = (taken: Taken): Occupant => ({
  id: taken.id,
  patientId: taken.patientId,
  ...blockedOf(taken),
  sold: { startMs: taken.startMs, endMs: taken.endMs },
})

export class Occupied {
  readonly #sorted: Occupant[] = []
  readonly #byKey = new Map<string, Occupant>()

  /** Sorted by start. */
  get all(): readonly Occupant[] {
    return this.#sorted
  }

  /** Takes the place under this key, in the stead of what had the key before. */
  put(key: string, occupant: Occupant): void {
    this.remove(key)
    this.#byKey.set(key, occupant)
    this.#sorted.splice(indexFrom(this.#sorted, occupant.startMs + 1), 0, occupant)
  }

  remove(key: string): void {
    const occupant = this.#byKey.get(key)
    if (occupant === undefined) return
    this.#byKey.delete(key)
    let at = indexFrom(this.#sorted, occupant.startMs)
    while (this.#sorted[at] !== occupant) at += 1
    this.#sorted.splice(at, 1)
  }

  /** What has this key. */
  at(key: string): Occupant | undefined {
    return this.#byKey.get(key)
  }

  /** Whether something that `counts` blocks any of the interval. */
  blocks(interval: Interval, counts: (occupant: Occupant) => boolean): boolean {
    return firstOverlap(this.#sorted, interval, counts) !== undefined
  }

  /** All whose blocked interval overlaps this one, by start. */
  overlapping(interval: Interval): Occupant[] {
    const first = firstOverlap(this.#sorted, interval)
    if (first === undefined) return []
    const found: Occupant[] = []
    for (let at = indexFrom(this.#sorted, first.startMs); at < this.#sorted.length; at++) {
      const occupant = this.#sorted[at]
      if (occupant === undefined || occupant.startMs >= interval.endMs) break
      if (overlaps(occupant, interval)) found.push(occupant)
    }
    return found
  }
}
