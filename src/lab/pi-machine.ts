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
import type { PowerAction, PowerState } from '../pi/power.ts'
import { type FirstStart, FirstStarts } from './first-starts.ts'
import { Loss } from './loss.ts'
import { SharedLogin } from './shared-login.ts'

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
 * others share. What its guest does to itself (reboot, power-off) is followed here, and so is what is done to its power.
 */
export class PiMachine {
  /** Where it runs. */
  place: Place
  /** Its card, at that place. */
  readonly card: string
  readonly #context: PiMachineContext
  readonly #door: Door
  readonly #login: SharedLogin
  readonly #loss = new Loss()
  readonly #firstStarts = new FirstStarts()
  #machine: Machine | undefined
  /** One that its guest has ended to reboot, until it boots again. */
  #rebooting: Machine | undefined
  #boots = 0
  #ending = false
  /** The last change of its power: each begins when the one before it has ended. */
  #turn: Promise<unknown> = Promise.resolve()
  #starting = 0
  /** Settles once a machine runs of the last start. */
  #runs = Promise.withResolvers<void>()
  /** How fast its card may be at most, where it was made slower. */
  #cardLimits: CardLimits | undefined
  /** Whether there is nothing on its card. */
  #isVacant = false

  constructor(
    context: PiMachineContext,
    place: Place,
    door: Door,
    connection: PiConnection,
    controlPath: string,
  ) {
    this.#context = context
    this.place = place
    this.#door = door
    this.#login = new SharedLogin(context.hostname, connection, controlPath)
    this.card = `${place.dir}/card.qcow2`
  }

  /** The machine as it runs now. Throws a `RaspiError` where the Pi is off, which says what it was `wanted` for. */
  running(wanted: string): Machine {
    if (this.#machine && !this.#machine.hasEnded) return this.#machine
    throw new RaspiError('boot', `${wanted}: Pi ${this.#context.hostname} is off.`, {
      hint: 'Switch it on first: await pi.power.on().',
    })
  }

  /** Whether it has power. One that reboots has. */
  get power(): PowerState {
    const machine = this.#machine
    const runs = machine && (!machine.hasEnded || machine === this.#rebooting)
    return this.#starting > 0 || runs ? 'on' : 'off'
  }

  /** Tells `listener` when the Pi is gone by nobody's wish, also where that has happened already. */
  whenLost(listener: (error: RaspiError) => void): void {
    this.#loss.listen(listener)
  }

  /** Gives the Pi up for lost, whatever by. Who comes is told so. */
  lose(reason: unknown): void {
    const name = `Pi ${this.#context.hostname}`
    const sentence = `${name} is lost: ${messageOf(reason)}`
    this.#loss.tell(isRaspiError(reason) ? reason : new RaspiError('boot', sentence, { cause: reason }))
    // One that runs, but did not come back in time from a checkpoint, can still be looked at.
    if (this.power === 'off') this.#door.refuse(`${name} is off: it was lost`)
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

  /** Has no power until it is switched on; then `firstStart` brings it to life. */
  async wait(firstStart: FirstStart): Promise<void> {
    this.#firstStarts.plan(firstStart)
    this.#door.refuse(`Pi ${this.#context.hostname} is off: it was never switched on`)
  }

  /** Takes its power at once, and what is on its card: it cannot be switched on until something {@link begin begins} on it. */
  vacate(): Promise<void> {
    return this.#inPlaceOfStarts('its card was wiped', async () => {
      this.#isVacant = true
      this.#firstStarts.drop()
      await this.#leave(`Pi ${this.#context.hostname} is off: nothing is deployed on it`)
      await this.place.remove(this.card)
    })
  }

  /** Comes to life by `start`, which makes its card, at another place. Throws a `RaspiError` where its power is cut meanwhile. */
  async begin(place: Place, start: FirstStart): Promise<void> {
    const { cut } = this.#firstStarts
    let started: Promise<void> | undefined
    await this.#inTurn(async () => {
      await this.place.end()
      this.place = place
      started = this.#begin(start, cut)
      await this.#untilItRuns(started)
    })
    if (!started) return place.end()
    await started
    this.#isVacant = false
  }

  /** Settles when no first start is at work any more. Never rejects. */
  async whenStarted(): Promise<void> {
    await this.#firstStarts.over()
  }

  /** Opens the ssh connection that others share. Throws as {@link SharedLogin.open} does. */
  openConnection(signal: AbortSignal): Promise<void> {
    return this.#login.open(signal)
  }

  /** Starts a machine on the card as it is now, as the boot ROM would. */
  async boot(kernelParameters: readonly string[], signal: AbortSignal): Promise<void> {
    const { board, nics } = this.#context
    const { place, card } = this
    await this.#poweredDuring(async () => {
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
    if (macs.length > 0) await this.#login.run('sh', { input, signal })
    await machine.quietNics()
  }

  /** Shuts it down cleanly. Throws a `RaspiError` where it is off already, or does not go off. */
  async shutDown(): Promise<void> {
    const { hostname, signal } = this.#context
    const machine = this.running('It cannot be shut down')
    const options = { sudo: true, reject: false, signal }
    const command = 'systemctl --no-block poweroff'
    // Its connection may end before the command has told its exit code.
    const failure = await this.#login.run(command, options).then(
      ({ exitCode, stderr }) => (exitCode ? stderr.trim() : ''),
      (error) => messageOf(error),
    )
    const patience = delay(failure ? refusalPatienceMs : shutdownTimeoutMs, 'late', { signal, ref: false })
    const end = await Promise.race([machine.ended, patience.catch(() => 'late')])
    signal.throwIfAborted()
    if (end === 'poweroff') return
    const why = failure || machine.fate() || `it was still at it after ${shutdownTimeoutMs / 60_000} min`
    throw new RaspiError('lab', `Pi ${hostname} did not shut down: ${why}`, {
      evidence: await machine.console.tail(),
    })
  }

  /** Does something to its power, or nothing, and tells whether it has any. Without `wait` it waits for no first start. */
  async change(action: PowerAction | undefined, wait = true): Promise<PowerState> {
    if (action === 'on') await this.switchOn(wait)
    if (action === 'off') await this.shutDown()
    if (action === 'cut') await this.cut()
    if (action === 'reset') await this.reset(wait)
    return this.power
  }

  /**
   * Gives it power: it boots from its card as that is. Settles once its machine runs, or its first start has come to an end;
   * without `wait` that goes on by itself. Where it has power it only waits. Throws a `RaspiError` where there is nothing on its
   * card, or where its power is cut in its first start.
   */
  async switchOn(wait = true): Promise<void> {
    const { cut } = this.#firstStarts
    let started: Promise<void> | undefined
    await this.#inTurn(async () => {
      started = this.#firstStarts.atWork
      if (this.power === 'on') return
      if (this.#isVacant) {
        throw new RaspiError(
          'lab',
          `Pi ${this.#context.hostname} cannot be switched on: nothing is deployed on it.`,
          { hint: 'Deploy an image first: by pi.provision in a test, or `vitest-raspi provision`.' },
        )
      }
      started = this.#comeOn(cut)
      await this.#untilItRuns(started)
    })
    if (wait) await started
  }

  /**
   * Takes its power at once; its card stays as it is in this moment. Does nothing where it has none. A first start is given up,
   * and is to come once more.
   */
  cut(): Promise<void> {
    const why = 'its power was cut'
    return this.#inPlaceOfStarts(why, () => this.#leave(`Pi ${this.#context.hostname} is off: ${why}`))
  }

  /**
   * Resets it, as by the pins for it: it boots anew, without having shut down, or has its first start once more. Settles as
   * {@link PiMachine.switchOn} does. Throws a `RaspiError` where it is off.
   */
  async reset(wait = true): Promise<void> {
    let started: Promise<void> | undefined
    await this.#inTurn(async () => {
      this.running('It cannot be reset')
      await this.#poweredDuring(async () => {
        await this.#endStarts('it was reset')
        await this.#leave(undefined)
      })
      started = this.#comeOn(this.#firstStarts.cut)
      await this.#untilItRuns(started)
    })
    if (wait) await started
  }

  /** Ends the machine as if its plug were pulled; who comes waits until another one is adopted. */
  replace(): Promise<void> {
    return this.#inPlaceOfStarts('it goes back to a checkpoint', () => this.#leave(undefined))
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
    void this.#endStarts('it has been given back')
    await this.#machine?.end()
    // One that is just being started ends as soon as it has started.
    await this.#turn
    await this.whenStarted()
    await this.place.end()
  }

  /** Boots it from its card, or begins its first start where that is still to come. Settles when that has started. */
  #comeOn(cut: AbortSignal): Promise<void> {
    const first = this.#firstStarts.next
    return first ? this.#begin(first, cut) : this.#startBy(() => this.#bootAgain())
  }

  #begin(start: FirstStart, cut: AbortSignal): Promise<void> {
    return this.#firstStarts.begin(start, {
      ...{ cut, startBy: (work) => this.#startBy(work) },
      hasMachine: () => this.#machine !== undefined,
    })
  }

  /** Settles once a machine runs of what `started` has begun, or that is over: what is done next to its power has its turn then. */
  async #untilItRuns(started: Promise<void>): Promise<void> {
    await Promise.race([this.#runs.promise, started])
  }

  /** Does `work` in turn, and without waiting for a first start, which is given up. */
  #inPlaceOfStarts(why: string, work: () => Promise<void>): Promise<void> {
    void this.#endStarts(why)
    return this.#inTurn(async () => {
      // A reset may have begun another one since.
      await this.#endStarts(why)
      await work()
    })
  }

  /** Gives up the first start that is at work, or waits for its turn. Settles when none is at work any more. Never rejects. */
  #endStarts(why: string): Promise<void> {
    const sentence = `Pi ${this.#context.hostname} was not started: ${why}.`
    this.#firstStarts.giveUp(new RaspiError('cancelled', sentence))
    return this.whenStarted()
  }

  /** Starts a machine by `work`. Who comes waits for it or, where it could not be started, is told so. */
  async #startBy(work: () => Promise<void>): Promise<void> {
    this.#runs = Promise.withResolvers()
    this.#door.leadTo(undefined)
    try {
      await this.#poweredDuring(work)
    } catch (error) {
      if (this.power === 'off')
        this.#door.refuse(`Pi ${this.#context.hostname} is off: it could not be started`)
      throw error
    }
  }

  /** Counts as having power while `work` starts a machine, or waits for its turn to do so. */
  #poweredDuring(work: () => Promise<void>): Promise<void> {
    this.#starting++
    return work().finally(() => this.#starting--)
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(async () => {
      if (!this.#ending) await work()
    })
    this.#turn = mine.catch(() => {})
    return mine
  }

  async #leave(refusal: string | undefined) {
    const machine = this.#machine
    // Its end is no loss.
    this.#machine = undefined
    this.#login.close()
    if (refusal === undefined) this.#door.leadTo(undefined)
    else this.#door.refuse(refusal)
    await machine?.end({ patienceMs: flushPatienceMs })
  }

  /** Starts it again from its card, and opens the shared connection anew as soon as somebody can log in. */
  async #bootAgain() {
    const { hostname } = this.#context
    await this.boot([], this.#context.signal)
    const signal = AbortSignal.any([this.#context.signal, this.#login.newBoot()])
    // Whether anybody can log in now is for the holder to find out: perhaps the test wants to see that nobody can.
    this.openConnection(signal)
      .then(() => this.quietNics(signal))
      .catch((error) => debug('%s: it can be used only so far after this boot: %s', hostname, error))
  }

  async #ended(machine: Machine, end: MachineEnd) {
    if (this.#ending || machine !== this.#machine) return
    const name = `Pi ${this.#context.hostname}`
    this.#login.close()
    if (end === 'poweroff') return this.#door.refuse(`${name} is off: its system was shut down`)
    this.#door.leadTo(undefined)
    if (end === 'reboot') {
      // It has power all the time, unless something else is done to that before this has its turn.
      this.#rebooting = machine
      const rebooted = this.#inTurn(async () => {
        if (machine !== this.#machine) return
        this.#rebooting = undefined
        await this.#poweredDuring(() => this.#bootAgain())
      })
      return rebooted.catch((error) => this.lose(error))
    }
    const sentence = `${name} is lost: ${machine.fate()}`
    // Nobody switches it on while its last words are read.
    this.#loss.note(new RaspiError('boot', sentence))
    const lost = new RaspiError('boot', sentence, { evidence: await machine.console.tail() })
    this.lose(lost)
    // A first start would wait for a login in vain.
    this.#firstStarts.giveUp(lost)
  }
}

/** How long QEMU may take to write what the guest has written into the card's file, in ms. */
const flushPatienceMs = 15_000
