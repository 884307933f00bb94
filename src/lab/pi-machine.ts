import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { createDebug } from 'obug'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { readBootPlan } from '../firmware/boot-plan.ts'
import { nicsUpScript } from '../freeze/guest-networks.ts'
import { privateDir } from '../host/paths.ts'
import type { Board } from '../machine/boards.ts'
import { readBootPart } from '../machine/card.ts'
import type { Door } from '../machine/door.ts'
import { Machine, type MachineEnd } from '../machine/machine.ts'
import type { Nics } from '../machine/nics.ts'
import type { Place } from '../machine/place.ts'
import type { PiConnection } from '../pi/connection.ts'
import type { CardLimits, MachineFault } from '../pi/faults.ts'
import type { CommandOptions, CommandResult } from '../pi/ssh.ts'
import { Loss } from './loss.ts'
import { SharedLogin } from './shared-login.ts'
import { Turns } from './turns.ts'

const debug = createDebug('raspi:lab')

/** What a Pi's machine is started with, each time. */
export interface PiMachineContext {
  hostname: string
  board: Board
  nics: Nics
  /** Aborts when its holder is gone. */
  signal: AbortSignal
  /** Told what its boot part asks for and it does not get, a sentence each, at every boot. */
  notEmulated(sentences: string[]): void
}

/** How long a guest may take to shut down, in ms: systemd gives a service 90 s to stop before it kills it. */
const shutdownTimeoutMs = 240_000
/** How long it may take where the one who asked it to was not answered. */
const refusalPatienceMs = 20_000

/**
 * A Pi's machine through all its boots: always on the same card, behind the same door, with one ssh connection that
 * others share. What its guest does to itself (reboot, power-off) is followed here; what others do to its power is in
 * {@link PiPower}.
 */
export class PiMachine {
  /** Where it runs. */
  place: Place
  /** Its card, at that place. */
  readonly card: string
  readonly hostname: string
  /** What is done to its power, by others and by its guest: one after the other. */
  readonly turns = new Turns()
  readonly #context: PiMachineContext
  readonly #door: Door
  readonly #login: SharedLogin
  readonly #loss = new Loss()
  #machine: Machine | undefined
  /** One that its guest has ended to reboot, until it boots again. */
  #rebooting: Machine | undefined
  #boots = 0
  #ending = false
  #starting = 0
  #onCrash = (_error: RaspiError) => {}
  #runs = Promise.withResolvers<void>()
  /** How fast its card may be at most, where it was made slower. */
  #cardLimits: CardLimits | undefined

  constructor(
    context: PiMachineContext,
    place: Place,
    door: Door,
    connection: PiConnection,
    controlPath: string,
  ) {
    this.#context = context
    this.hostname = context.hostname
    this.place = place
    this.#door = door
    this.#login = new SharedLogin(context.hostname, connection, controlPath)
    this.card = `${place.dir}/card.qcow2`
  }

  /** The machine as it runs now. Throws a `RaspiError` where the Pi is off, which says what it was `wanted` for. */
  running(wanted: string): Machine {
    if (this.#machine && !this.#machine.hasEnded) return this.#machine
    throw new RaspiError('boot', `${wanted}: Pi ${this.hostname} is off.`, {
      hint: 'Switch it on first: await pi.power.on().',
    })
  }

  /** Whether it has power. One that reboots has. */
  get isOn(): boolean {
    const machine = this.#machine
    return this.#starting > 0 || (!!machine && (!machine.hasEnded || machine === this.#rebooting))
  }

  /** Whether there is a machine, be it one that has ended. */
  get hasMachine(): boolean {
    return this.#machine !== undefined
  }

  /** Settles once a machine runs of the last start. */
  get runs(): Promise<void> {
    return this.#runs.promise
  }

  /** Tells who comes from now on `why` it is off. */
  refuse(why: string): void {
    this.#door.refuse(`Pi ${this.hostname} is off: ${why}`)
  }

  /** Tells `listener` when the Pi is gone by nobody's wish, also where that has happened already. */
  whenLost(listener: (error: RaspiError) => void): void {
    this.#loss.listen(listener)
  }

  /** Tells `listener` each time its machine has ended by nobody's wish. */
  onCrash(listener: (error: RaspiError) => void): void {
    this.#onCrash = listener
  }

  /** Gives the Pi up for lost, whatever by. Who comes is told so. */
  lose(reason: unknown): void {
    const name = `Pi ${this.hostname}`
    const sentence = `${name} is lost: ${messageOf(reason)}`
    this.#loss.tell(isRaspiError(reason) ? reason : new RaspiError('boot', sentence, { cause: reason }))
    // One that runs, but did not come back in time from a checkpoint, can still be looked at.
    if (!this.isOn) this.refuse('it was lost')
  }

  /** Whether it is gone by nobody's wish. It stays so. */
  get isLost(): boolean {
    return this.#loss.hasCome
  }

  /** Throws a `RaspiError` where it is lost. */
  assertNotLost(): void {
    this.#loss.assertNone()
  }

  /** The end of what its console has shown. */
  async consoleTail(): Promise<string | undefined> {
    return this.#machine?.console.tail()
  }

  /** Goes on with `machine`, which runs on this card: as slow as it was made, unless {@link PiMachine.slowCard} is to see to that. */
  async adopt(machine: Machine, { slow = true } = {}): Promise<void> {
    this.#machine = machine
    if (this.#ending) return machine.end()
    machine.once('end', (end) => void this.#ended(machine, end))
    if (slow) await this.slowCard()
    const port = await machine.sshPort()
    this.#door.leadTo(() => this.place.dial(port))
    this.#runs.resolve()
  }

  /** Makes the card of the machine that runs as slow as it was made by {@link PiMachine.fault}. */
  async slowCard(): Promise<void> {
    if (this.#cardLimits && !this.#machine?.hasEnded) await this.#machine?.limitCard(this.#cardLimits)
  }

  /** Opens the ssh connection that others share. Throws as {@link SharedLogin.open} does. */
  openConnection(signal: AbortSignal): Promise<void> {
    return this.#login.open(signal)
  }

  /** Runs a command on its guest, as {@link SharedLogin.run} does. */
  run(command: string, options: CommandOptions): Promise<CommandResult> {
    return this.#login.run(command, options)
  }

  /** Starts a machine on the card as it is now, as the boot ROM would. */
  async boot(kernelParameters: readonly string[], signal: AbortSignal): Promise<void> {
    const { board, nics } = this.#context
    const { place, card } = this
    await this.poweredDuring(async () => {
      const bootDir = privateDir(place.logDir, `boot-${this.#boots++}`)
      const bootPart = await readBootPart(place, { path: card }, `${bootDir}/boot.raw`)
      const plan = await readBootPlan({ path: bootPart }, board, bootDir)
      this.#context.notEmulated(plan.notEmulated)
      const clock = `systemd.clock-usec=${Date.now()}000`
      const commandLine = [plan.commandLine, clock, ...kernelParameters].join(' ')
      const machine = await Machine.start({ board, card, boot: { ...plan, commandLine }, nics }, place, {
        signal,
      })
      // QEMU has read it all by now.
      await rm(bootDir, { recursive: true, force: true })
      await this.adopt(machine)
    })
  }

  /** Spares its guest, which somebody can log in to, what NICs cost it. Throws a `RaspiError` where they do not come up. */
  async quietNics(signal: AbortSignal): Promise<void> {
    const { board, nics } = this.#context
    // No other NIC of QEMU's costs its guest anything.
    if (board.parts !== 'raspi') return
    const machine = this.running('Its NICs cannot be seen to')
    const macs = (nics.segments ?? []).map(({ mac }) => mac)
    const input = nicsUpScript(macs)
    if (macs.length > 0) await this.run('sh', { input, signal })
    await machine.quietNics()
  }

  /** Shuts it down cleanly. Throws a `RaspiError` where it is off already, or does not go off. */
  async shutDown(): Promise<void> {
    const { signal } = this.#context
    const machine = this.running('It cannot be shut down')
    const options = { sudo: true, reject: false, signal }
    const command = 'systemctl --no-block poweroff'
    // Its connection may end before the command has told its exit code.
    const failure = await this.run(command, options).then(
      ({ exitCode, stderr }) => (exitCode ? stderr.trim() : ''),
      (error) => messageOf(error),
    )
    const patience = delay(failure ? refusalPatienceMs : shutdownTimeoutMs, 'late', { signal, ref: false })
    const end = await Promise.race([machine.ended, patience.catch(() => 'late')])
    signal.throwIfAborted()
    if (end === 'poweroff') return
    const why = failure || machine.fate() || `it was still at it after ${shutdownTimeoutMs / 60_000} min`
    throw new RaspiError('lab', `Pi ${this.hostname} did not shut down: ${why}`, {
      evidence: await machine.console.tail(),
    })
  }

  /**
   * Breaks it, or mends it. How fast its card is counts for each machine that is started on it; to hang it must have power, or this
   * throws a `RaspiError`. One without power does not hang.
   */
  async fault(fault: MachineFault): Promise<void> {
    if ('card' in fault) {
      if (!this.#machine?.hasEnded) await this.#machine?.limitCard(fault.card)
      this.#cardLimits = Object.keys(fault.card).length > 0 ? fault.card : undefined
      return
    }
    if (fault.hangs) await this.running('It cannot be broken').pause()
    else if (!this.#machine?.hasEnded) await this.#machine?.resume()
  }

  /** Whether its guest stands still: it hangs, or is at rest. */
  get isPaused(): boolean {
    return this.#machine?.isPaused ?? false
  }

  /** Pauses the guest and the shared connection. */
  async pause(): Promise<void> {
    await this.#machine?.pause()
    this.#login.rest()
  }

  /** Lets both go on, in the foreground. */
  async resume(): Promise<void> {
    this.#machine?.comeForward()
    this.#login.wake()
    await this.#machine?.resume()
  }

  /** Has QEMU's timers exact from now on: until then they may be late, for a start costs less so. */
  useExactTimers(): void {
    this.#machine?.setTimerSlack(0)
  }

  /** Ends it for good, at once. */
  async end(): Promise<void> {
    this.#ending = true
    this.#door.close()
    this.#login.end()
    await this.#machine?.end()
  }

  /** Starts a machine by `work`. Who comes waits for it or, where it could not be started, is told so. */
  async startBy(work: () => Promise<void>): Promise<void> {
    this.#runs = Promise.withResolvers()
    this.#door.leadTo(undefined)
    try {
      await this.poweredDuring(work)
    } catch (error) {
      if (!this.isOn) this.refuse('it could not be started')
      throw error
    }
  }

  /** Counts as having power while `work` starts a machine, or waits for its turn to do so. */
  poweredDuring(work: () => Promise<void>): Promise<void> {
    this.#starting++
    return work().finally(() => this.#starting--)
  }

  /** Ends the machine as if its plug were pulled: who comes is told `why` it is off, or without it waits for the next one. */
  async leave(why?: string): Promise<void> {
    const machine = this.#machine
    // Its end is no loss.
    this.#machine = undefined
    this.#login.close()
    if (why === undefined) this.#door.leadTo(undefined)
    else this.refuse(why)
    await machine?.end({ patienceMs: flushPatienceMs })
  }

  /** Starts it again from its card, and opens the shared connection anew as soon as somebody can log in. */
  async bootAgain(): Promise<void> {
    await this.boot([], this.#context.signal)
    const signal = AbortSignal.any([this.#context.signal, this.#login.newBoot()])
    // Whether anybody can log in now is for the holder to find out: perhaps the test wants to see that nobody can.
    this.openConnection(signal)
      .then(() => this.quietNics(signal))
      .catch((error) => debug('%s: it can be used only so far after this boot: %s', this.hostname, error))
  }

  async #ended(machine: Machine, end: MachineEnd) {
    if (this.#ending || machine !== this.#machine) return
    const name = `Pi ${this.hostname}`
    this.#login.close()
    if (end === 'poweroff') return this.refuse('its system was shut down')
    this.#door.leadTo(undefined)
    if (end === 'reboot') {
      // It has power all the time, unless something else is done to that before this has its turn.
      this.#rebooting = machine
      const rebooted = this.turns.next(async () => {
        if (machine !== this.#machine) return
        this.#rebooting = undefined
        await this.poweredDuring(() => this.bootAgain())
      })
      return rebooted.catch((error) => this.lose(error))
    }
    const sentence = `${name} is lost: ${machine.fate()}`
    // Nobody switches it on while its last words are read.
    this.#loss.note(new RaspiError('boot', sentence))
    const lost = new RaspiError('boot', sentence, { evidence: await machine.console.tail() })
    this.lose(lost)
    this.#onCrash(lost)
  }
}

/** How long QEMU may take to write what the guest has written into the card's file, in ms. */
const flushPatienceMs = 15_000
