import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { availableParallelism, platform, setPriority } from 'node:os'
import { join } from 'node:path'
import { getuid } from 'node:process'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { createDebug } from 'obug'
import { privateDir } from '../host/paths.ts'
import { dieWithParent } from '../host/process.ts'
import type { CardBase } from './card.ts'
import { machineFiles } from './command-line.ts'
import { cardFailure, type Place, type Priority, type QemuProcess } from './place.ts'

const debug = createDebug('raspi:machine')

/** QEMU's programs on this host. */
export interface QemuTools {
  qemu: string
  qemuVersion: string
  qemuImg: string
}

/** How nice a machine in the background is, nice(1). */
const backgroundNice = 10

/** A place on this host: a directory, and processes that end with the thread that has started them. */
export class HostPlace implements Place {
  readonly dir: string
  readonly logDir: string
  readonly base: CardBase
  readonly qemuVersion: string
  readonly cores = availableParallelism()
  readonly consoleFile: string
  readonly segments = 'connect'
  readonly #tools: QemuTools
  readonly #note: (pid: number) => void

  /** `note` is told of each process that must not outlive the run. */
  constructor(dir: string, base: CardBase, tools: QemuTools, note: (pid: number) => void) {
    this.dir = privateDir(dir)
    this.logDir = dir
    this.base = base
    this.qemuVersion = tools.qemuVersion
    this.consoleFile = join(dir, machineFiles.console)
    this.#tools = tools
    this.#note = note
  }

  async qemuImg(args: readonly string[]): Promise<void> {
    const { failed, stderr, shortMessage } = await execa(this.#tools.qemuImg, args, { reject: false })
    if (failed) throw cardFailure(stderr || (shortMessage ?? ''))
  }

  async startQemu(args: readonly string[], priority: Priority): Promise<QemuProcess> {
    const command = [this.#tools.qemu, ...args] as const
    const [file, rest] = dieWithParent(
      ...(priority === 'background' ? nicely(command) : ([command[0], command.slice(1)] as const)),
    )
    debug('%s %s', file, rest.join(' '))
    const subprocess = execa(file, rest, {
      ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', buffer: false, reject: false },
      // QEMU keeps temporary files nowhere else.
      env: { TMPDIR: this.dir },
    })
    const { pid } = subprocess.nodeChildProcess
    if (pid !== undefined) this.#note(pid)
    return {
      messages: subprocess.stderr,
      exited: subprocess.then(({ exitCode, signal }) => ({ exitCode, signal })),
      kill: () => subprocess.kill('SIGKILL'),
      comeForward: () => (pid === undefined ? undefined : comeForward(pid)),
      setTimerSlack: (ms) => (pid === undefined ? undefined : setTimerSlack(pid, ms)),
    }
  }

  async connect(path: string, signal: AbortSignal): Promise<Duplex> {
    for (;;) {
      const socket = connect(path)
      try {
        await once(socket, 'connect')
        return socket
      } catch {
        socket.destroy()
      }
      signal.throwIfAborted()
      await delay(5)
    }
  }

  dial(port: number): Duplex {
    return connect({ port, host: '127.0.0.1', noDelay: true })
  }

  async bring(file: string): Promise<string> {
    return file
  }

  async take(file: string, to: string): Promise<void> {
    if (file !== to) await rename(file, to)
  }

  async move(from: string, to: string): Promise<void> {
    await rename(from, to)
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
  }

  async makeDir(path: string): Promise<string> {
    await mkdir(path, { recursive: true, mode: 0o700 })
    return path
  }

  async end(): Promise<void> {
    // Its directory is also that of the logs.
  }
}

/**
 * A command with a low priority, where it can be given back its own later, which only root may do: a test must not run
 * on a Pi that has to wait for everything else.
 */
function nicely(command: readonly [string, ...string[]]): readonly [string, string[]] {
  return platform() === 'linux' && getuid?.() === 0
    ? ['nice', ['-n', String(backgroundNice), ...command]]
    : [command[0], command.slice(1)]
}

function comeForward(pid: number): void {
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, 0)
    } catch {
      // The thread has ended in this moment.
    }
  }
}

/** Of the main thread, which has QEMU's timers. proc_timerslack_ns(5): 0 is the default, and for another's process one must be root. */
function setTimerSlack(pid: number, ms: number): void {
  try {
    writeFileSync(`/proc/${pid}/timerslack_ns`, String(ms * 1_000_000))
  } catch {
    // Then they are as exact as before.
  }
}

/** The ids of a process's threads: each has a priority of its own, setpriority(2). */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}
