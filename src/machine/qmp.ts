import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { createDebug } from 'obug'
import { RaspiError } from '../errors.ts'
import type { Place } from './place.ts'

const debug = createDebug('raspi:qmp')

/** An event of QEMU's, as `SHUTDOWN` with `{ guest: true, reason: 'guest-reset' }`. */
export interface QmpEvent {
  name: string
  data: Record<string, unknown>
}

interface Pending {
  command: string
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/**
 * A client of QEMU's machine protocol: numbered commands, their answers in any order, and events.
 * Emits `event` with a {@link QmpEvent} and `close` once the connection has ended.
 * https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
export class Qmp extends EventEmitter<{ event: [QmpEvent]; close: [] }> {
  readonly #socket: Duplex
  readonly #pending = new Map<number, Pending>()
  #nextId = 1

  private constructor(socket: Duplex) {
    super()
    this.#socket = socket
    const lines = createInterface({ input: socket })
    lines.on('line', (line) => this.#take(line))
    lines.on('error', () => {})
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
  }

  /**
   * Connects to the unix socket `path` of `place`, waiting for up to `timeoutMs` (default 10 s) while QEMU starts, and shakes
   * hands. Throws a `RaspiError` where no QEMU answers in time; stops at once when `signal` aborts.
   */
  static async connect(
    place: Pick<Place, 'connect'>,
    path: string,
    { timeoutMs = 10_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ) {
    const deadline = AbortSignal.timeout(timeoutMs)
    const stop = signal ? AbortSignal.any([signal, deadline]) : deadline
    const socket = await place.connect(path, stop).catch((error) => {
      if (signal?.aborted) throw signal.reason
      if (!deadline.aborted) throw error
      throw new RaspiError('boot', `QEMU opened no control socket within ${timeoutMs / 1000} s: ${path}`)
    })
    const qmp = new Qmp(socket)
    const ended = new AbortController()
    const aborted =
      signal && once(signal, 'abort', { signal: ended.signal }).then(() => Promise.reject(signal.reason))
    try {
      const ready = qmp.execute('qmp_capabilities', {}, { timeoutMs })
      await (aborted ? Promise.race([ready, aborted]) : ready)
      return qmp
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      ended.abort()
      aborted?.catch(() => {})
    }
  }

  /**
   * Has QEMU do `command` and gives what it returns. Throws a `RaspiError` where QEMU refuses, is gone, or gives no
   * answer within `timeoutMs` (default 30 s).
   */
  async execute<T = unknown>(
    command: string,
    args: Record<string, unknown> = {},
    { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
  ): Promise<T> {
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { command, resolve, reject })
    const timer = setTimeout(() => {
      reject(new RaspiError('boot', `QEMU gave no answer to ${command} within ${timeoutMs / 1000} s`))
    }, timeoutMs)
    try {
      if (this.#socket.destroyed) throw gone(command)
      debug('→ %s %o', command, args)
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
      return (await promise) as T
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  /** Gives what a command of QEMU's human monitor prints. */
  monitor(command: string): Promise<string> {
    return this.execute<string>('human-monitor-command', { 'command-line': command })
  }

  /** Waits for the next event `name` that `matches`. Throws a `RaspiError` after `timeoutMs` or when QEMU is gone. */
  async waitFor(
    name: string,
    timeoutMs: number,
    matches: (event: QmpEvent) => boolean = () => true,
  ): Promise<QmpEvent> {
    const finished = new AbortController()
    const signal = AbortSignal.any([finished.signal, AbortSignal.timeout(timeoutMs)])
    try {
      for (;;) {
        const event = await Promise.race([
          once(this, 'event', { signal }).then(([next]) => next as QmpEvent),
          once(this, 'close', { signal }).then(() => undefined),
        ])
        if (!event) throw gone(`the event ${name}`)
        if (event.name === name && matches(event)) return event
      }
    } catch (error) {
      if (!signal.aborted) throw error
      throw new RaspiError('boot', `QEMU sent no event ${name} within ${timeoutMs / 1000} s`)
    } finally {
      finished.abort()
    }
  }

  /** Ends the connection; QEMU goes on. */
  close(): void {
    this.#socket.destroy()
  }

  #take(line: string) {
    let message: Record<string, unknown>
    try {
      message = JSON.parse(line)
    } catch {
      return debug('not JSON: %s', line)
    }
    debug('← %s', line)
    if (typeof message.event === 'string') {
      this.emit('event', { name: message.event, data: (message.data ?? {}) as QmpEvent['data'] })
    }
    const pending = this.#pending.get(message.id as number)
    if (!pending) return
    if ('return' in message) return pending.resolve(message.return)
    const { desc } = (message.error ?? {}) as { desc?: string }
    pending.reject(new RaspiError('boot', `QEMU refused ${pending.command}: ${desc ?? line}`))
  }

  #end() {
    for (const { command, reject } of this.#pending.values()) reject(gone(command))
    this.emit('close')
  }
}

const gone = (command: string) => new RaspiError('boot', `QEMU ended before it answered to ${command}`)
