/**
 * Those who listen to one doctor: WebSockets that hear the version of the calendar after every change, and nothing
 * else. The platform keeps the connections while the object sleeps (its hibernation API), and nothing here needs an
 * alarm: an idle doctor costs nothing, however many listen.
 *
 * Who does not read must not fill the object's memory. workerd does not say what still waits to be sent (it has no
 * `bufferedAmount`), so the object goes by what it hears: a listener says `ping`, which the platform answers and
 * notes without waking the object. Whoever has been silent for `SILENT_MS` is closed with the next change, or when
 * another wants the place; a live one that never says `ping` connects again and misses nothing. That bounds what can
 * wait for one listener at 1,200 messages, some 50 KB; nothing is sent, and so nobody checked, where nothing changes.
 * One that says `ping` on purpose and never reads is not found out.
 */
import { done, type Outcome, refused } from './answer'
import type { Calendar } from './core/calendar'
import { attempt, type RateLimit } from './core/rate-limit'
import { MINUTE_MS } from './core/time'

/** Listeners of one doctor before more are refused. */
const MAX_LISTENERS = 1000
/** Milliseconds from one message to the next: the changes of a storm are told of by their newest version. */
const SPACING_MS = 250
/** Milliseconds for which a listener may be silent while it is told of changes. */
const SILENT_MS = 5 * MINUTE_MS
/** Bytes of the longest message that a listener may send. */
const MAX_HEARD_BYTES = 1024
/** Messages of one listener, beside `ping`: each wakes the object. */
const HEARD_LIMIT: RateLimit = { attempts: 5, windowMs: 1000 }

/** A policy was broken (RFC 6455, section 7.4.1). */
const POLICY_VIOLATION = 1008

const PING = 'ping'
const PONG = 'pong'

/** What is known of one listener; the platform keeps it beside the connection. */
interface Listener {
  /** When it connected or last said something other than `ping`. */
  readonly heardAtMs: number
  /** The bucket of `HEARD_LIMIT`. */
  readonly fullAtMs: number | undefined
}

/** The whole of what a listener is ever told. */
const changedTo = (version: number): string => JSON.stringify({ type: 'changed', version })

export class LiveListeners {
  #newest: number | undefined
  #told: number | undefined
  #telling = false

  constructor(private readonly state: DurableObjectState) {}

  /**
   * Takes a listener and tells it the version of the moment: the client's end of its WebSocket, or a refusal. Called
   * in the turn that has the calendar, so that no change falls between.
   */
  admit({ bookable, version }: Calendar): Outcome<WebSocket> {
    if (!bookable) return refused('doctor-not-found')
    if (this.#open().length >= MAX_LISTENERS) this.#dropSilent()
    if (this.#open().length >= MAX_LISTENERS) return refused('overloaded')
    const { 0: client, 1: server } = new WebSocketPair()
    this.state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    this.state.acceptWebSocket(server)
    note(server, { heardAtMs: Date.now(), fullAtMs: undefined })
    server.send(changedTo(version))
    return done(client)
  }

  /**
   * The calendar has this version: all are told, at once or, where they were told of another a moment ago, soon.
   * Resolves when nothing is left to tell. A version may be told twice, for example after the object has slept.
   */
  async changed(version: number): Promise<void> {
    this.#newest = version
    if (this.#telling) return
    this.#telling = true
    try {
      while (this.#told !== this.#newest && this.#open().length > 0) {
        this.#told = this.#newest
        for (const socket of this.#open()) socket.send(changedTo(this.#told))
        // After the message, so that a live one that is closed here knows all that it would have heard.
        this.#dropSilent()
        await new Promise((resolve) => setTimeout(resolve, SPACING_MS))
      }
    } finally {
      this.#telling = false
    }
  }

  /** What a listener says is of no interest; too much of it closes the connection. */
  heard(socket: WebSocket, message: string | ArrayBuffer): void {
    const bytes = typeof message === 'string' ? new TextEncoder().encode(message).length : message.byteLength
    const heardAtMs = Date.now()
    const { allowed, fullAtMs } = attempt(HEARD_LIMIT, noted(socket).fullAtMs, heardAtMs)
    if (bytes > MAX_HEARD_BYTES) socket.close(POLICY_VIOLATION, 'The message is too long')
    else if (!allowed) socket.close(POLICY_VIOLATION, 'Too many messages')
    else note(socket, { heardAtMs, fullAtMs })
  }

  #open(): WebSocket[] {
    return this.state.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN)
  }

  #dropSilent(): void {
    const beforeMs = Date.now() - SILENT_MS
    for (const socket of this.#open()) {
      const pingedAtMs = this.state.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
      if (Math.max(noted(socket).heardAtMs, pingedAtMs) < beforeMs) {
        socket.close(POLICY_VIOLATION, `Silent for too long: say ${PING}`)
      }
    }
  }
}

const note = (socket: WebSocket, listener: Listener): void => socket.serializeAttachment(listener)
const noted = (socket: WebSocket): Listener => socket.deserializeAttachment()
