import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { abortsSoon } from '../host/patience.ts'
import { elapsed, type Log, phase } from '../host/progress.ts'
import { commandLine } from '../host/quote.ts'
import { runsDir } from '../host/run-dir.ts'
import { supervise } from '../host/supervise.ts'
import { checkOptions } from '../option-objects.ts'
import { argumentsOf, type PlaybookOptions, playbookSchema } from './arguments.ts'
import { readConfig } from './config.ts'
import { assertNoBmc, needing, programEnvironment, runsElsewhere } from './elsewhere.ts'
import { type CallbackSettings, environmentOf } from './environment.ts'
import { readEvents } from './event-stream.ts'
import type { AnsibleEvent } from './events.ts'
import { exportedTargets, exportInventory, type InventoryFormat } from './export.ts'
import { cancelledError, failureOf, timeoutError } from './failure.ts'
import type { SearchPaths } from './galaxy.ts'
import { type AnsibleTarget, connectionTo, inventoryOf, noConnection } from './inventory.ts'
import { isThisMachine, limitOf, strangers, wasForHere } from './limit.ts'
import { parseWarnings } from './messages.ts'
import { type Acceleration, mitogenEnvironment } from './mitogen.ts'
import { ModuleRun } from './module-run.ts'
import { BoundedOutput } from './output.ts'
import { findPlaybook } from './playbooks.ts'
import {
  aimedAt,
  type ModuleArguments,
  modulePlay,
  type Play,
  type PlayOptions,
  playbookOptions,
  playSchema,
  type RoleOptions,
  rolePlay,
  roleSchema,
  type Task,
  tasksPlay,
} from './plays.ts'
import { Recorder } from './recorder.ts'
import { AnsibleRun, type PlayRun, titleOf } from './run.ts'
import { hideSecrets } from './secrets.ts'
import { StandIn } from './stand-in.ts'
import { TaskActionsAtWork } from './task-actions.ts'
import { groupsOf, isLocal, type UserInventory } from './user-inventory.ts'
import { type VaultOptions, vaultPlaces } from './vault.ts'

/** What {@link Ansible} works with. */
export interface AnsibleContext {
  /** Where ansible.cfg, the roles and the playbooks are. Nothing is written there. */
  projectDir: string
  /** Where Ansible is started, and looks for an ansible.cfg. @default the project's directory */
  cwd?: string | undefined
  /** A private directory that exists, for inventories and what else Ansible needs; whoever made it removes it. */
  runDir: string
  targets: AnsibleTarget[]
  /** How long a playbook may run, in ms. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** What makes tasks faster, without which Ansible works as it does. @default nothing */
  accelerate?: Acceleration | undefined
  /** @default 'ansible-playbook', on the PATH */
  ansiblePlaybook?: string | undefined
  log: Log
  /** A file that gets a line for each file and directory that Ansible reads: its kind, a tab and its path. */
  readsFile?: string | undefined
  /** The user's own inventory, over which the connections to the targets are laid. @default one that is made of the targets */
  inventory?: UserInventory | undefined
  /** Hosts of that inventory whose tasks may run on this machine. */
  localHosts?: readonly string[] | undefined
  /** Further directories of the repository, whose vaults hold what must not be shown. @default none */
  vaultDirs?: readonly string[] | undefined
  /** Options of every run, where a call has none of its own; the environments are put together. */
  defaults?: (VaultOptions & Pick<PlaybookOptions, 'env'>) | undefined
  /** What Ansible's programs have in their environment where no option says otherwise. @default what this process has */
  programEnv?: NodeJS.ProcessEnv | undefined
  /** Where Ansible looks first for roles and collections. */
  paths?: SearchPaths | undefined
  /** Takes each event while the playbook runs. */
  onEvent?: ((event: AnsibleEvent) => void) | undefined
  /** Takes what must not be shown, before any event that could: what the vaults of the repository hold. */
  onSecrets?: ((secrets: readonly string[]) => void) | undefined
}

/** What Ansible is to run: a playbook of the user's, or a play of ours. */
export interface Job {
  /** As people know it: the playbook's path, `role web`. */
  title: string
  options: PlaybookOptions
  /** The play, where there is no playbook. */
  play?: Play
}

/** How long nothing is said of the task at work, at the least, in ms. */
const quietMs = 2_000

/** The callback's descriptor: the first that is neither stdin, stdout nor stderr. */
const eventsFd = 3

/** Runs playbooks against leased Pis. */
export class Ansible {
  readonly #context: AnsibleContext

  /** @internal */
  constructor(context: AnsibleContext) {
    this.#context = context
  }

  /**
   * Runs the playbook at `path` (relative to the project) and tells what it did. Failed tasks are a result. Throws a
   * `RaspiError` where it could not be run to its end: it does not exist or cannot be parsed, a role or Ansible itself
   * is missing, a Pi is unreachable, it took longer than it may, it was stopped.
   */
  async playbook(path: string, options: PlaybookOptions = {}): Promise<AnsibleRun> {
    checkOptions('ansible.playbook()', playbookSchema, options)
    findPlaybook(path, this.#context.projectDir)
    return this.perform({ title: path, options })
  }

  /**
   * Runs a role on all Pis, as a play would that names it: with facts, as root. `name` is one of the roles that the
   * project's playbooks find, or a path (`./roles/web`, `.`). Throws as {@link Ansible.playbook} does.
   * @example await ansible.role('web', { vars: { web_port: 8080 } })
   */
  async role(name: string, options: RoleOptions = {}): Promise<AnsibleRun> {
    checkOptions('ansible.role()', roleSchema, options)
    const play = rolePlay(name, aimedAt(this.#pis, options), this.#context.projectDir)
    return this.perform({ title: `role ${name}`, options: playbookOptions(options), play })
  }

  /**
   * Runs tasks on all Pis, as root and without facts. Templates and files are found as those of a playbook in the
   * project's directory. Throws as {@link Ansible.playbook} does.
   * @example await ansible.tasks([{ 'ansible.builtin.apt': { name: 'nginx' } }])
   */
  async tasks(tasks: readonly Task[], options: PlayOptions = {}): Promise<AnsibleRun> {
    checkOptions('ansible.tasks()', playSchema, options)
    return this.perform({
      title: 'tasks',
      options: playbookOptions(options),
      play: tasksPlay(tasks, aimedAt(this.#pis, options)),
    })
  }

  /**
   * Runs one module on all Pis, as root, and gives what it answered. Throws as {@link Ansible.playbook} does.
   * @example const { result } = await ansible.module('setup', { filter: 'ansible_distribution*' })
   */
  async module(name: string, args: ModuleArguments = {}, options: PlayOptions = {}): Promise<ModuleRun> {
    checkOptions('ansible.module()', playSchema, options)
    const play = modulePlay(name, args, aimedAt(this.#pis, options))
    return new ModuleRun(
      await this.perform({ title: `module ${name}`, options: playbookOptions(options), play }),
    )
  }

  /**
   * The inventory of these Pis as a file of `format`, for other tools: `'ini'`, `'yaml'` and `'json'` are Ansible's,
   * `'bifrost'` is Bifrost's `baremetal.json` of the Pis with a BMC. It holds the BMCs' passwords, and is right for as long
   * as the test has its Pis. Throws a `RaspiError` where Bifrost has nothing to be told.
   * @example await writeFile('baremetal.json', ansible.inventory('bifrost'))
   */
  inventory(format: InventoryFormat): string {
    const { targets, runDir, inventory } = this.#context
    return exportInventory(exportedTargets(targets, runDir, inventory), format)
  }

  /** Runs what the other methods have made out of their arguments. */
  protected async perform(job: Job): Promise<AnsibleRun> {
    const { projectDir, runDir, log, signal } = this.#context
    if (signal?.aborted) throw cancelledError(job.title, signal.reason, new Recorder(projectDir))
    const dir = mkdtempSync(join(runDir, 'play-'))
    const controlDir = runsElsewhere(this.#programEnv) ? shortDirElsewhere() : shortDir(dir)
    const recorder = new Recorder(projectDir)
    const now = () => (recorder.current ? recorder.current.task.name : '')
    try {
      const run = () => this.#run(job, { dir, controlDir, recorder })
      return await phase(log, `ansible-playbook ${job.title}`, run, now)
    } finally {
      for (const made of [dir, controlDir]) rmSync(made, { recursive: true, force: true })
    }
  }

  async #run(
    { title: playbook, play, options: given }: Job,
    { dir, controlDir, recorder }: { dir: string; controlDir: string; recorder: Recorder },
  ): Promise<AnsibleRun> {
    const { projectDir, runDir, timeoutMs, signal, inventory: own, paths } = this.#context
    const { cwd = projectDir, readsFile: reads, vaultDirs = [] } = this.#context
    const { ansiblePlaybook: program = 'ansible-playbook', defaults = {}, localHosts = [] } = this.#context
    const started = performance.now()
    const options = { ...defaults, ...given, env: { ...defaults.env, ...given.env } }
    const env = programEnvironment(this.#programEnv, options.env)
    // A socket of this host leads nowhere from another one.
    const targets = runsElsewhere(env)
      ? this.#context.targets.map(({ controlPath: _, ...target }) => target)
      : this.#context.targets
    const config = await readConfig(program, { cwd, env })
    const overlay = privateFile(dir, 'inventory.yml', inventoryOf(targets, config, controlDir, own))
    const files = {
      inventories: [...(own?.sources ?? []), overlay],
      ...(options.extraVars ? { extraVars: privateFile(dir, 'extra-vars.json', options.extraVars) } : {}),
    }
    const others = strangers(own, targets, localHosts)
    const limit = limitOf(options.limit, [...targets.map(({ name }) => name), ...localHosts], others)
    const standIn = play && new StandIn(projectDir, dir, play)
    const args = argumentsOf(
      standIn?.playbook ?? (cwd === projectDir ? playbook : resolve(projectDir, playbook)),
      { ...options, limit },
      files,
    )
    const connections = Object.fromEntries([
      ...targets.map((target) => [target.name, connectionTo(target, controlDir)] as const),
      ...others
        .filter((host) => !isThisMachine(own, host))
        .map((host) => [host, noConnection(host)] as const),
    ])
    const vaults = vaultPlaces(projectDir, vaultDirs, own?.sources ?? [])
    const settings: CallbackSettings = { connections, vaults, reads }
    const callback = { fd: eventsFd, settings: privateFile(dir, 'callback.json', settings) }
    const timeout = AbortSignal.timeout(timeoutMs)
    const stop = new AbortController()
    const [stdout, stderr] = [new BoundedOutput(), new BoundedOutput()]

    const faster = await mitogenEnvironment(this.#context.accelerate, program, env, config)
    const child = supervise(program, args, {
      cwd,
      env: {
        ...environmentOf(env, config, { dir, runDir, callback, paths }),
        ...faster,
        ...needing(env, {
          ports: targets.map(({ port }) => port),
          files: [runDir, ...(own?.sources ?? []), ...targets.flatMap(filesOf)],
          results: reads === undefined ? [] : [reads],
        }),
      },
      extendEnv: false,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      buffer: false,
      reject: false,
      cancelSignal: AbortSignal.any([timeout, stop.signal, ...(signal ? [signal] : [])]),
    })
    const actions = new TaskActionsAtWork(options.onTask ?? {}, () => stop.abort())
    const listen = this.#listener(playbook, recorder, (event) => {
      if (runsElsewhere(env)) assertNoBmc(event, targets)
      if (event.event === 'no_hosts') this.#tellOfSkipped(playbook, recorder.plays.at(-1), others)
      options.onEvent?.(event)
      actions.hear(event)
    })
    const onEvent = (event: AnsibleEvent) => listen(standIn ? standIn.translate(event) : event)
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
    await actions.done()
    if (result.isCanceled) {
      throw signal?.aborted
        ? cancelledError(playbook, signal.reason, recorder)
        : timeoutError(playbook, timeoutMs, recorder)
    }
    const { exitCode, originalMessage, shortMessage: why = '' } = result
    const shown = (output: BoundedOutput) => hideSecrets(String(output), recorder.secrets)
    const hosts = this.#pis
    const said = standIn ? standIn.inProject(shown(stderr)) : shown(stderr)
    const ours = standIn?.inProject(standIn.playbook)
    const ending = {
      ...{ playbook, projectDir, program, exitCode, why: originalMessage || why },
      ...{ recorder, stderr: said, hosts, standIn: ours },
      leftOutHere: others.filter((host) => isLocal(own, host)),
    }
    const failure = failureOf(ending)
    if (failure) {
      const unreachable = recorder.tasks.some(({ status }) => status === 'unreachable')
      if (unreachable && (await abortsSoon(signal))) throw cancelledError(playbook, signal?.reason, recorder)
      throw failure
    }
    // A check of the syntax, or a listing, begins none.
    if (recorder.stats) actions.assertAllBegan()
    return new AnsibleRun({
      playbook,
      command: commandLine(program, args),
      ansible: recorder.ansible,
      exitCode: exitCode ?? 1,
      durationMs: Math.round(performance.now() - started),
      check: options.check ?? false,
      pis: Object.fromEntries(
        targets.map(({ name, groups = [] }) => [name, own ? groupsOf(own, name) : groups]),
      ),
      plays: recorder.plays,
      tasks: recorder.tasks,
      notified: recorder.notified,
      stats: recorder.stats ?? {},
      ...(recorder.noneChosen && { noneChosen: recorder.noneChosen }),
      ...parseWarnings(ending.stderr),
      stdout: shown(stdout),
      stderr: ending.stderr,
    })
  }

  /** The names of the leased Pis. */
  get #pis(): string[] {
    return this.#context.targets.map(({ name }) => name)
  }

  get #programEnv(): NodeJS.ProcessEnv {
    return this.#context.programEnv ?? process.env
  }

  // A play that reads as if it worked here, and does nothing, would else go by unnoticed.
  #tellOfSkipped(playbook: string, play: PlayRun | undefined, others: readonly string[]): void {
    const { inventory, log } = this.#context
    if (!play || !wasForHere(inventory, play.hosts, others)) return
    log(
      `${playbook}: the play "${play.name}" is skipped: the inventory lists ${play.hosts}, which \`limit\` leaves out. Without that, and with \`allowLocal: true\`, it works on this machine.`,
    )
  }

  // Names a task when it begins, unless the line before is younger than two seconds: small tasks need no line each.
  #listener(
    playbook: string,
    recorder: Recorder,
    onUsersEvent: (event: AnsibleEvent) => void,
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
      onUsersEvent(event)
    }
  }
}

const filesOf = ({ privateKeyFile, knownHostsFile }: AnsibleTarget) => [privateKeyFile, knownHostsFile]

/** Ansible makes it where it runs, and it goes with that. */
const shortDirElsewhere = () => `/tmp/.raspi-${randomUUID().slice(0, 8)}`

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
    return mkdtempSync(join(runsDir(), 'raspi-'))
  mkdirSync(inside, { mode: 0o700 })
  return inside
}
