import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine, PiSource } from '../engine/engine.ts'
import { isRaspiError, RaspiError } from '../errors.ts'
import { freeze } from '../freeze/freeze.ts'
import {
  type GuestNetworks,
  type GuestNic,
  missingNics,
  networksScript,
  reloadNetworks,
} from '../freeze/guest-networks.ts'
import { clockScript, loginFindingsScript, perl } from '../freeze/guest-shell.ts'
import { renameInHosts } from '../freeze/hosts-file.ts'
import {
  firstCommands,
  type Identity,
  keepScript,
  knownHost,
  newIdentity,
  quietScript,
  settleScript,
  soonScript,
} from '../freeze/identity.ts'
import { type FrozenPi, frozenFiles, frozenIn } from '../freeze/store.ts'
import { thaw } from '../freeze/thaw.ts'
import { orAborted } from '../host/or-aborted.ts'
import { privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import { Spans } from '../host/spans.ts'
import { makeCard } from '../machine/card.ts'
import { Door } from '../machine/door.ts'
import { type GpioPin, readGpio } from '../machine/gpio.ts'
import type { Nics } from '../machine/nics.ts'
import type { Place, Priority } from '../machine/place.ts'
import type { ServiceShell } from '../machine/service-shell.ts'
import type { PiConnection } from '../pi/connection.ts'
import type { MachineFault } from '../pi/faults.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import type { ProvisionState } from '../pi/provision.ts'
import { AfterHandOver, type Calm } from './after-hand-over.ts'
import { PiMachine, type PiMachineContext } from './pi-machine.ts'
import { PiPower } from './pi-power.ts'

/** The networks of a Pi: as its guest knows them, each on a segment that listens at a socket. */
export interface PiNetworks extends GuestNetworks {
  nics: readonly (GuestNic & { socket: string })[]
}

/** What it takes to bring a Pi to life. */
export interface StartContext extends Omit<PiMachineContext, 'board' | 'nics'> {
  engine: Engine
  /** Its directory, below the run's. */
  dir: string
  number: number
  /** The port for its ssh. @default a free one */
  sshPort?: number | undefined
  /** Whether it is there without power, until it is switched on. @default false */
  off?: boolean | undefined
  /** Whether there is nothing on its card, and no power, until it is deployed. @default false */
  enrolled?: boolean | undefined
  /** Whether its guest gets to the host and the world. @default true */
  internet?: boolean | undefined
  /** The networks it is on, beside the one that ssh comes by. @default none */
  networks?: PiNetworks | undefined
  /** Until its first login, in ms. */
  timeoutMs: number
  /** In the background it leaves the processors to others until it is woken. @default 'normal' */
  priority?: Priority | undefined
  /** Aborts when somebody begins to wait for it: it comes out of the background then. */
  hurry?: AbortSignal | undefined
  /** Whom it would disturb with what it does after its hand-over. @default nobody */
  calm?: Calm | undefined
  log: Log
}

/** How long a first start that is too late may take to end what it has begun, in ms. */
const clearingUpMs = 20_000

/** A Pi of the lab: who it is, how it came to life, and its machine. */
export class LivePi {
  readonly number: number
  readonly identity: Identity
  /** What it is made of where nobody wants it otherwise. */
  readonly ownSource: PiSource
  /** What is on its card, or is to come on it. */
  source: PiSource
  readonly connection: PiConnection
  readonly controlPath: string
  readonly consoleFile: string
  /** Its directory, below the run's. */
  readonly dir: string
  /** When its start began, in ms since the epoch. */
  readonly startedAt = Date.now()
  startMs = 0
  /** Where its time went, from its start to its hand-over. */
  readonly spans: Spans
  /** Its machine through all boots. */
  readonly machine: PiMachine
  readonly power: PiPower
  /** How far it has come as a node. */
  provision: ProvisionState
  readonly #context: StartContext
  #shell: ServiceShell | undefined
  #hasSettled = false
  readonly #afterHandOver = new AfterHandOver()
  readonly #over: AbortController

  private constructor(
    source: PiSource,
    context: StartContext,
    place: Place,
    door: Door,
    over: AbortController,
  ) {
    const { dir, number, hostname } = context
    this.number = number
    this.identity = newIdentity(hostname, context.networks)
    this.spans = new Spans(hostname)
    this.ownSource = source
    this.source = source
    this.provision = context.enrolled ? 'enroll' : 'active'
    this.#context = context
    this.#over = over
    this.controlPath = join(dir, 'ssh')
    this.dir = dir
    this.consoleFile = join(dir, 'console.log')
    this.connection = {
      host: '127.0.0.1',
      port: door.port,
      user: source.image.user,
      privateKeyFile: source.image.privateKeyFile,
      knownHostsFile: join(dir, 'known_hosts'),
    }
    this.machine = new PiMachine(
      { ...context, board: source.board, nics: this.#nics, signal: this.signal },
      ...([place, door, this.connection, this.controlPath] as const),
    )
    this.power = new PiPower(this.machine)
  }

  /**
   * Thaws a Pi, or boots it where `source` has no frozen one, and gives it once somebody has logged in by ssh.
   * Throws a `RaspiError` with the end of its console where that takes longer than `timeoutMs`.
   */
  static async start(source: PiSource, context: StartContext): Promise<LivePi> {
    privateDir(context.dir)
    const started = performance.now()
    const door = await Door.open({ port: context.sshPort ?? 0 })
    // What hangs at its place ends when it is given back.
    const over = new AbortController()
    const stop = AbortSignal.any([context.signal, over.signal])
    const place = await context.engine.open(source, context.dir, stop).catch((error) => {
      door.close()
      throw error
    })
    const pi = new LivePi(source, context, place, door, over)
    const deadline = AbortSignal.timeout(context.timeoutMs)
    const signal = AbortSignal.any([context.signal, deadline])
    const coming = pi.#firstState(signal)
    try {
      // An engine may hang on the way.
      await orAborted(coming, signal)
      pi.startMs = performance.now() - started
      return pi
    } catch (error) {
      const late = deadline.aborted ? await pi.#tooLate() : undefined
      await pi.end()
      await coming.catch(() => {})
      context.signal.throwIfAborted()
      throw late ?? error
    }
  }

  get origin(): 'thawed' | 'booted' {
    return this.source.frozen ? 'thawed' : 'booted'
  }

  /**
   * Lets a thawed Pi come to an end with what a new NIC and a login set going, does what every test does first, so that
   * QEMU has that code translated, and pauses it: until {@link LivePi.wake} it costs no processor time. Leaves the rest of
   * this out where somebody begins to wait for it.
   */
  async rest(signal: AbortSignal): Promise<void> {
    const { hurry } = this.#context
    if (hurry?.aborted) return
    const script = [keepScript(this.source.image.user), settleScript()].join('\n')
    await this.#shell?.run(script, { timeoutMs: 30_000 })
    this.#hasSettled = true
    if (hurry?.aborted) return
    await this.machine.run(firstCommands, { signal })
    if (hurry?.aborted) return
    await this.#shell?.run(quietScript, { timeoutMs: 60_000 })
    await this.machine.pause()
    this.spans.end('coming to rest')
  }

  /** Lets a Pi at rest go on. */
  async wake(): Promise<void> {
    this.spans.end('at rest')
    await this.machine.resume()
  }

  /** Makes it ready for its holder: with the right time, without our root shell. */
  async handOver(): Promise<void> {
    const shell = this.#shell
    if (!shell) return
    this.#shell = undefined
    this.machine.useExactTimers()
    const keep = this.#hasSettled ? [] : [keepScript(this.source.image.user)]
    await shell.run([clockScript(), ...keep].join('\n'), { timeoutMs: 30_000 })
    await this.machine.slowCard()
    if (this.#hasSettled) void shell.finish('true')
    else
      this.#afterHandOver.begin({
        soon: () => shell.run(soonScript, { timeoutMs: 10_000 }),
        later: () => shell.finish(settleScript(this.identity.networks)),
        calm: this.#context.calm,
      })
    this.spans.end('hand-over')
  }

  /** Has it do at once what it would still do by itself after its hand-over, and waits for that, unless its guest stands still. */
  async settled(): Promise<void> {
    if (this.machine.isPaused) return
    await this.power.whenStarted()
    await this.#afterHandOver.finish()
  }

  /** Its pins, as its guest has set them. Throws a `RaspiError` where it is off, or the board has none. */
  async gpio(): Promise<GpioPin[]> {
    const { name, parts } = this.source.board
    if (parts !== 'raspi') throw new RaspiError('boot', `The board ${name} has no pins.`)
    return readGpio(this.machine.running('Its pins cannot be read'))
  }

  /** Breaks its machine, or mends it. Throws a `RaspiError` where it has none that runs. */
  async fault(fault: MachineFault): Promise<void> {
    // One that stands still can do nothing more.
    if ('hangs' in fault && fault.hangs) await this.settled()
    await this.machine.fault(fault)
  }

  /**
   * Does something to its power, or nothing, and tells whether it has any. Throws a `RaspiError` where that fails, or it is lost;
   * without `wait` it is not told where a first start fails, which goes on by itself as soon as the machine runs.
   */
  async changePower(action: PowerAction | undefined, wait = true): Promise<PowerState> {
    if (action) this.machine.assertNotLost()
    if (action === 'off') await this.settled()
    if (action === 'cut' || action === 'reset') this.#afterHandOver.drop()
    return this.power.change(action, wait)
  }

  /**
   * Goes on as a fresh Pi made of `source`, on a card of its own, with the same name, addresses and port. What it was until
   * now is gone. Throws a `RaspiError` where that takes longer than a start may.
   */
  async install(source: PiSource): Promise<void> {
    const { user, privateKeyFile } = source.image
    this.source = source
    // Its machine logs in by the same object.
    Object.assign(this.connection, { user, privateKeyFile })
    const started = performance.now()
    const place = await this.#context.engine.open(source, this.dir, this.signal)
    await this.power.begin(place, (cut) => this.#startFirst(cut))
    this.startMs = performance.now() - started
  }

  /** Takes its power at once, and what is on its card. */
  async wipe(): Promise<void> {
    this.#afterHandOver.drop()
    this.#shell?.close()
    this.#shell = undefined
    await this.power.vacate()
  }

  /** Ends it at once, as if its plug were pulled. */
  async end(): Promise<void> {
    this.#over.abort(new RaspiError('cancelled', `Pi ${this.identity.hostname} has been given back.`))
    this.#afterHandOver.drop()
    this.#shell?.close()
    await this.power.end()
  }

  /**
   * Shuts it down, boots its card without a NIC, freezes that below its own directory, and goes on from there. Where
   * that fails it boots again from its card.
   */
  async checkpoint(name: string, log: Log): Promise<FrozenPi> {
    const { image, board } = this.source
    const { place, card } = this.machine
    await this.settled()
    await this.machine.shutDown()
    const dir = await place.makeDir(`${place.dir}/${name}`)
    const cardThere = `${dir}/${frozenFiles.card}`
    await place.move(card, cardThere)
    const context = { place, dir, log, signal: this.signal, bootTimeout: this.#context.timeoutMs }
    try {
      const booted = await freeze({ image, board, mustBeWarm: false }, context)
      const frozen = frozenIn(dir, { id: name, ...booted }, image, board)
      await this.restore(frozen)
      return frozen
    } catch (error) {
      if (this.machine.isOn) throw error
      await place.move(cardThere, card)
      await place.remove(dir)
      await this.machine.boot([], this.signal).catch((lost) => this.machine.lose(lost))
      throw error
    }
  }

  /** Goes on as the copy of itself that `frozen` is. What it was until now is gone. */
  async restore(frozen: FrozenPi): Promise<void> {
    this.#afterHandOver.drop()
    await this.power.replace()
    await this.machine.place.remove(this.machine.card)
    const deadline = AbortSignal.timeout(this.#context.timeoutMs)
    try {
      await this.#thaw(frozen, AbortSignal.any([this.signal, deadline]), { returns: true })
      await this.handOver()
    } catch (error) {
      const lost =
        isRaspiError(error) || !deadline.aborted
          ? error
          : new RaspiError('boot', `Pi ${this.identity.hostname} did not come back from its checkpoint`)
      this.machine.lose(lost)
      throw lost
    }
  }

  /** Aborts when its holder is gone, or it has been given back. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#context.signal, this.#over.signal])
  }

  /** What its root shell, while we have one, finds of why nobody can log in. Never rejects. */
  async #lookInside(): Promise<string> {
    const found = await this.#shell?.run(loginFindingsScript, { timeoutMs: 20_000 }).catch(() => undefined)
    return found ? `Seen from its service shell:\n${found.output}` : ''
  }

  /** Comes to what its holder is to find. */
  async #firstState(signal: AbortSignal): Promise<void> {
    const { enrolled, off } = this.#context
    if (enrolled) await this.power.vacate()
    else if (off) await this.power.wait((cut) => this.#startFirst(cut))
    else await this.#start(signal)
  }

  /** Starts it, until its first login only as long as `untilLogin` lets it. */
  async #start(signal: AbortSignal, untilLogin = signal, priority = this.#context.priority) {
    const { frozen } = this.source
    if (frozen) await this.#thaw(frozen, untilLogin, { priority })
    else await this.#bootFirst(signal, untilLogin)
  }

  /** The first start of one that was there without power: nobody else hands it over, and somebody waits for it. */
  async #startFirst(cut: AbortSignal) {
    const { timeoutMs } = this.#context
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([this.signal, deadline])
    // An engine may hang on the way; else it clears up by itself, and nothing is left of it for the next start.
    const given = AbortSignal.timeout(timeoutMs + clearingUpMs)
    try {
      await orAborted(this.#start(signal, AbortSignal.any([signal, cut]), 'normal'), given)
      await this.handOver()
    } catch (error) {
      this.signal.throwIfAborted()
      throw deadline.aborted ? await this.#tooLate() : error
    }
  }

  async #tooLate(): Promise<RaspiError> {
    const { hostname, timeoutMs } = this.#context
    const [tail, findings] = [await this.machine.consoleTail(), await this.#lookInside()]
    return new RaspiError(
      'boot',
      `Pi ${hostname} took no ssh login within ${timeoutMs / 1000} s of its start`,
      {
        hint: 'On a host that is very busy it may need longer (bootTimeout), or fewer beside it (maxPis, maxStarts).',
        evidence: [tail && `Its console's last lines:\n${tail}`, findings].filter(Boolean).join('\n\n'),
      },
    )
  }

  get #nics(): Nics {
    const { internet, networks } = this.#context
    return { mac: this.identity.mac, internet, segments: networks?.nics }
  }

  async #thaw(
    frozen: FrozenPi,
    signal: AbortSignal,
    // A Pi that comes back has a holder who waits for it, even where it was made for the pool.
    { returns = false, priority = 'normal' }: { returns?: boolean; priority?: Priority | undefined },
  ) {
    const { place, card } = this.machine
    this.#hasSettled = false
    await this.#writeKnownHosts([this.identity.hostKey.public])
    const { machine, shell } = await thaw(frozen, this.identity, {
      ...{ place, card, signal, priority, hurry: this.#context.hurry, returns, nics: this.#nics },
      spans: this.spans,
    })
    this.#shell = shell
    // What it has yet to write before somebody has it would take too long on a slow card.
    await this.machine.adopt(machine, { slow: false })
    await this.machine.openConnection(signal)
    this.spans.end('login')
  }

  async #bootFirst(signal: AbortSignal, untilLogin: AbortSignal) {
    const { image } = this.source
    await this.#writeKnownHosts(image.hostKeys)
    await makeCard(this.machine.place, this.machine.place.base, this.machine.card)
    // What an image cannot bring along for a single Pi comes by the kernel's command line.
    await this.machine.boot(
      [`systemd.hostname=${this.identity.hostname}`, `systemd.machine_id=${this.identity.machineId}`],
      untilLogin,
    )
    this.spans.end("QEMU's start")
    await this.machine.openConnection(untilLogin)
    this.spans.end('boot and login')
    // Its name is written down as well, for it to have it after a reboot too. So is its machine id, by systemd.
    const { hostname, networks } = this.identity
    const script = [
      clockScript(),
      'read -r old < /etc/hostname',
      `echo ${hostname} > /etc/hostname`,
      perl(['my ($name, $hostname) = @ARGV;', ...renameInHosts], `"$old" ${hostname}`),
      ...(networks ? [networksScript(networks, this.identity.mac), reloadNetworks] : []),
      'sync -f /',
    ].join('\n')
    const options = { sudo: true, input: script, signal }
    const { stdout } = await this.machine.run('bash -s', options)
    const [missing] = missingNics(stdout)
    if (missing) throw new RaspiError('boot', `Pi ${hostname} has booted without its NIC ${missing}`)
    await this.machine.running('Its NICs cannot be seen to').quietNics()
  }

  async #writeKnownHosts(keys: string[]) {
    const lines = keys.map((key) => knownHost(this.connection.port, key))
    await writeFile(this.connection.knownHostsFile, lines.join(''), { mode: 0o600 })
  }
}
