import { settingsOfAnsible } from '../ansible/elsewhere.ts'
import type { AnsibleContainer } from '../ansible-option.ts'
import type { ControlNode } from '../control-node/control-node.ts'
import type { HostSize } from '../engine/capacity.ts'
import type { Engine } from '../engine/engine.ts'
import { HostEngine } from '../engine/host-engine.ts'
import { privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import {
  ansiblePrograms,
  assertHost,
  assertNeeds,
  type HostTools,
  qemuPrograms,
  requirementsFor,
} from '../host/requirements.ts'
import { type RunDir, sweepDeadRuns } from '../host/run-dir.ts'
import type { ResolvedOptions } from '../options.ts'
import { Sought } from './sought.ts'

/** What it takes to work with the host, or with others in its place. */
export interface LabHostContext {
  options: ResolvedOptions
  cacheDir: string
  /** Where playbooks are. */
  projectDir: string
  runDir: RunDir
  /** For what workers write. */
  workDir(): string
  /** Told of what engines of another kind have for Pis, once they are connected, and anew where one of them is lost. */
  sized(engines: readonly HostSize[]): void
  log: Log
  signal: AbortSignal
}

/** What a lab works with: the host's programs, an engine, an Ansible. */
export class LabHost {
  readonly #context: LabHostContext
  readonly #tools = new Sought<HostTools>()
  readonly #engine = new Sought<Engine>()
  readonly #bmcs = new Sought<unknown>()
  readonly #controlNode = new Sought<ControlNode>()

  constructor(context: LabHostContext) {
    this.#context = context
  }

  /** The engine of the options. Throws a `RaspiError` where the host lacks something, or the engine cannot be reached. */
  engine(): Promise<Engine> {
    return this.#engine.find(() => this.#makeEngine())
  }

  /** Throws a `RaspiError` where the host has not what BMCs need. */
  assertBmcs(): Promise<unknown> {
    return this.#bmcs.find(() => assertNeeds(requirementsFor('bmc')))
  }

  /** The container that Ansible runs in, where the options want it. Throws a `RaspiError` where it cannot be had. */
  async controlNode(): Promise<ControlNode | undefined> {
    const { ansible } = this.#context.options
    if (!ansible) return undefined
    return this.#controlNode.find(() => this.#startControlNode(ansible))
  }

  /** Which Ansible there is, and the environment that its programs are found in. */
  async ansible(): Promise<{ ansibleVersion: string; programEnv: NodeJS.ProcessEnv }> {
    const node = await this.controlNode()
    if (!node) return { ansibleVersion: (await this.#host()).ansibleVersion, programEnv: process.env }
    const programEnv = { ...settingsOfAnsible(process.env), ...node.env }
    return { ansibleVersion: `${node.version} in ${node.imageId.slice(0, 12)}`, programEnv }
  }

  /** Looks anew, when it is wanted next, for what was missing. */
  lookAnew(): void {
    for (const sought of [this.#tools, this.#engine, this.#bmcs, this.#controlNode]) sought.lookAnew()
  }

  /** Ends what it has started. */
  async close(): Promise<void> {
    await this.#controlNode.found?.then((node) => node.close()).catch(() => {})
  }

  async #startControlNode(option: AnsibleContainer): Promise<ControlNode> {
    const { ControlNode } = await import('../control-node/control-node.ts')
    const { projectDir, runDir, workDir, log, signal } = this.#context
    const dirs = { projectDir, runDir: runDir.path, workDir: workDir() }
    return ControlNode.start({ option, ...dirs, log, signal })
  }

  async #makeEngine(): Promise<Engine> {
    const { options, runDir, log, signal, sized } = this.#context
    const { engine } = options
    const tools = await this.#host()
    const cacheDir = privateDir(this.#context.cacheDir)
    if (engine === 'process') return new HostEngine({ ...tools, cacheDir, note: (pid) => runDir.note(pid) })
    // Docker's client is loaded only by those who use it.
    const { connectEngines } = await import('../engine/docker/engines.ts')
    return connectEngines(engine, { cacheDir, log, signal }, sized)
  }

  #host(): Promise<HostTools> {
    return this.#tools.find(() => this.#lookAtHost())
  }

  #lookAtHost(): Promise<HostTools> {
    const { options, cacheDir, log } = this.#context
    const swept = sweepDeadRuns()
    if (swept > 0) log(`Cleared what ${swept} interrupted ${swept === 1 ? 'run' : 'runs'} left behind`)
    const elsewhere = [
      ...(options.engine === 'process' ? [] : qemuPrograms),
      ...(options.ansible ? ansiblePrograms : []),
    ]
    return assertHost(['run'], { cacheDir }, { without: elsewhere })
  }
}
