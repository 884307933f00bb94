import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { abortsSoon } from '../host/patience.ts'
import { elapsed, type Log, phase } from '../host/progress.ts'
import { commandLine } from '../host/quote.ts'
import { supervise } from '../host/supervise.ts'
import { argumentsOf, type PlaybookOptions } from './arguments.ts'
import { readConfig } from './config.ts'
import { environmentOf } from './environment.ts'
import { readEvents } from './event-stream.ts'
import type { AnsibleEvent } from './events.ts'
import { cancelledError, failureOf, timeoutError } from './failure.ts'
import { type AnsibleTarget, connectionVars, inventoryOf } from './inventory.ts'
import { parseWarnings } from './messages.ts'
import { mitogenEnvironment } from './mitogen.ts'
import { BoundedOutput } from './output.ts'
import { findPlaybook } from './playbooks.ts'
import { Recorder } from './recorder.ts'
import { AnsibleRun, titleOf } from './run.ts'
import { hideSecrets } from './secrets.ts'

/** What {@link Ansible} works with. */
export interface AnsibleContext {
  /** Where ansible.cfg, the roles and the playbooks are. Nothing is written there. */
  projectDir: string
  /** A private directory that exists, for inventories and what else Ansible needs; whoever made it removes it. */
  runDir: string
  targets: AnsibleTarget[]
  /** How long a playbook may run, in ms. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** What makes tasks faster, without which Ansible works as it does. @default nothing */
  accelerate?: 'mitogen' | undefined
  /** @default 'ansible-playbook', on the PATH */
  ansiblePlaybook?: string | undefined
  log: Log
  /** A file that gets a line for each file (`f`) and directory (`d`) that Ansible reads, with its path after a tab. */
  readsFile?: string | undefined
  /** Takes each event while the playbook runs. */
  onEvent?: ((event: AnsibleEvent) => void) | undefined
  /** Takes what must not be shown, before any event that could: what the vaults of the repository hold. */
  onSecrets?: ((secrets: readonly string[]) => void) | undefined
}

/** How long nothing is said of the task at work, at the least, in ms. */
const quietMs = 2_000

/** The callback's descriptor: the first that is neither stdin, stdout nor stderr. */
const eventsFd = 3

/** Runs playbooks against leased Pis. */
export class Ansible {
  readonly #context: AnsibleContext

  constructor(context: AnsibleContext) {
    this.#context = context
  }

  /**
   * Runs the playbook at `path` (relative to the project) and tells what it did. Failed tasks are a result. Throws a
   * `RaspiError` where it could not be run to its end: it does not exist or cannot be parsed, a role or Ansible itself
   * is missing, a Pi is unreachable, it took longer than it may, it was stopped.
   */
  async playbook(path: string, options: PlaybookOptions = {}): Promise<AnsibleRun> {
    const { projectDir, runDir, log, signal } = this.#context
    findPlaybook(path, projectDir)
    if (signal?.aborted) throw cancelledError(path, signal.reason, new Recorder(projectDir))
    const dir = mkdtempSync(join(runDir, 'play-'))
    const controlDir = shortDir(dir)
    const recorder = new Recorder(projectDir)
    const now = () => (recorder.current ? recorder.current.task.name : '')
    try {
      return await phase(
        log,
        `ansible-playbook ${path}`,
        () => this.#run(path, options, { dir, controlDir, recorder }),
        now,
      )
    } finally {
      for (const made of [dir, controlDir]) rmSync(made, { recursive: true, force: true })
    }
  }

  async #run(
    playbook: string,
    options: PlaybookOptions,
    { dir, controlDir, recorder }: { dir: string; controlDir: string; recorder: Recorder },
  ): Promise<AnsibleRun> {
    const {
      projectDir,
      runDir,
      targets,
      timeoutMs,
      signal,
      ansiblePlaybook: program = 'ansible-playbook',
      readsFile: reads,
    } = this.#context
    const started = performance.now()
    const env = { ...process.env, ...options.env }
    const config = await readConfig(program, { cwd: projectDir, env })
    const inventory = privateFile(dir, 'inventory.yml', inventoryOf(targets, config, controlDir))
    const files = options.extraVars
      ? { inventory, extraVars: privateFile(dir, 'extra-vars.json', options.extraVars) }
      : { inventory }
    const args = argumentsOf(playbook, options, files)
    const connections = Object.fromEntries(
      targets.map((target) => [target.name, connectionVars(target, controlDir)]),
    )
    const timeout = AbortSignal.timeout(timeoutMs)
    const stop = new AbortController()
    const [stdout, stderr] = [new BoundedOutput(), new BoundedOutput()]

    const faster = this.#context.accelerate ? await mitogenEnvironment(program, env, config) : {}
    const child = supervise(program, args, {
      cwd: projectDir,
      env: {
        ...environmentOf(env, config, { dir, runDir, callback: { fd: eventsFd, connections, reads } }),
        ...faster,
      },
      extendEnv: false,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      buffer: false,
      reject: false,
      cancelSignal: AbortSignal.any([timeout, stop.signal, ...(signal ? [signal] : [])]),
    })
    const onEvent = this.#listener(playbook, recorder, options.onEvent)
    const [result] = await Promise.all([
      child,
      stdout.collect(child.stdout as Readable),
      stderr.collect(child.stderr as Readable),
      readEvents(child.stdio[eventsFd] as Readable, onEvent),
    ]).catch(async (error) => {
      stop.abort()
      await child
      throw error
    })
    if (result.isCanceled) {
      throw signal?.aborted
        ? cancelledError(playbook, signal.reason, recorder)
        : timeoutError(playbook, timeoutMs, recorder)
    }
    const { exitCode } = result
    const shown = (output: BoundedOutput) => hideSecrets(String(output), recorder.secrets)
    const hosts = targets.map(({ name }) => name)
    const ending = { playbook, projectDir, program, exitCode, recorder, stderr: shown(stderr), hosts }
    const failure = failureOf(ending)
    if (failure) {
      const unreachable = recorder.tasks.some(({ status }) => status === 'unreachable')
      if (unreachable && (await abortsSoon(signal))) throw cancelledError(playbook, signal?.reason, recorder)
      throw failure
    }
    return new AnsibleRun({
      playbook,
      command: commandLine(program, args),
      ansible: recorder.ansible,
      exitCode: exitCode ?? 1,
      durationMs: Math.round(performance.now() - started),
      check: options.check ?? false,
      plays: recorder.plays,
      tasks: recorder.tasks,
      notified: recorder.notified,
      stats: recorder.stats ?? {},
      ...parseWarnings(ending.stderr),
      stdout: shown(stdout),
      stderr: ending.stderr,
    })
  }

  // Names a task when it begins, unless the line before is younger than two seconds: small tasks need no line each.
  #listener(
    playbook: string,
    recorder: Recorder,
    onUsersEvent: PlaybookOptions['onEvent'],
  ): (event: AnsibleEvent) => void {
    const { log, onEvent, onSecrets } = this.#context
    const started = performance.now()
    let said = started
    return (event) => {
      recorder.add(event)
      if (event.event === 'secrets') return onSecrets?.(event.values)
      if (event.event === 'task' && performance.now() - said >= quietMs) {
        said = performance.now()
        const { name, handler, role } = event
        log(
          `${playbook}: ${titleOf({ name, handler, ...(role === null ? {} : { role }) })} … ${elapsed(started)}`,
        )
      }
      onEvent?.(event)
      onUsersEvent?.(event)
    }
  }
}

function privateFile(dir: string, name: string, content: object): string {
  const file = join(dir, name)
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 })
  return file
}

// A unix socket's path has room for 103 bytes on macOS (107 on Linux), and ssh puts 28 behind the directory while it
// makes one: "/", Ansible's 10 digits, "." and 16 random characters.
// https://github.com/openssh/openssh-portable/blob/V_9_2_P1/mux.c (muxserver_listen)
function shortDir(dir: string): string {
  const longest = 103 - 28
  const inside = join(dir, 'cp')
  if (Buffer.byteLength(inside) > longest || inside.includes('%'))
    return mkdtempSync(join(tmpdir(), 'raspi-'))
  mkdirSync(inside, { mode: 0o700 })
  return inside
}
