import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { messageOf, RaspiError } from '../../errors.ts'
import type { Booted } from '../../freeze/freeze.ts'
import { type FrozenPi, frozenFiles, frozenIn } from '../../freeze/store.ts'
import { exclusively } from '../../host/lock.ts'
import { privateDir } from '../../host/paths.ts'
import { type Log, phase } from '../../host/progress.ts'
import type { Image } from '../../image/image.ts'
import { type ClientKey, clientKey } from '../../image/keys.ts'
import type { ImageOption } from '../../image-option.ts'
import type { Board } from '../../machine/boards.ts'
import { makeCard } from '../../machine/card.ts'
import type { Place } from '../../machine/place.ts'
import type { Engine, FrozenPlan, PiSource, Workshop } from '../engine.ts'
import { connectDocker, type DockerClient } from './client.ts'
import { ContainerPlace, inside, type OwnContainer } from './container-place.ts'
import { runIn } from './exec.ts'
import { type FrozenLabel, frozenLabel, readLabel } from './frozen-label.ts'
import { commit, copyCardInto, ensureQemuImage, imageId, pullImage, pushImage, split } from './images.ts'
import { ownerLabels, sweepContainers } from './owner.ts'

/** Which engine it is to be, and what it takes to use it. */
export interface DockerEngineContext {
  /** An address or a context of Docker's. @default that of Docker's own programs */
  address?: string | undefined
  /** The container image that Pis run in. @default one that is built */
  image?: string | undefined
  /** A container image with a frozen Pi, which is pulled where the engine has it not. @default none */
  frozen?: string | undefined
  /** For locks, and the key that Pis accept. */
  cacheDir: string
  log: Log
  signal: AbortSignal
}

/** How long an engine may take to answer whether it is still there, in ms. */
const answerMs = 5_000

/**
 * A Docker engine: each Pi runs in a container of its own, and frozen Pis are container images, so that all containers
 * share what they have of them. A container ends when the connection of this process to it does, however that happens.
 */
export class DockerEngine implements Engine {
  readonly qemuVersion: string
  readonly #client: DockerClient
  readonly #context: DockerEngineContext
  /** The id of the container image that Pis run in. */
  readonly qemuImage: string
  /** The container images with an image's card, by its id. */
  readonly #cards = new Map<string, Promise<string>>()
  readonly #said = new Set<string>()

  private constructor(
    client: DockerClient,
    context: DockerEngineContext,
    qemuImage: string,
    qemuVersion: string,
  ) {
    this.#client = client
    this.#context = context
    this.qemuImage = qemuImage
    this.qemuVersion = qemuVersion
  }

  /**
   * Connects to an engine and makes sure that Pis can run there. Throws a `RaspiError` where no engine answers, or it has
   * no container image for Pis and can get none.
   */
  static async connect(context: DockerEngineContext): Promise<DockerEngine> {
    const client = await connectDocker(context.address)
    const swept = await sweepContainers(client.docker)
    if (swept > 0) context.log(`Removed ${swept} containers that interrupted runs left on ${client.name}`)
    const qemuImage = await ensureQemuImage(client, context.image, context.log)
    const { container, end } = await startContainer(client, qemuImage)
    try {
      return new DockerEngine(client, context, qemuImage, await versionIn(container, client.name))
    } finally {
      await end()
    }
  }

  /** What there is room for. An engine does not tell what is free of its memory. */
  get capacity(): { free: number; cores: number } {
    return { free: this.#client.memory, cores: this.#client.cores }
  }

  /** What people call it. */
  get name(): string {
    return this.#client.name
  }

  async given(option: ImageOption, board: Board): Promise<PiSource | undefined> {
    const { frozen: name } = this.#context
    if (!name) return undefined
    const { docker, name: engine } = this.#client
    const label = (await readLabel(docker, name)) ?? (await this.#pullFrozen(name))
    if (typeof label !== 'object') {
      throw new RaspiError(
        'options',
        `The container image ${name} holds no frozen Pi: ${label ?? 'it tells of none'}.`,
        {
          hint: `\`npx vitest-raspi freeze --to ${name}\` makes one.`,
        },
      )
    }
    const wanted = typeof option === 'string' ? option : undefined
    if (label.image.name !== wanted || label.board !== board.id) {
      const has = `${label.image.name} on ${label.board}`
      this.#say(`${name} has a frozen Pi of ${has}: others are made on ${engine}`)
      return undefined
    }
    const image = { ...label.image, path: '', privateKeyFile: (await this.#key()).privateKeyFile }
    this.#say(`Pis start from ${name}`)
    return { image, board, frozen: await this.#frozenOf(label, name, image, board) }
  }

  /** Has the container image of `frozen` go by the name `to` as well, for a registry, and pushes it there if asked to. */
  async publish({ container = '' }: FrozenPi, to: string, push: boolean): Promise<void> {
    const { docker } = this.#client
    const [repo, tag] = split(to)
    await docker.getImage(container).tag({ repo, tag })
    if (push) await phase(this.#context.log, `Pushing ${to}`, () => pushImage(docker, to))
  }

  async open({ image, frozen }: PiSource, dir: string): Promise<Place> {
    return this.#placeIn(frozen?.container ?? (await this.#cardImage(image)), dir)
  }

  async find(
    id: string,
    image: Image,
    board: Board,
    parent?: string,
  ): Promise<FrozenPi | string | undefined> {
    const name = this.#frozenImage(id)
    const label = await readLabel(this.#client.docker, name)
    if (typeof label !== 'object') return label
    if (label.manifest.id !== id || label.manifest.parent !== parent)
      return `the container image ${name} has another one`
    return this.#frozenOf(label, name, image, board)
  }

  async workshop({ about, image, board, of }: FrozenPlan, machineDir: string): Promise<Workshop> {
    const place = of
      ? (of.place as ContainerPlace)
      : await this.#placeIn(await this.#cardImage(image), machineDir)
    // The Pi that a layer is made of is its lab's.
    const close = async () => (of ? undefined : place.end())
    const dir = frozenDirOf(about.id)
    const name = this.#frozenImage(about.id)
    const trial = `${name}-trial`
    const { docker } = this.#client
    const card = `${dir}/${frozenFiles.card}`
    try {
      await place.makeDir(dir)
      if (of) await place.move(of.card, card)
      else await makeCard(place, place.base, card)
    } catch (error) {
      await close()
      throw error
    }
    return {
      ...{ place, dir },
      seal: async (booted: Booted) => {
        const manifest = { ...about, ...booted }
        await place.run(['sh', '-c', `rm -rf ${inside.pi} && mkdir -p ${inside.pi}`])
        const { publicKey } = await this.#key()
        await commit(place.container, trial, frozenLabel({ manifest, image, board, publicKey }))
        return { ...frozenIn(dir, manifest, image, board), container: trial }
      },
      keep: async (frozen) => {
        const [repo, tag] = split(name)
        await docker.getImage(trial).tag({ repo, tag })
        return { ...frozen, container: name }
      },
      close: async () => {
        await close()
        // Only its name goes where it is kept.
        await docker
          .getImage(trial)
          .remove()
          .catch(() => {})
      },
    }
  }

  async others(): Promise<string[]> {
    return []
  }

  /** Whether a place is one of this engine. */
  has(place: Place): boolean {
    return place instanceof ContainerPlace && place.container.modem === this.#client.docker.modem
  }

  /** Whether it still answers. Never rejects. */
  async answers(): Promise<boolean> {
    const late = delay(answerMs, false, { ref: false })
    return Promise.race([this.#client.docker.ping().then(() => true), late]).catch(() => false)
  }

  /** Whether it has a container image. */
  async hasImage(name: string): Promise<boolean> {
    return (await imageId(this.#client.docker, name)) !== undefined
  }

  /** Copies a container image from another engine. */
  async copyImage(name: string, from: DockerEngine): Promise<void> {
    await phase(this.#context.log, `Copying ${name} from ${from.name} to ${this.name}, once`, async () => {
      const layers = await from.#client.docker.getImage(name).get()
      const answer = await this.#client.docker.loadImage(layers)
      answer.resume()
      await once(answer, 'end')
    })
  }

  async #placeIn(image: string, dir: string): Promise<ContainerPlace> {
    const started = await startContainer(this.#client, image)
    return new ContainerPlace(started, dir, this.qemuVersion, this.#client.name)
  }

  /** The container image with the card of `image`, made where the engine has none. */
  #cardImage(image: Image): Promise<string> {
    const known = this.#cards.get(image.id) ?? this.#makeCardImage(image)
    this.#cards.set(image.id, known)
    known.catch(() => this.#cards.delete(image.id))
    return known
  }

  async #makeCardImage(image: Image): Promise<string> {
    const { cacheDir, log, signal } = this.#context
    const { docker, name: engine } = this.#client
    const name = `vitest-raspi/card:${image.id.slice(0, 24)}-${this.qemuImage.slice(0, 12)}`
    if (await imageId(docker, name)) return name
    const lock = { log, signal, waitingFor: `Card of ${image.name} for ${engine}` }
    return exclusively(`${cacheDir}/engines`, lock, async () => {
      if (await imageId(docker, name)) return name
      const place = await this.#placeIn(this.qemuImage, `${cacheDir}/tmp`)
      try {
        await phase(log, `Copying ${image.name} to ${engine}, once`, async () => {
          await copyCardInto(place, image)
          await commit(place.container, name, {})
        })
        return name
      } catch (error) {
        if (error instanceof RaspiError) throw error
        throw new RaspiError('host', `${image.name} could not be copied to ${engine}: ${messageOf(error)}`, {
          cause: error,
        })
      } finally {
        await place.end()
      }
    })
  }

  async #frozenOf(label: FrozenLabel, name: string, image: Image, board: Board): Promise<FrozenPi> {
    const { publicKey } = await this.#key()
    const newKey = label.publicKey === publicKey ? undefined : publicKey
    return {
      ...frozenIn(frozenDirOf(label.manifest.id), label.manifest, image, board),
      container: name,
      newKey,
    }
  }

  async #pullFrozen(name: string): Promise<FrozenLabel | string | undefined> {
    const { docker, name: engine } = this.#client
    try {
      await phase(this.#context.log, `Pulling ${name}`, () => pullImage(docker, name))
    } catch (error) {
      throw new RaspiError(
        'host',
        `The frozen Pi ${name} cannot be pulled to ${engine}: ${messageOf(error)}`,
        {
          hint: 'Is its name right, and can the engine reach its registry?',
          cause: error,
        },
      )
    }
    return readLabel(docker, name)
  }

  #key(): Promise<ClientKey> {
    return clientKey(privateDir(this.#context.cacheDir))
  }

  /** Says a thing once. */
  #say(line: string) {
    if (this.#said.has(line)) return
    this.#said.add(line)
    this.#context.log(line)
  }

  #frozenImage(id: string): string {
    return `vitest-raspi/frozen:${id.slice(0, 32)}-${this.qemuImage.slice(0, 12)}`
  }
}

const frozenDirOf = (id: string) => `${inside.frozen}/${id.slice(0, 32)}`

/**
 * Starts a container that does nothing until its input ends. That is the connection held here: where this process ends, the
 * engine sees it end, and removes the container.
 */
async function startContainer({ docker, name }: DockerClient, image: string): Promise<OwnContainer> {
  try {
    const container = await docker.createContainer({
      ...{ Image: image, Cmd: ['cat'], Labels: ownerLabels() },
      ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: false, AttachStderr: false },
      HostConfig: { AutoRemove: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
    })
    const lifeline = await container.attach({ stream: true, stdin: true, hijack: true })
    lifeline.on('error', () => {})
    // Only who is read from is seen to end.
    lifeline.resume()
    await container.start()
    const end = async () => {
      await container.remove({ force: true, v: true }).catch(() => {})
      lifeline.end()
    }
    return { container, end }
  } catch (error) {
    throw new RaspiError('boot', `${name} could not start a container of ${image}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** What Pis need in their container beside QEMU. */
const programs = ['qemu-img', 'socat', 'tar', 'gzip']

async function versionIn(container: Dockerode.Container, engine: string): Promise<string> {
  const script = `qemu-system-aarch64 --version; for p in ${programs.join(' ')}; do command -v $p > /dev/null || echo lacks $p; done`
  const { stdout } = await runIn(container, ['sh', '-c', script])
  const version = /version (\d+(?:\.\d+)+)/.exec(stdout)?.[1]
  const lacking = [
    ...(version ? [] : ['qemu-system-aarch64']),
    ...[...stdout.matchAll(/^lacks (.*)$/gm)].map(([, program]) => program),
  ]
  if (version && lacking.length === 0 && fitsFrozen(version)) return version
  const why =
    lacking.length > 0 ? `it has no ${lacking.join(', no ')}` : `its QEMU is ${version}, and too old`
  throw new RaspiError('host', `The container image for Pis on ${engine} does not serve: ${why}.`, {
    hint: 'It needs qemu-system-aarch64 from version 8.2 on, qemu-img, socat, tar and gzip. By default one is built.',
  })
}

/** Before 8.2 QEMU opens a frozen RAM for writing, upon which each container would have a copy of all of it. */
function fitsFrozen(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 8 || (major === 8 && minor >= 2)
}
