import { setTimeout as delay } from 'node:timers/promises'
import type { BmcConnection } from '../bmc/bmc.ts'
import { isRaspiError, RaspiError } from '../errors.ts'
import type { GuestNic } from '../freeze/guest-networks.ts'
import { quote } from '../host/quote.ts'
import type { ImageOption } from '../image-option.ts'
import type { LentPi, MadeCheckpoint } from '../lab/protocol.ts'
import { ConsoleLog } from '../machine/console-log.ts'
import type { GpioPin } from '../machine/gpio.ts'
import type { Hardware } from '../machine/hardware.ts'
import { Checkpoint } from './checkpoint.ts'
import type { PiConnection } from './connection.ts'
import { type Conversation, converseBySsh } from './conversation.ts'
import { type MachineFault, PiFaults } from './faults.ts'
import { Power, type PowerAction, type PowerState } from './power.ts'
import { Provision, type ProvisionAction, type Provisioned } from './provision.ts'
import { type CommandOptions, type CommandResult, runBySsh } from './ssh.ts'

/** What a Pi asks its lab to do with it. */
export interface PiControl {
  gpio(pi: number): Promise<GpioPin[]>
  checkpoint(pi: number, name: string | undefined): Promise<MadeCheckpoint>
  restore(pi: number, checkpoint: string): Promise<void>
  power(pi: number, action: PowerAction | undefined, wait: boolean): Promise<PowerState>
  provision(
    pi: number,
    action: ProvisionAction | undefined,
    image: ImageOption | undefined,
  ): Promise<Provisioned>
  /** Lets the user look at it, until he has done so. */
  pause(pi: number, name: string, what: string | undefined): Promise<void>
  fault(pi: number, fault: MachineFault): Promise<void>
}

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
  /** Its NICs on the networks of its test, besides `eth0`, which ssh comes by. */
  readonly nics: readonly GuestNic[]
  /** Its cores, memory, and the size of its card. */
  readonly hardware: Hardware
  /** How to reach its BMC by IPMI; only where its host options say that it has one. */
  readonly bmc: BmcConnection | undefined
  /** How it came to be: thawed from a frozen one, or booted. */
  readonly origin: 'thawed' | 'booted'
  /** The time from its start to its first login, in ms. */
  readonly startMs: number
  /** Its power: off and on, pulled and reset. */
  readonly power: Power
  /** It as a node: enrolled, available, deployed, cleaned. */
  readonly provision: Provision
  /** What can be broken of it, for the time of a test. */
  readonly faults: PiFaults
  readonly #number: number
  readonly #control: PiControl
  readonly #signal: AbortSignal
  readonly #console: ConsoleLog

  /** @internal */
  constructor(lent: LentPi, signal: AbortSignal, control: PiControl) {
    this.#number = lent.number
    this.#control = control
    this.name = lent.name
    this.hostname = lent.hostname
    this.connection = lent.connection
    this.controlPath = lent.controlPath
    this.origin = lent.origin
    this.startMs = lent.startMs
    this.nics = lent.nics
    this.hardware = lent.hardware
    this.bmc = lent.bmc
    this.#signal = signal
    this.#console = new ConsoleLog(lent.consoleFile)
    this.faults = new PiFaults({
      run: (command, options) => this.run(command, options),
      machine: (fault) => control.fault(lent.number, fault),
    })
    this.provision = new Provision({
      state: async () => (await control.provision(lent.number, undefined, undefined)).state,
      do: async (action, image) => {
        this.#signal.throwIfAborted()
        const node = await control.provision(lent.number, action, image)
        // Another image may have another user, and whoever holds the connection is to know him.
        Object.assign(this.connection, node.connection)
        return node
      },
    })
    this.power = new Power({
      state: () => control.power(lent.number, undefined, false),
      do: async (action, wait) => void (await control.power(lent.number, action, wait)),
      up: (timeoutMs) => this.#comesUp('it was switched on', timeoutMs, () => true),
    })
  }

  /**
   * Runs a command line in the user's shell on the Pi. Throws a `RaspiError` where the Pi cannot be reached, where it
   * takes longer than `timeoutMs` (default 120 s), and, unless `reject` is false, where its exit code is not 0.
   * @example const { stdout } = await pi.run('cat /proc/device-tree/model')
   */
  async run(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#signal]) : this.#signal
    try {
      return await runBySsh(this.name, this.connection, this.controlPath, command, { ...options, signal })
    } catch (error) {
      // That the Pi is lost was learnt elsewhere: its stack would not tell which command it was lost under.
      throw isRaspiError(error) && error === signal.reason ? RaspiError.from(error.toJSON()) : error
    }
  }

  /** @internal Starts a command as root that is asked more than once. */
  converse(command: string): Conversation {
    return converseBySsh(this.connection, this.controlPath, command, this.#signal)
  }

  /**
   * Reboots it and waits until it takes commands again: with the kernel, config.txt and cmdline.txt that its card has
   * now. Throws a `RaspiError` where that takes longer than `timeoutMs` (default 5 minutes).
   */
  async reboot({ timeoutMs = 300_000 }: { timeoutMs?: number } = {}): Promise<void> {
    const started = performance.now()
    const before = await this.#bootId()
    // The connection may break before the command has told that it went well.
    await this.run('systemctl --no-block reboot', { sudo: true }).catch(() => {})
    const left = timeoutMs - (performance.now() - started)
    await this.#comesUp('it was told to reboot', left, (bootId) => bootId !== before)
  }

  async #bootId(options: CommandOptions = {}): Promise<string> {
    return (await this.run('cat /proc/sys/kernel/random/boot_id', options)).stdout
  }

  /** Waits until it takes commands, in a boot that `isIt`. */
  async #comesUp(since: string, timeoutMs: number, isIt: (bootId: string) => boolean): Promise<void> {
    const deadline = performance.now() + timeoutMs
    let why = 'it goes on as it was'
    for (let left = timeoutMs; left > 0; left = deadline - performance.now()) {
      try {
        if (isIt(await this.#bootId({ timeoutMs: Math.ceil(left) }))) return
      } catch (error) {
        this.#signal.throwIfAborted()
        if (!isRaspiError(error)) throw error
        why = error.shortMessage
      }
      await delay(500)
    }
    const waited = `${Math.round(timeoutMs / 1000)} s`
    throw new RaspiError('boot', `Pi ${this.name} did not come up within ${waited} after ${since}: ${why}`, {
      evidence: await this.#console.tail(),
    })
  }

  /** Reads a text file as root, as it is, with the newline at its end. Throws a `RaspiError` where it cannot be read. */
  async readFile(path: string): Promise<string> {
    return (await this.run(`cat -- ${quote(path)}`, { sudo: true })).stdout
  }

  /** Writes a file as root, with mode 0644 where it is new. Throws a `RaspiError` where it cannot be written. */
  async writeFile(path: string, content: string | Uint8Array): Promise<void> {
    await this.run(`cat > ${quote(path)}`, { sudo: true, input: content })
  }

  /**
   * Keeps the Pi as it is now, to come back to with {@link Pi.restore} as often as wanted. What is kept is what is on its
   * card: it shuts down, boots without its network, is frozen, and goes on from there with the same name, keys, addresses
   * and port, so that whatever ran and is not started by a boot is gone. (The memory of a Pi in use cannot be kept: QEMU
   * has no way to save its NIC.) This takes one boot, about a minute, and up to 0.5 GB below the system's temporary
   * directory until the Pi is given back.
   * Throws a `RaspiError` where the Pi is off, does not shut down, or does not boot again; if it can, it goes on.
   * @example const clean = await pi.checkpoint('clean')
   */
  async checkpoint(name?: string): Promise<Checkpoint> {
    this.#signal.throwIfAborted()
    const made = await this.#control.checkpoint(this.#number, name)
    return new Checkpoint({ name: this.name, number: this.#number }, made)
  }

  /**
   * Makes the Pi what it was at a checkpoint, within seconds, whatever has become of it since, and even where it is off.
   * Its card is as it was then, its memory as after the boot that made the checkpoint; name, keys, addresses and port stay.
   * Its clock goes on with the host's. Throws a `RaspiError` where `checkpoint` is of another Pi.
   * @example await pi.restore(clean)
   */
  async restore(checkpoint: Checkpoint): Promise<void> {
    this.#signal.throwIfAborted()
    if (checkpoint.piNumber !== this.#number) {
      throw new RaspiError('lab', `${this.name} cannot be restored to ${checkpoint}: that was another Pi.`, {
        hint: 'A checkpoint ends with its Pi. Pis of several tests start from the same state by raspiTest({ prepare }).',
      })
    }
    await this.#control.restore(this.#number, checkpoint.id)
  }

  /**
   * Stops the test until Enter is pressed, and tells at the terminal how to get into the Pi. `what` there is to see is told
   * with it. Where nobody can press a key (in CI, without a terminal) it does nothing, and says so. The test's time goes on:
   * one with `{ timeout: 0 }` can be looked at as long as you like.
   * @example await pi.pause('look')
   */
  async pause(what?: string): Promise<void> {
    this.#signal.throwIfAborted()
    await this.#control.pause(this.#number, this.name, what)
    this.#signal.throwIfAborted()
  }

  /** What the serial console has shown so far. */
  console(): Promise<string> {
    return this.#console.text()
  }

  /**
   * Its GPIO pins, by the numbers of the SoC, read from the emulated controller: what the guest drives. Throws a `RaspiError`
   * on the board `virt`, which has none.
   */
  gpio(): Promise<GpioPin[]> {
    return this.#control.gpio(this.#number)
  }

  toString(): string {
    const { host, port } = this.connection
    return `${this.name} (${host}:${port})`
  }
}
