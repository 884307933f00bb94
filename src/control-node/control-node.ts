import { existsSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Needs } from '../ansible/elsewhere.ts'
import type { AnsibleContainer } from '../ansible-option.ts'
import { SilentEngine } from '../engine/docker/calls.ts'
import { connectDocker, type DockerClient, until } from '../engine/docker/client.ts'
import { type OwnContainer, startContainer } from '../engine/docker/container.ts'
import { type ContainerProcess, startIn } from '../engine/docker/exec.ts'
import { ensureImage } from '../engine/docker/images.ts'
import { sweepContainers } from '../engine/docker/owner.ts'
import { RaspiError } from '../errors.ts'
import { expandHome, privateDir } from '../host/paths.ts'
import { type Log, phase } from '../host/progress.ts'
import { repositoryOf } from '../host/repository.ts'
import { isInside } from '../host/shown-path.ts'
import { CopiedFiles } from './copied-files.ts'
import { openDoor, type Workplace } from './door.ts'
import { type ContainerUser, examine, type Found } from './examine.ts'
import { imageForAnsible } from './image.ts'
import { Relay } from './relay.ts'
import { makeStandIns } from './stand-ins.ts'

/** What a control node is made for. */
export interface ControlNodeContext {
  option: AnsibleContainer
  /** Where ansible.cfg, the roles and the playbooks are. */
  projectDir: string
  /** The run's own directory. */
  runDir: string
  /** What in it is for Ansible: all else there is machines'. */
  workDir: string
  log: Log
  /** Aborts at the end of the run. */
  signal: AbortSignal
}

/** A container as it was found to serve. */
interface Chosen {
  own: OwnContainer
  user: ContainerUser
  found: Found
}

const purpose = { who: 'Ansible', option: 'ansible: { container: …, docker: ADDRESS }' }

/** A directory that every image has, and no mount hides. */
const home = '/tmp/.vitest-raspi-home'

/** What root may do here all the same, though it has no other capability: with files whose owner is somebody else. */
const capabilitiesOfRoot = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER']

const remoteProgram = () => readFileSync(new URL('./remote.py', import.meta.url), 'utf8')

/** Our own directory, of compiled modules or of their sources. */
const ownDir = fileURLToPath(new URL('..', import.meta.url))

/**
 * The machine that Ansible runs on, where that is a container: one for a run, which lives as long as this process. Programs
 * that go by the names of Ansible's stand for those in it.
 */
export class ControlNode implements Workplace {
  /** What Ansible's programs are to have in their environment. */
  readonly env: Record<string, string>
  /** That of its ansible-core: `2.19.4`. */
  readonly version: string
  /** What else decides what a playbook does: which image it is. */
  readonly imageId: string
  readonly #own: OwnContainer
  readonly #exec: { user: string; env: Record<string, string> }
  readonly #relay: Relay
  readonly #files: CopiedFiles
  /** What it has of itself, and what it has to be brought. */
  readonly #mounted: readonly string[]
  readonly #always: readonly string[]
  readonly #program = remoteProgram()
  #door: Server | undefined

  private constructor(
    { own, user, found }: Chosen,
    env: Record<string, string>,
    imageId: string,
    relay: ContainerProcess,
    { roots, runDir, workDir, log }: { roots: readonly string[]; runDir: string; workDir: string; log: Log },
  ) {
    this.#own = own
    this.env = env
    this.version = found.ansible
    this.imageId = imageId
    const as = `${user.uid}:${user.gid}`
    this.#exec = { user: as, env: { HOME: user.home, LANG: 'C.UTF-8' } }
    this.#relay = new Relay(relay)
    this.#files = new CopiedFiles(own.container, as, log)
    this.#mounted = found.shared ? [...roots, ownDir, runDir] : []
    this.#always = found.shared ? [] : [...roots, join(ownDir, 'ansible/callback_plugins'), workDir]
  }

  /** Starts one. Throws a `RaspiError` where there is no engine, no image, or no Ansible in it. */
  static async start(context: ControlNodeContext): Promise<ControlNode> {
    const { option, projectDir, runDir, log, signal } = context
    const client = await connectDocker(option.docker, { signal, purpose })
    await sweepContainers(until(signal, client), log)
    const named = option.container === true ? undefined : option.container
    const image = named ?? imageForAnsible.name
    const imageId = await ensureImage(until(signal, client), named, imageForAnsible, log)
    const roots = rootsOf(projectDir, option.paths)
    const dir = privateDir(runDir, 'control-node')
    const door = join(dir, 'door')
    const env = makeStandIns(join(dir, 'bin'), door)
    const chosen = await phase(log, `Starting Ansible's container of ${image}`, () =>
      choose(client, image, { roots, runDir, dir, log, signal }),
    )
    try {
      const relay = await startIn(chosen.own.container, ['python3', '-c', remoteProgram()], {
        ...{ user: `${chosen.user.uid}:${chosen.user.gid}`, signal },
      })
      const node = new ControlNode(chosen, env, imageId, relay, { ...context, roots })
      node.#door = await openDoor(door, node)
      const files = chosen.found.shared ? 'its own directories' : 'copies of the project'
      log(`Ansible is ${node.version}, in a container of ${image}, with ${files}`)
      return node
    } catch (error) {
      await chosen.own.end()
      throw error
    }
  }

  async bring({ ports, files }: Required<Needs>): Promise<void> {
    const missing = files.filter((path) => !this.#mounted.some((dir) => isInside(path, dir)))
    await Promise.all([
      ...ports.map((port) => this.#relay.listen(port)),
      this.#files.bring([...this.#always, ...missing]),
    ])
  }

  start(): Promise<ContainerProcess> {
    return startIn(this.#own.container, ['python3', '-c', this.#program], this.#exec)
  }

  async take(results: readonly string[]): Promise<void> {
    await this.#files.take(results.filter((path) => !this.#mounted.some((dir) => isInside(path, dir))))
  }

  /** Ends it, and everything in it. */
  async close(): Promise<void> {
    this.#door?.close()
    await this.#own.end()
  }
}

/**
 * A container that has the directories of this host, if its engine is here and lets it; else one that has not. Files that it
 * makes in them are this user's: where the engine gives root there this user's uid, it works as root.
 */
async function choose(
  client: DockerClient,
  image: string,
  {
    roots,
    runDir,
    dir,
    log,
    signal,
  }: { roots: readonly string[]; runDir: string; dir: string; log: Log; signal: AbortSignal },
): Promise<Chosen> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const mine = { uid, gid, home }
  const mounts = [...roots.map((path) => ({ path })), { path: runDir }, { path: ownDir, readOnly: true }]
  const plain = { ...optionsFor(uid), signal }
  const options = { ...plain, mounts }
  // What this user may read may be so by any of his groups. An engine without root may have no such groups.
  const shared = await startContainer(client, image, { ...options, groups: process.getgroups?.() ?? [] })
    .catch(unlessSilent(() => startContainer(client, image, options)))
    .catch(unlessSilent(() => undefined))
  let unreadable: string | undefined
  if (shared) {
    for (const user of uid === 0 ? [mine] : [mine, { uid: 0, gid: 0, home: `${home}-root` }]) {
      const found = await probe(shared, image, user, { roots, dir, uid, signal }).catch(async (error) => {
        await shared.end()
        throw error
      })
      if (found.shared) return { own: shared, user, found }
      unreadable ??= found.unreadable
    }
    await shared.end()
  }
  if (unreadable !== undefined) log(`Ansible's container may not read ${unreadable}, and gets copies instead`)
  const own = await startContainer(client, image, plain)
  try {
    return { own, user: mine, found: await probe(own, image, mine, { roots, dir, uid, signal }) }
  } catch (error) {
    await own.end()
    throw error
  }
}

/** Tries something else where what was tried has failed, but for an engine that hangs: it would hang there as well. */
const unlessSilent =
  <T>(next: () => T) =>
  (error: unknown): T => {
    if (error instanceof SilentEngine) throw error
    return next()
  }

const optionsFor = (uid: number) => ({
  kind: 'ansible' as const,
  capabilities: uid === 0 ? capabilitiesOfRoot : [],
})

/** Whether what the container makes here is here, and this user's, and what is here can be read there. */
async function probe(
  { container }: OwnContainer,
  image: string,
  user: ContainerUser,
  { roots, dir, uid, signal }: { roots: readonly string[]; dir: string; uid: number; signal: AbortSignal },
): Promise<Found> {
  const [token, mark] = [join(dir, 'token'), join(dir, 'mark')]
  writeFileSync(token, image)
  rmSync(mark, { force: true })
  const found = await examine(container, image, user, { token, mark, roots, signal })
  const made = statSync(mark, { throwIfNoEntry: false })
  return { ...found, shared: found.shared && found.unreadable === undefined && made?.uid === uid }
}

/** What Ansible reads: the repository that the project is in, and what the user has named. Throws where that is not there. */
export function rootsOf(projectDir: string, paths: readonly string[]): string[] {
  const named = paths.map((path) => resolve(projectDir, expandHome(path)))
  const missing = named.find((path) => !existsSync(path))
  if (missing !== undefined)
    throw new RaspiError('options', `ansible.paths names ${missing}, which is not there.`)
  // By both names where there is a link: a working directory is told by the other one.
  const all = [...new Set([repositoryOf(projectDir), ...named].flatMap((path) => [path, realpathSync(path)]))]
  return all.filter((path) => !all.some((other) => other !== path && isInside(path, other)))
}
