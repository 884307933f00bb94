import { createReadStream, createWriteStream } from 'node:fs'
import { constants } from 'node:os'
import { basename, join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type Dockerode from 'dockerode'
import { messageOf, RaspiError } from '../../errors.ts'
import { privateDir } from '../../host/paths.ts'
import { machineFiles } from '../../machine/command-line.ts'
import {
  cardFailure,
  type Place,
  type Priority,
  type QemuExit,
  type QemuProcess,
} from '../../machine/place.ts'
import { throwKnown } from './calls.ts'
import type { DockerClient } from './client.ts'
import type { OwnContainer } from './container.ts'
import { runIn, startIn, streamTo } from './exec.ts'

/** Where things are in our containers. */
export const inside = {
  /** The card of the image, for others to lie on. */
  image: '/raspi/image/card.qcow2',
  /** The machine's card and sockets. */
  pi: '/raspi/pi',
  /** A directory for each frozen Pi, by its id. */
  frozen: '/raspi/frozen',
} as const

/** How much of the processors a machine in the background has while others want them; all others have 1024, docker-run(1). */
const backgroundShares = 64
const fullShares = 1024

/**
 * Starts QEMU as a process whose id is in the file `$1`, because Docker ends a container, but none of its other processes. Each
 * start has a file of its own: what an earlier one left is never taken for it.
 */
const qemuScript = 'pid=$1; shift; echo $$ > "$pid"; exec qemu-system-aarch64 "$@"'

/** Kills the process whose id is in the file `$1`, or is about to be: Docker tells of a start before there is one. */
const killScript =
  'n=0; until [ -s "$1" ] || [ $n = 50 ]; do n=$((n + 1)); sleep 0.1; done; kill -KILL $(cat "$1")'

/** How long an engine may take to tell that a QEMU which was killed has ended, in ms. */
const killMs = 15_000

/**
 * A place in a container. All ways there are by the engine's API, so that an engine elsewhere serves as well, and the
 * container listens on no port.
 */
export class ContainerPlace implements Place {
  readonly dir = inside.pi
  readonly logDir: string
  readonly base = { path: inside.image, format: 'qcow2' } as const
  readonly qemuVersion: string
  readonly cores: number
  readonly consoleFile = '/dev/stdout'
  readonly segments = 'listen'
  readonly container: Dockerode.Container
  readonly #engineName: string
  readonly #end: () => Promise<void>
  /** Aborts when it is given up, and with it what still goes on there. */
  readonly #over = new AbortController()
  readonly #stop: AbortSignal
  #starts = 0

  /** What is done there ends with `signal`, but for QEMU itself. */
  constructor(
    { container, end }: OwnContainer,
    logDir: string,
    qemuVersion: string,
    { name, cores }: Pick<DockerClient, 'name' | 'cores'>,
    signal: AbortSignal,
  ) {
    this.#stop = AbortSignal.any([signal, this.#over.signal])
    this.container = container
    this.#end = end
    this.logDir = privateDir(logDir)
    this.qemuVersion = qemuVersion
    this.#engineName = name
    this.cores = cores
  }

  async qemuImg(args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#run(['qemu-img', ...args])
    if (exitCode !== 0) throw cardFailure(stderr || this.#gone())
  }

  async startQemu(args: readonly string[], priority: Priority): Promise<QemuProcess> {
    if (priority === 'background') await this.container.update({ CpuShares: backgroundShares })
    const pidFile = `${inside.pi}/qemu-${++this.#starts}.pid`
    const qemu = await startIn(this.container, ['sh', '-c', qemuScript, 'sh', pidFile, ...args], {
      signal: this.#stop,
    })
    const console = createWriteStream(join(this.logDir, machineFiles.console), { flags: 'a', mode: 0o600 })
    console.on('error', () => {})
    qemu.stdout.pipe(console)
    const silence = Promise.withResolvers<undefined>()
    return {
      messages: qemu.stderr,
      exited: Promise.race([qemu.exited, silence.promise]).then((code) => this.#exit(code)),
      kill: () => {
        runIn(this.container, ['sh', '-c', killScript, 'sh', pidFile]).catch(() => {})
        // Of an engine that is gone nobody hears of its end.
        qemu.stdin.end()
        // Nor of one that hangs.
        const timer = setTimeout(() => {
          qemu.leave()
          silence.resolve(undefined)
        }, killMs)
        void qemu.exited.then(() => clearTimeout(timer))
      },
      // Nobody reaches a container's processes by Docker's API.
      setTimerSlack: () => {},
      comeForward: () => {
        this.container.update({ CpuShares: fullShares }).catch(() => {})
      },
    }
  }

  async connect(socket: string, signal: AbortSignal): Promise<Duplex> {
    const patience = 'retry=500,interval=0.02'
    const stream = streamTo(startIn(this.container, ['socat', '-', `UNIX-CONNECT:${socket},${patience}`]))
    stream.on('error', () => {})
    if (signal.aborted) stream.destroy()
    signal.throwIfAborted()
    return stream
  }

  dial(port: number): Duplex {
    return streamTo(startIn(this.container, ['socat', '-', `TCP:127.0.0.1:${port},nodelay`]))
  }

  async bring(file: string): Promise<string> {
    const path = `${inside.pi}/${basename(file)}`
    await this.run(['sh', '-c', 'cat > "$1"', 'sh', path], createReadStream(file))
    return path
  }

  async take(from: string, to: string): Promise<void> {
    const gzip = await startIn(this.container, ['gzip', '-1c', from], { signal: this.#stop })
    gzip.stdin.end()
    gzip.stderr.resume()
    const file = createWriteStream(to, { mode: 0o600 })
    await pipeline(gzip.stdout, createGunzip(), file, { signal: this.#stop }).catch((error) => {
      gzip.leave()
      throw new RaspiError('boot', `The Pi's card could not be read in its container: ${messageOf(error)}`)
    })
    await this.remove(from)
  }

  async move(from: string, to: string): Promise<void> {
    await this.run(['mv', from, to])
  }

  async remove(path: string): Promise<void> {
    await this.run(['rm', '-rf', path])
  }

  async makeDir(path: string): Promise<string> {
    await this.run(['mkdir', '-p', path])
    return path
  }

  async end(): Promise<void> {
    this.#over.abort()
    await this.#end()
  }

  /** Runs a command that reads `input`. Throws a `RaspiError` with its words where it fails. */
  async run(command: readonly string[], input?: Readable): Promise<void> {
    const { exitCode, stderr } = await this.#run(command, input)
    if (exitCode === 0) return
    throw new RaspiError('boot', `The Pi's container could not be used: ${stderr.trim() || this.#gone()}`)
  }

  async #run(command: readonly string[], input?: Readable) {
    try {
      return await runIn(this.container, command, input, { signal: this.#stop })
    } catch (error) {
      throwKnown(error, this.#stop)
      throw new RaspiError('boot', `${this.#gone()}: ${messageOf(error)}`, { cause: error })
    }
  }

  #gone() {
    return `The container of the Pi on ${this.#engineName} is gone`
  }

  #exit(code: number | undefined): QemuExit {
    if (code === undefined) return this.#over.signal.aborted ? { signal: 'SIGKILL' } : { why: this.#gone() }
    // A shell's way to tell a signal, which Docker has too.
    const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0]
    return signal ? { signal } : { exitCode: code }
  }
}
