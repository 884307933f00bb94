import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createDebug } from 'obug'
import { RaspiError } from '../errors.ts'
import { commandLine } from '../host/quote.ts'
import { cardDevice, type MachineSpec, machineFiles, qemuArguments } from './command-line.ts'
import { ConsoleLog } from './console-log.ts'
import { MachineLog, noise } from './machine-log.ts'
import { type Nics, nicParts, segmentSocket } from './nics.ts'
import type { Place, Priority, QemuExit, QemuProcess } from './place.ts'
import { Qmp, type QmpEvent } from './qmp.ts'
import { quietNic } from './quiet-nic.ts'
import { Stillness } from './stillness.ts'

const debug = createDebug('raspi:machine')

/** How a machine ended: by its guest, by us, or by itself. */
export type MachineEnd = 'reboot' | 'poweroff' | 'ended' | 'crashed'

/** One QEMU process with its card, its console and its control socket. */
export class Machine extends EventEmitter<{ end: [MachineEnd] }> {
  readonly spec: MachineSpec
  readonly place: Place
  readonly qmp: Qmp
  readonly console: ConsoleLog
  /** From which byte on the console is this machine's: before it is what machines at the same place wrote. */
  readonly consoleStart: number
  /** QEMU's own messages, the last 16 KiB of them. */
  readonly messages: () => string
  /** Why it has ended where it was not meant to, in words: `QEMU was killed by SIGSEGV`. Empty as long as it runs. */
  readonly fate: () => string
  /** Settles once the process has ended. Never rejects. */
  readonly ended: Promise<MachineEnd>
  readonly #process: QemuProcess
  readonly #stillness: Stillness
  #endedByUs = false
  #hasEnded = false

  private constructor(
    spec: MachineSpec,
    place: Place,
    qmp: Qmp,
    { process, messages, fate, exited, consoleStart }: Started,
  ) {
    super()
    this.spec = spec
    this.place = place
    this.qmp = qmp
    this.#process = process
    this.#stillness = new Stillness({ stop: () => qmp.execute('stop'), go: () => qmp.execute('cont') })
    this.messages = messages
    this.fate = fate
    this.consoleStart = consoleStart
    this.console = new ConsoleLog(join(place.logDir, machineFiles.console))
    let guestEnd: MachineEnd | undefined
    qmp.on('event', (event) => {
      guestEnd = endByGuest(event) ?? guestEnd
    })
    this.ended = exited.then(() => {
      this.#hasEnded = true
      const end = guestEnd ?? (this.#endedByUs ? 'ended' : 'crashed')
      debug('%s: %s', place.dir, end)
      this.emit('end', end)
      return end
    })
  }

  /**
   * Starts QEMU at `place` and gives the machine once its control socket answers; it runs then, or waits for an incoming
   * state. Throws a `RaspiError` with QEMU's own words where it does not start.
   */
  static async start(
    spec: MachineSpec,
    place: Place,
    {
      priority = 'normal',
      signal,
    }: { priority?: Priority | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Machine> {
    signal?.throwIfAborted()
    // The console of a Pi that was started again goes on in the same file.
    const consoleStart = await new ConsoleLog(join(place.logDir, machineFiles.console)).size()
    const args = qemuArguments({ ...spec, boot: await brought(spec.boot, place) }, place)
    const log = new MachineLog(join(place.logDir, machineFiles.log))
    log.note('starts', commandLine('qemu-system-aarch64', args))
    const process = await place.startQemu(args, priority)
    const messages = keepMessages(process.messages, log, (why) => fail(why))
    const failed = new AbortController()
    let fate = ''
    const exited = process.exited.then((exit) => {
      fate ||= fateOf(exit, messages())
      failed.abort(new RaspiError('boot', `QEMU ended as soon as it was started: ${messages() || fate}`))
    })
    /** Nothing good can come of it any more, so it ends now; `why` is what people are told. */
    const fail = (why: string) => {
      fate ||= why
      process.kill()
    }
    const stop = signal ? AbortSignal.any([failed.signal, signal]) : failed.signal
    try {
      const qmp = await Qmp.connect(place, join(place.dir, machineFiles.qmp), { signal: stop })
      const started = { process, messages, fate: () => fate, exited, consoleStart }
      const machine = new Machine(spec, place, qmp, started)
      qmp.on('event', (event) => {
        const error = stoppedBy(event)
        if (error) fail(unusableCard(error))
      })
      machine.once('end', (end) => log.note('ended', end === 'crashed' ? fate : end))
      void machine.console
        .waitFor({ panic: hopeless }, failed.signal, { offset: consoleStart, everyMs: 500 })
        .then(
          () => fail('its kernel panicked'),
          () => {},
        )
      await machine.#joinSegments(spec.nics)
      return machine
    } catch (error) {
      process.kill()
      await exited
      throw stop.aborted ? stop.reason : error
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Plugs NICs in, as into a running Pi. */
  async plugNics(nics: Nics): Promise<void> {
    const { netdevs, devices } = nicParts(this.spec.board, nics, this.place)
    for (const netdev of netdevs) await this.qmp.execute('netdev_add', netdev)
    await this.#joinSegments(nics)
    for (const device of devices) await this.qmp.execute('device_add', device)
  }

  /**
   * Spares a guest what QEMU's NICs cost it while nothing comes, see {@link quietNic}. Not before all its NICs are up: a
   * hub tells of its ports, one after another, by transfers of the same kind.
   */
  async quietNics(): Promise<void> {
    if (this.spec.board.parts !== 'raspi') return
    const isQuiet = await quietNic(this)
    debug('%s: NIC %s', this.place.dir, isQuiet ? 'quiet' : 'not quiet')
  }

  /** The port of the place's loopback that leads to the guest's ssh. */
  async sshPort(): Promise<number> {
    const table = await this.qmp.monitor('info usernet')
    const port = /HOST_FORWARD\S*\s+\S+\s+127\.0\.0\.1\s+(\d+)/.exec(table)?.[1]
    if (!port) throw new RaspiError('boot', `QEMU forwards no port to the Pi's ssh: ${table}`)
    return Number(port)
  }

  /** Whether the guest has been paused, and does not go on yet. */
  get isPaused(): boolean {
    return this.#stillness.isPaused
  }

  /** Pauses the guest; a paused Pi costs no processor time. */
  async pause(): Promise<void> {
    await this.#stillness.pause()
  }

  /** Lets a paused guest go on. */
  async resume(): Promise<void> {
    await this.#stillness.resume()
  }

  /** Lets `look` have the guest at a standstill. One that is paused already, or is meanwhile, stays so. */
  whileStill<T>(look: () => Promise<T>): Promise<T> {
    return this.#stillness.during(look)
  }

  /** Lets the card do no more in a second than this; without a limit as much as it can. */
  async limitCard({
    bytesPerSecond = 0,
    operationsPerSecond = 0,
  }: {
    bytesPerSecond?: number
    operationsPerSecond?: number
  }): Promise<void> {
    // https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html, block_set_io_throttle: 0 is no limit, and all are given.
    await this.qmp.execute('block_set_io_throttle', {
      device: cardDevice[this.spec.board.parts],
      ...{ bps: Math.round(bytesPerSecond), bps_rd: 0, bps_wr: 0 },
      ...{ iops: Math.round(operationsPerSecond), iops_rd: 0, iops_wr: 0 },
    })
  }

  /** Lets a machine that was started in the background have its full share of the processors from now on. */
  comeForward(): void {
    this.#process.comeForward()
  }

  /** Lets its timers be so many ms late, or exact by 0, where the place can do that. */
  setTimerSlack(ms: number): void {
    this.#process.setTimerSlack(ms)
  }

  /**
   * Ends QEMU, as if the Pi's plug were pulled: at once, nothing of the guest's is written any more. What it has written
   * is in the card's file afterwards, unless QEMU takes longer than `patienceMs` for that (default 1500) and is killed.
   */
  async end({ patienceMs = 1_500 } = {}): Promise<void> {
    this.#endedByUs = true
    if (this.#hasEnded) return
    this.qmp.execute('quit', {}, { timeoutMs: patienceMs }).catch(() => {})
    const quit = await Promise.race([this.ended, delay(patienceMs, 'alive', { ref: false })])
    if (quit === 'alive') this.kill()
    await this.ended
  }

  /** Kills QEMU without waiting: all that is left to do when this process ends. */
  kill(): void {
    this.#endedByUs = true
    if (!this.#hasEnded) this.#process.kill()
  }

  /** Joins the sockets of its NICs to their segments, where QEMU cannot do so itself. */
  async #joinSegments(nics: Nics | undefined): Promise<void> {
    if (this.place.segments === 'connect') return
    for (const [index, { socket }] of (nics?.segments ?? []).entries()) {
      const [ours, theirs] = [
        await this.place.connect(segmentSocket(this.place, index), AbortSignal.timeout(10_000)),
        connect(socket),
      ]
      for (const end of [ours, theirs]) end.on('error', () => {})
      ours.pipe(theirs).pipe(ours)
      ours.once('close', () => theirs.destroy())
      theirs.once('close', () => ours.destroy())
    }
  }
}

/** What the boot ROM has read, as files of `place`. */
async function brought(boot: MachineSpec['boot'], place: Place): Promise<MachineSpec['boot']> {
  if (!boot) return undefined
  const [kernel, initramfs, deviceTree] = await Promise.all(
    [boot.kernel, boot.initramfs, boot.deviceTree].map(async (file) => file && place.bring(file)),
  )
  return { ...boot, kernel: kernel ?? '', initramfs, deviceTree }
}

/** What a machine knows of its process. */
interface Started {
  process: QemuProcess
  messages: () => string
  fate: () => string
  exited: Promise<unknown>
  consoleStart: number
}

/**
 * What a kernel that has panicked says when it is going to stand still for ever; one that is told to reboot then
 * (`kernel.panic`) does not say it. https://docs.kernel.org/admin-guide/sysctl/kernel.html#panic
 */
const hopeless = /end Kernel panic - not syncing/

/** What the usual deaths of a QEMU mean. */
const signalMeanings: Partial<Record<string, string>> = {
  SIGKILL: ', as the kernel does when memory runs out',
  SIGBUS: ", which means that the file of its memory could not grow: the cache's disk is full",
}

function fateOf({ exitCode, signal, why }: QemuExit, messages: string): string {
  if (why) return why
  const how = signal
    ? `was killed by ${signal}${signalMeanings[signal] ?? ''}`
    : `ended with exit code ${exitCode}`
  return [`QEMU ${how}`, messages].filter(Boolean).join(': ')
}

function endByGuest({ name, data }: QmpEvent): MachineEnd | undefined {
  if (name !== 'SHUTDOWN' || data.guest !== true) return undefined
  return data.reason === 'guest-reset' ? 'reboot' : 'poweroff'
}

/**
 * Why QEMU has stopped the guest for good: the write to its card that a virtio device could not do on a full disk is to be tried
 * again once somebody has made room. https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html, BLOCK_IO_ERROR
 */
function stoppedBy({ name, data }: QmpEvent): string | undefined {
  return name === 'BLOCK_IO_ERROR' && data.action === 'stop' ? String(data.reason) : undefined
}

const unusableCard = (error: string) =>
  `its card's file could not be used, is its disk full? QEMU says: ${error}`

/**
 * Keeps the end of what QEMU says, without its noise, and lets `log` hear it. The card's errors QEMU only mentions there, and lets the guest
 * go on with wrong data (hw/sd/sd.c), so they are told to `onFailure`.
 */
function keepMessages(
  stream: NodeJS.ReadableStream,
  log: MachineLog,
  onFailure: (why: string) => void,
): () => string {
  let kept = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    log.hear(chunk)
    kept = `${kept}${chunk}`.replace(noise, '').slice(-16_384)
    const [error] = /sd_blk_\w+: .* on host side/.exec(kept) ?? []
    if (error) onFailure(unusableCard(error))
  })
  stream.on('error', () => {})
  return () => kept.trim()
}
