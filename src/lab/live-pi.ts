import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createDebug } from 'obug'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { readBootPlan } from '../firmware/boot-plan.ts'
import { freeze } from '../freeze/freeze.ts'
import {
  clockScript,
  firstCommands,
  type Identity,
  knownHost,
  newIdentity,
  quietScript,
  settleScript,
} from '../freeze/identity.ts'
import { type FrozenPi, frozenAt, frozenFiles } from '../freeze/store.ts'
import { thaw } from '../freeze/thaw.ts'
import { privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import { Spans } from '../host/spans.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'
import { makeCard, readBootPart } from '../machine/card.ts'
import { Door } from '../machine/door.ts'
import { type GpioPin, readGpio } from '../machine/gpio.ts'
import { Machine, type MachineEnd, type Priority } from '../machine/machine.ts'
import type { ServiceShell } from '../machine/service-shell.ts'
import type { PiConnection } from '../pi/connection.ts'
import { openSshMaster, runBySsh, type SshMaster } from '../pi/ssh.ts'

const debug = createDebug('raspi:lab')

/** What a Pi is made of. */
export interface PiSource {
  image: Image
  board: Board
  /** Absent where this image cannot be frozen here; its Pis boot cold then. */
  frozen?: FrozenPi | undefined
}

/** What it takes to bring a Pi to life. */
export interface StartContext {
  number: number
  hostname: string
  /** The port for its ssh. @default a free one */
  sshPort?: number | undefined
  /** Its directory, below the run's. */
  dir: string
  qemu: string
  qemuImg: string
  /** Until its first login, in ms. */
  timeoutMs: number
  /** In the background it leaves the processors to others until it is woken. @default 'normal' */
  priority?: Priority | undefined
  signal: AbortSignal
  /** Told of each process that must not outlive the run. */
  note(pid: number): void
  /** Told what its boot part asks for and it does not get, a sentence each, at every boot. */
  notEmulated(sentences: string[]): void
}

/** How long a guest may take to shut down, in ms: systemd gives a service 90 s to stop before it kills it. */
const shutdownTimeoutMs = 240_000
/** How long it may take where the one who asked it to was not answered. */
const refusalPatienceMs = 20_000

/** A Pi of the lab: its machine through all reboots, its card, its door and its open ssh connection. */
export class LivePi {
  readonly number: number
  readonly identity: Identity
  readonly source: PiSource
  readonly connection: PiConnection
  readonly controlPath: string
  readonly consoleFile: string
  /** When its start began, in ms since the epoch. */
  readonly startedAt = Date.now()
  startMs = 0
  /** Where its time went, from its start to its hand-over. */
  readonly spans: Spans
  readonly #context: StartContext
  readonly #door: Door
  #machine: Machine | undefined
  #shell: ServiceShell | undefined
  #master: SshMaster | undefined
  #boots = 0
  #ending = false
  readonly #over = new AbortController()
  #reboots: Promise<void> = Promise.resolve()
  readonly #loss = Promise.withResolvers<RaspiError>()

  private constructor(source: PiSource, context: StartContext, door: Door) {
    const { dir, number, hostname } = context
    this.number = number
    this.identity = newIdentity(hostname)
    this.spans = new Spans(hostname)
    this.source = source
    this.#context = context
    this.#door = door
    this.controlPath = join(dir, 'ssh')
    this.consoleFile = join(dir, 'console.log')
    this.connection = {
      host: '127.0.0.1',
      port: door.port,
      user: source.image.user,
      privateKeyFile: source.image.privateKeyFile,
      knownHostsFile: join(dir, 'known_hosts'),
    }
  }

  /**
   * Thaws a Pi, or boots it where `source` has no frozen one, and gives it once somebody has logged in by ssh.
   * Throws a `RaspiError` with the end of its console where that takes longer than `timeoutMs`.
   */
  static async start(source: PiSource, context: StartContext): Promise<LivePi> {
    privateDir(context.dir)
    const pi = new LivePi(source, context, await Door.open({ port: context.sshPort ?? 0 }))
    const started = performance.now()
    const deadline = AbortSignal.timeout(context.timeoutMs)
    const signal = AbortSignal.any([context.signal, deadline])
    try {
      if (source.frozen) await pi.#thaw(source.frozen, signal)
      else await pi.#bootFirst(signal)
      pi.startMs = performance.now() - started
      return pi
    } catch (error) {
      const tail = await pi.#machine?.console.tail()
      await pi.end()
      context.signal.throwIfAborted()
      if (!deadline.aborted) throw error
      throw new RaspiError(
        'boot',
        `Pi ${context.hostname} took no ssh login within ${context.timeoutMs / 1000} s of its start`,
        {
          evidence: tail && `Its console's last lines:\n${tail}`,
        },
      )
    }
  }

  /** Tells `listener` when the Pi is gone by nobody's wish, also where that has happened already. */
  whenLost(listener: (error: RaspiError) => void): void {
    void this.#loss.promise.then(listener)
  }

  get origin(): 'thawed' | 'booted' {
    return this.source.frozen ? 'thawed' : 'booted'
  }

  /**
   * Lets a thawed Pi come to an end with what a new NIC and a login set going, does what every test does first, so that
   * QEMU has that code translated, and pauses it: until {@link LivePi.wake} it costs no processor time.
   */
  async rest(signal: AbortSignal): Promise<void> {
    const { hostname } = this.identity
    await this.#shell?.run(settleScript(this.source.image.user), { timeoutMs: 30_000 })
    await runBySsh(hostname, this.connection, this.controlPath, firstCommands, { signal })
    await this.#shell?.run(quietScript, { timeoutMs: 60_000 })
    await this.#machine?.pause()
    this.#master?.rest()
    this.spans.end('coming to rest')
  }

  /** Lets a Pi at rest go on. */
  async wake(): Promise<void> {
    this.spans.end('at rest')
    this.#machine?.comeForward()
    this.#master?.wake()
    await this.#machine?.resume()
  }

  /** Whether its guest has switched it off. */
  get isOff(): boolean {
    return this.#machine?.hasEnded ?? false
  }

  /** Makes it ready for its holder: with the right time, without our root shell. */
  async handOver(): Promise<void> {
    const shell = this.#shell
    if (!shell) return
    this.#shell = undefined
    await shell.run(clockScript(), { timeoutMs: 10_000 })
    shell.finish(settleScript(this.source.image.user))
    this.spans.end('hand-over')
  }

  /** Its pins, as its guest has set them. Throws a `RaspiError` where it is off, or the board has none. */
  async gpio(): Promise<GpioPin[]> {
    const { name, parts } = this.source.board
    if (parts !== 'raspi') throw new RaspiError('boot', `The board ${name} has no pins.`)
    if (!this.#machine || this.#machine.hasEnded)
      throw new RaspiError('boot', `The pins of Pi ${this.identity.hostname} cannot be read: it is off.`)
    return readGpio(this.#machine)
  }

  /** Ends it at once, as if its plug were pulled. */
  async end(): Promise<void> {
    this.#ending = true
    this.#over.abort(new RaspiError('cancelled', `Pi ${this.identity.hostname} has been given back.`))
    this.#door.close()
    this.#master?.close()
    this.#shell?.close()
    await this.#machine?.end()
    // One that is just being started again ends as soon as it has started.
    await this.#reboots
  }

  /** Its card. Nothing writes to it once the Pi is off. */
  get cardFile(): string {
    return join(this.#context.dir, 'card.qcow2')
  }

  /** Shuts it down cleanly. Throws a `RaspiError` where it is off already, or does not go off. */
  async shutDown(): Promise<void> {
    const { connection, controlPath } = this
    const { hostname } = this.identity
    const machine = this.#machine
    if (!machine || machine.hasEnded) throw new RaspiError('lab', `Pi ${hostname} is off.`)
    const signal = this.signal
    const options = { sudo: true, reject: false, signal }
    // Its connection may end before the command has told its exit code.
    const failure = await runBySsh(
      ...([hostname, connection, controlPath, 'systemctl --no-block poweroff', options] as const),
    ).then(
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

  /**
   * Shuts it down, boots its card without a NIC, freezes that below its own directory, and goes on from there. Where
   * that fails it boots again from its card.
   */
  async checkpoint(name: string, log: Log): Promise<FrozenPi> {
    const { dir, qemu, qemuImg, timeoutMs, note } = this.#context
    const { image, board } = this.source
    await this.shutDown()
    const place = privateDir(dir, name)
    await rename(this.cardFile, join(place, frozenFiles.card))
    const context = { dir: place, machineDir: dir, qemu, qemuImg, log, note, signal: this.signal }
    try {
      const subject = { image, board, mustBeWarm: false }
      const booted = await freeze(subject, { ...context, bootTimeout: timeoutMs })
      const frozen = await frozenAt(place, { id: name, ...booted }, image, board)
      await this.restore(frozen)
      return frozen
    } catch (error) {
      if (!this.#machine?.hasEnded) throw error
      await rename(join(place, frozenFiles.card), this.cardFile)
      await rm(place, { recursive: true, force: true })
      await this.#boot([], this.signal).catch((lost) => this.#loss.resolve(lost))
      throw error
    }
  }

  /** Goes on as the copy of itself that `frozen` is. What it was until now is gone. */
  async restore(frozen: FrozenPi): Promise<void> {
    const machine = this.#machine
    this.#machine = undefined
    this.#door.leadTo(undefined)
    this.#master?.close()
    await machine?.end()
    await rm(this.cardFile, { force: true })
    const deadline = AbortSignal.timeout(this.#context.timeoutMs)
    try {
      await this.#thaw(frozen, AbortSignal.any([this.signal, deadline]), { returns: true })
      await this.handOver()
    } catch (error) {
      const lost =
        isRaspiError(error) || !deadline.aborted
          ? error
          : new RaspiError('boot', `Pi ${this.identity.hostname} did not come back from its checkpoint`)
      this.#loss.resolve(lost as RaspiError)
      throw lost
    }
  }

  /** Aborts when its holder is gone, or it has been given back. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#context.signal, this.#over.signal])
  }

  async #thaw(frozen: FrozenPi, signal: AbortSignal, { returns = false } = {}) {
    const { dir, qemu, qemuImg } = this.#context
    // A Pi that comes back has a holder who waits for it, even where it was made for the pool.
    const priority = returns ? 'normal' : this.#context.priority
    await this.#writeKnownHosts([this.identity.hostKey.public])
    const { machine, shell } = await thaw(frozen, this.identity, {
      ...{ dir, qemu, qemuImg, signal, priority, returns },
      spans: this.spans,
    })
    this.#shell = shell
    await this.#adopt(machine)
    this.#master = await openSshMaster(this.connection, this.controlPath, signal)
    this.spans.end('login')
  }

  async #bootFirst(signal: AbortSignal) {
    const { dir, qemuImg } = this.#context
    const { image } = this.source
    await this.#writeKnownHosts(image.hostKeys)
    await makeCard(qemuImg, { path: image.path, format: 'raw' }, join(dir, 'card.qcow2'))
    // What an image cannot bring along for a single Pi comes by the kernel's command line.
    await this.#boot(
      [`systemd.hostname=${this.identity.hostname}`, `systemd.machine_id=${this.identity.machineId}`],
      signal,
    )
    this.spans.end("QEMU's start")
    this.#master = await openSshMaster(this.connection, this.controlPath, signal)
    this.spans.end('boot and login')
    // Its name is written down as well, for it to have it after a reboot too. So is its machine id, by systemd.
    const { hostname } = this.identity
    const script = [
      clockScript(),
      'read -r old < /etc/hostname',
      `echo ${hostname} > /etc/hostname`,
      `sed -i "s/\\b$old\\b/${hostname}/g" /etc/hosts`,
    ].join('\n')
    await runBySsh(hostname, this.connection, this.controlPath, script, { sudo: true, signal })
  }

  /** Starts a machine on the card as it is now, as the boot ROM would. */
  async #boot(kernelParameters: string[], signal: AbortSignal) {
    const { dir, qemu, qemuImg } = this.#context
    const { board } = this.source
    const card = join(dir, 'card.qcow2')
    const bootDir = privateDir(dir, `boot-${this.#boots++}`)
    const bootPart = await readBootPart(qemuImg, { path: card }, join(bootDir, 'boot.raw'))
    const plan = await readBootPlan({ path: bootPart }, board, bootDir)
    this.#context.notEmulated(plan.notEmulated)
    const commandLine = [plan.commandLine, `systemd.clock-usec=${Date.now()}000`, ...kernelParameters].join(
      ' ',
    )
    const machine = await Machine.start(
      { board, card, dir, boot: { ...plan, commandLine }, nic: { mac: this.identity.mac } },
      { qemu },
      signal,
    )
    // QEMU has read it all by now.
    await rm(bootDir, { recursive: true, force: true })
    await this.#adopt(machine)
  }

  /** Starts it again from its card, and opens the connection that others share anew. */
  async #reboot() {
    const { signal } = this.#context
    await this.#boot([], signal)
    // Whether anybody can log in now is for the holder to find out: perhaps the test wants to see that nobody can.
    this.#master = await openSshMaster(this.connection, this.controlPath, signal).catch((error) => {
      debug('%s: nobody can log in after the reboot: %s', this.identity.hostname, error)
      return undefined
    })
    if (this.#ending) this.#master?.close()
  }

  async #adopt(machine: Machine) {
    this.#machine = machine
    if (this.#ending) return machine.end()
    this.#context.note(machine.pid)
    machine.once('end', (end) => void this.#ended(machine, end))
    this.#door.leadTo(await machine.sshPort())
  }

  async #ended(machine: Machine, end: MachineEnd) {
    if (this.#ending || machine !== this.#machine) return
    const name = `Pi ${this.identity.hostname}`
    this.#master?.close()
    if (end === 'poweroff') return this.#door.refuse(`${name} is off: its system was shut down`)
    this.#door.leadTo(undefined)
    if (end === 'reboot') {
      this.#reboots = this.#reboot().catch((error) => this.#loss.resolve(error))
      return
    }
    const evidence = await machine.console.tail()
    this.#loss.resolve(new RaspiError('boot', `${name} is lost: ${machine.fate()}`, { evidence }))
  }

  async #writeKnownHosts(keys: string[]) {
    const lines = keys.map((key) => knownHost(this.#door.port, key))
    await writeFile(this.connection.knownHostsFile, lines.join(''), { mode: 0o600 })
  }
}
