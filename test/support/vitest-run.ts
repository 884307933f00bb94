import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { dieWithParent } from '../../src/host/process.ts'
import { commandLine } from '../../src/host/quote.ts'
import { onDocker, qemuContainersOf } from './engine.ts'
import { descendants, processesOf, type Seen, survivors } from './processes.ts'
import type { Project } from './project.ts'

/** What Vitest sets for its workers and another Vitest must not inherit; what Pis run on is the same for all. */
const ofVitest = /^(VITEST(?!_RASPI_ENGINE$)|TEST|DEV|PROD|SSR|MODE|BASE_URL|NODE_ENV|FORCE_COLOR)(_|$)/
/** What the shell or the CI of whoever runs the tests may have, and the run is not to go by. */
const ofTheShell = /^(ANSIBLE|GITHUB)_|^XDG_RUNTIME_DIR$/

/** How a run has ended. */
export interface RunEnd {
  code: number | null
  signal: NodeJS.Signals | null
  /** All that it has said, on stdout and stderr. */
  output: string
}

/** How a run is started. */
export interface VitestRunOptions {
  /** `vitest --watch` on a terminal of its own, instead of `vitest run`. @default false */
  watch?: boolean
}

/** A `vitest run` of its own, as from a user's shell. */
export class VitestRun {
  readonly #child: ChildProcess
  readonly #marker: string
  readonly #ended: Promise<Omit<RunEnd, 'output'>>
  #output = ''

  constructor(
    { dir, root, tmpDir, cacheDir }: Project,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    { watch = false }: VitestRunOptions = {},
  ) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !ofVitest.test(name) && !ofTheShell.test(name),
    )
    this.#marker = root
    const command = [
      process.execPath,
      ...[join(dir, 'node_modules/vitest/vitest.mjs'), watch ? '--watch' : 'run', ...args],
    ] as const
    // script (of util-linux) gives it a terminal, and passes keys and exit code on. Without one, both streams have one
    // pipe, because what comes through two comes in any order.
    const [file, ...rest] = watch
      ? (['script', '-qefc', commandLine(command[0], command.slice(1)), '/dev/null'] as const)
      : (['sh', '-c', 'exec "$@" 2>&1', 'sh', ...command] as const)
    // A test that is killed ends nothing any more.
    const [program, programArgs] = dieWithParent(file, rest)
    this.#child = spawn(program, programArgs, {
      cwd: dir,
      // A group of its own: what is sent to the test's is not for it.
      detached: true,
      stdio: [watch ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        ...{ TMPDIR: tmpDir, VITEST_RASPI_CACHE: cacheDir, NO_COLOR: '1', ...env },
      },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += stripVTControlCharacters(text)
      })
    }
    this.#ended = new Promise((resolve) =>
      this.#child.once('exit', (code, signal) => resolve({ code, signal })),
    )
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get output(): string {
    return this.#output
  }

  /** Presses keys, in watch mode. */
  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Every living process that it has started. */
  processes(): Seen[] {
    return descendants(this.pid)
  }

  /** Waits until it has said `pattern`. Throws with all that it has said where it ends before or takes longer. */
  async says(pattern: RegExp, timeoutMs: number): Promise<void> {
    await this.until(() => pattern.test(this.#output), `${pattern}`, timeoutMs)
  }

  /** Waits until it has started a process whose command line matches `pattern`. */
  async starts(pattern: RegExp, timeoutMs: number): Promise<Seen> {
    let found: Seen | undefined
    await this.until(
      () => {
        found = this.processes().find(({ command }) => pattern.test(command))
        return found !== undefined
      },
      `a process ${pattern}`,
      timeoutMs,
    )
    return found as Seen
  }

  /** Waits until it has started a QEMU, in a container or not. */
  async startsQemu(timeoutMs: number): Promise<void> {
    if (!onDocker) await this.starts(/qemu-system-aarch64 -machine/, timeoutMs)
    else await this.until(() => qemuContainersOf(this.pid).length > 0, 'a QEMU in a container', timeoutMs)
  }

  /** Waits for `done`, looking every 50 ms. */
  async until(done: () => boolean, what: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!done()) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw this.#failed(`ended before ${what}`)
      if (performance.now() > deadline) throw this.#failed(`came not to ${what} within ${timeoutMs / 1000} s`)
      await delay(50)
    }
  }

  /** Waits for its end. */
  async finished(timeoutMs: number): Promise<RunEnd> {
    const end = await Promise.race([this.#ended, delay(timeoutMs, undefined, { ref: false })])
    if (!end) throw this.#failed(`did not end within ${timeoutMs / 1000} s`)
    // What is in the pipes yet; their other ends may be open in processes that outlived it.
    await delay(50)
    return { ...end, output: this.#output }
  }

  /** Sends `signal` to Vitest's main process only, and gives what still lives of the run `graceMs` later. */
  async interrupt(signal: NodeJS.Signals, graceMs: number): Promise<unknown[]> {
    const started = this.processes()
    this.#child.kill(signal)
    const left = await survivors(started, () => processesOf(this.#marker), graceMs)
    return [...left, ...qemuContainersOf(this.pid)]
  }

  /** Ends it with all it has started. */
  end(): void {
    for (const { pid } of processesOf(this.#marker)) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended in this moment.
      }
    }
  }

  #failed(what: string): Error {
    return new Error(`vitest run ${what}; it said:\n${this.#output}`)
  }
}
