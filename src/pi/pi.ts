import { quote } from '../host/quote.ts'
import type { LentPi } from '../lab/protocol.ts'
import { ConsoleLog } from '../machine/console-log.ts'
import type { GpioPin } from '../machine/gpio.ts'
import type { PiConnection } from './connection.ts'
import { type CommandOptions, type CommandResult, runBySsh } from './ssh.ts'

/** A Raspberry Pi, lent to a test. */
export class Pi {
  /** Its name in the inventory. */
  readonly name: string
  /** Its own name for itself, no other Pi's of the run. */
  readonly hostname: string
  /** How to reach it by ssh, from any tool. */
  readonly connection: PiConnection
  /** A unix socket by which OpenSSH clients share the open connection (`ssh -S`). */
  readonly controlPath: string
  /** How it came to be: thawed from a frozen one, or booted. */
  readonly origin: 'thawed' | 'booted'
  /** The time from its start to its first login, in ms. */
  readonly startMs: number
  readonly #signal: AbortSignal
  readonly #console: ConsoleLog
  readonly #gpio: () => Promise<GpioPin[]>

  constructor(lent: LentPi, signal: AbortSignal, gpio: () => Promise<GpioPin[]>) {
    this.name = lent.name
    this.hostname = lent.hostname
    this.connection = lent.connection
    this.controlPath = lent.controlPath
    this.origin = lent.origin
    this.startMs = lent.startMs
    this.#signal = signal
    this.#gpio = gpio
    this.#console = new ConsoleLog(lent.consoleFile)
  }

  /**
   * Runs a command line in the user's shell on the Pi. Throws a `RaspiError` where the Pi cannot be reached, where it
   * takes longer than `timeoutMs` (default 120 s), and, unless `reject` is false, where its exit code is not 0.
   * @example const { stdout } = await pi.run('cat /proc/device-tree/model')
   */
  run(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#signal]) : this.#signal
    return runBySsh(this.name, this.connection, this.controlPath, command, { ...options, signal })
  }

  /** Reads a text file as root. Throws a `RaspiError` where it cannot be read. */
  async readFile(path: string): Promise<string> {
    return (await this.run(`cat -- ${quote(path)}`, { sudo: true })).stdout
  }

  /** Writes a file as root, with mode 0644 where it is new. Throws a `RaspiError` where it cannot be written. */
  async writeFile(path: string, content: string | Uint8Array): Promise<void> {
    await this.run(`cat > ${quote(path)}`, { sudo: true, input: content })
  }

  /** What the serial console has shown so far. */
  console(): Promise<string> {
    return this.#console.text()
  }

  /** Its GPIO pins, by the numbers of the SoC, read from the emulated controller: what the guest drives. */
  gpio(): Promise<GpioPin[]> {
    return this.#gpio()
  }

  toString(): string {
    const { host, port } = this.connection
    return `${this.name} (${host}:${port})`
  }
}
