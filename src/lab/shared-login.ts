import { setTimeout as delay } from 'node:timers/promises'
import { createDebug } from 'obug'
import { messageOf } from '../errors.ts'
import type { PiConnection } from '../pi/connection.ts'
import {
  type CommandOptions,
  type CommandResult,
  openSshMaster,
  runBySsh,
  type SshMaster,
} from '../pi/ssh.ts'

const debug = createDebug('raspi:lab')

/** How often a login is tried that the guest drops before it has said who it is. */
const loginAttempts = 5

/** The one ssh connection of a Pi that all who log in to it share, through all its boots. */
export class SharedLogin {
  readonly #hostname: string
  readonly #connection: PiConnection
  readonly #controlPath: string
  #master: SshMaster | undefined
  /** Ends a login that is waited for in vain. */
  #ofThisBoot = new AbortController()
  #ending = false

  constructor(hostname: string, connection: PiConnection, controlPath: string) {
    this.#hostname = hostname
    this.#connection = connection
    this.#controlPath = controlPath
  }

  /**
   * Logs in. Throws as {@link openSshMaster} does; where the guest, whose ssh server has hardly started, drops the connection,
   * tries again a few times.
   */
  async open(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#master = await openSshMaster(this.#connection, this.#controlPath, signal)
        if (this.#ending) this.#master.close()
        return
      } catch (error) {
        const isDropped = /kex_exchange_identification/.test(messageOf(error))
        if (attempt === loginAttempts || this.#ending || !isDropped) throw error
        debug('%s: the connection was dropped, once more: %s', this.#hostname, error)
        await delay(1_000, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }

  /** Runs a command as {@link runBySsh} does. */
  run(command: string, options: CommandOptions): Promise<CommandResult> {
    return runBySsh(this.#hostname, this.#connection, this.#controlPath, command, options)
  }

  /** Begins with another boot. Gives what aborts where that is over. */
  newBoot(): AbortSignal {
    this.#ofThisBoot = new AbortController()
    return this.#ofThisBoot.signal
  }

  /** Ends the connection of this boot, or the waiting for one. */
  close(): void {
    this.#ofThisBoot.abort()
    this.#master?.close()
  }

  /** Ends it for good: also one that is just being opened. */
  end(): void {
    this.#ending = true
    this.close()
  }

  /** Stands still while its Pi does. */
  rest(): void {
    this.#master?.rest()
  }

  /** Goes on. */
  wake(): void {
    this.#master?.wake()
  }
}
