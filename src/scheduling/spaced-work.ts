/** Work that follows changes: one run in flight, and no two within a second, however often it is asked for. */

/** KV takes one write a second for a key, and nobody needs to see a calendar more often. */
const MIN_SPACING_MS = 1000
/** After so many failed runs in a row it is left; the next change or load asks again. */
const MAX_FAILURES = 6

export class SpacedWork {
  #running = false
  #wanted = false
  #lastRunMs = 0

  /** `run` does it, with what there is when it is called; false where it failed and is to be tried again. */
  constructor(private readonly run: () => Promise<boolean>) {}

  /** Whether a run is under way or waits for its time. */
  get isUnderWay(): boolean {
    return this.#running
  }

  /** Asks for a run; resolves when one that began after this was asked has ended, or is left. */
  async soon(): Promise<void> {
    this.#wanted = true
    if (this.#running) return
    this.#running = true
    try {
      for (let failures = 0; this.#wanted && failures < MAX_FAILURES; ) {
        await pause(this.#lastRunMs + MIN_SPACING_MS * 2 ** failures - Date.now())
        this.#wanted = false
        this.#lastRunMs = Date.now()
        if (await this.run()) {
          failures = 0
        } else {
          this.#wanted = true
          failures += 1
        }
      }
    } finally {
      this.#running = false
    }
  }
}

const pause = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
