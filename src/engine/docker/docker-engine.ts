import { messageOf, RaspiError } from '../../errors.ts'
import type { Booted } from '../../freeze/freeze.ts'
import { type FrozenPi, frozenFiles, frozenIn } from '../../freeze/store.ts'
import { split } from '../../host/oci-names.ts'
import { orAborted } from '../../host/or-aborted.ts'
import { privateDir } from '../../host/paths.ts'
import { type Log, phase } from '../../host/progress.ts'
import type { Image } from '../../image/image.ts'
import { type ClientKey, clientKey } from '../../image/keys.ts'
import { originOf } from '../../image/origin.ts'
import type { Reference } from '../../image/reference.ts'
import type { Board } from '../../machine/boards.ts'
import { makeCard } from '../../machine/card.ts'
import type { Place } from '../../machine/place.ts'
import type { HostSize } from '../capacity.ts'
import type { Engine, FrozenPlan, PiSource, Workshop } from '../engine.ts'
import { throwKnown, withDeadlines } from './calls.ts'
import { CardImages } from './card-images.ts'
import { connectDocker, type DockerClient, until } from './client.ts'
import { qemuVersionIn, startContainer } from './container.ts'
import { ContainerPlace, inside } from './container-place.ts'
import { type FrozenLabel, frozenLabel, isAsFrozenNow, isOf, readLabel } from './frozen-label.ts'
import {
  commit,
  copyImage,
  ensureImage,
  ensureSame,
  imageForPis,
  imageId,
  pullImage,
  pushImage,
  registryHint,
} from './images.ts'
import { filesLabel, sweepContainers, sweepTrials, trialName } from './owner.ts'

/** Which engine it is to be, and what it takes to use it. */
export interface DockerEngineContext {
  /** An address or a context of Docker's. @default that of Docker's own programs */
  address?: string | undefined
  /** The container image that Pis run in. @default `frozen`, which has all that they need; else one that is built */
  image?: string | undefined
  /** A container image with a frozen Pi, which is pulled where the engine has it not. @default none */
  frozen?: string | undefined
  /** For locks, and the key that Pis accept. */
  cacheDir: string
  log: Log
  signal: AbortSignal
}

/** What holds frozen Pis is called, with a tag for each. */
const frozenRepository = 'vitest-raspi/frozen'

/** How long an engine may take to answer whether it is still there, in ms. */
const answerMs = 5_000

/**
 * A Docker engine: each Pi runs in a container of its own, and frozen Pis are container images, so that all containers
 * share what they have of them. A container ends when the connection of this process to it does, however that happens.
 */
export class DockerEngine implements Engine {
  readonly qemuVersion: string
  readonly isHere = false
  readonly #client: DockerClient
  /** The same until the end of the run. */
  readonly #running: DockerClient
  readonly #context: DockerEngineContext
  /** The id of the container image that Pis run in. */
  readonly qemuImage: string
  readonly #cards: CardImages
  readonly #said = new Set<string>()

  private constructor(
    client: DockerClient,
    context: DockerEngineContext,
    qemuImage: string,
    qemuVersion: string,
  ) {
    this.#client = client
    this.#running = until(context.signal, client)
    this.#context = context
    this.qemuImage = qemuImage
    this.qemuVersion = qemuVersion
    this.#cards = new CardImages(this.#running, qemuImage, context, (image, dir) => this.#placeIn(image, dir))
  }

  /**
   * Connects to an engine and makes sure that Pis can run there. Throws a `RaspiError` where no engine answers, or it has
   * no container image for Pis and can get none.
   */
  static async connect(context: DockerEngineContext): Promise<DockerEngine> {
    const { address, signal } = context
    return DockerEngine.on(await connectDocker(address, { signal }), context)
  }

  /** The same on an engine that answers; its Pis run in the image of `alike`, which is copied. @default one of its own */
  static async on(
    client: DockerClient,
    context: DockerEngineContext,
    alike?: DockerEngine,
  ): Promise<DockerEngine> {
    const { signal, log } = context
    const running = until(signal, client)
    await sweepContainers(running, log)
    await sweepTrials(running.docker, frozenRepository)
    const qemuImage = alike
      ? await ensureSame(imageForPis.name, alike.#running, running, log)
      : await ensureImage(running, context.image ?? context.frozen, imageForPis, log)
    const { container, end } = await startContainer(client, qemuImage, { signal })
    try {
      const version = await qemuVersionIn(container, client.name, signal)
      return new DockerEngine(client, context, qemuImage, version)
    } finally {
      await end()
    }
  }

  /** What it has for Pis. An engine does not tell what is free of its memory. */
  get size(): HostSize {
    return { free: this.#client.memory, cores: this.#client.cores }
  }

  /** What people call it. */
  get name(): string {
    return this.#client.name
  }

  async given(reference: Reference, board: Board): Promise<PiSource | undefined> {
    const { frozen: name } = this.#context
    if (!name) return undefined
    const { docker, name: engine } = this.#running
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
    if (label.board !== board.id || !(await isOf(label, reference))) {
      const other = label.board === board.id && label.image.name === reference.name ? 'another ' : ''
      const has = `${other}${label.image.name} on ${label.board}`
      this.#say(`${name} has a frozen Pi of ${has}: others are made on ${engine}`)
      return undefined
    }
    if (!isAsFrozenNow(label, board)) {
      throw new RaspiError('options', `${name} was frozen by another version of vitest-raspi.`, {
        hint: `Freeze it again: npx vitest-raspi freeze --to ${name}, with --push where it comes from a registry.`,
      })
    }
    const image = { ...label.image, path: '', privateKeyFile: (await this.#key()).privateKeyFile }
    this.#say(`Pis start from ${name}`)
    return { image, board, frozen: await this.#frozenOf(label, name, image, board) }
  }

  /**
   * Has the container image of `frozen` go by the name `to` as well, for a registry, and pushes it there if asked to. Throws a
   * `RaspiError` where the registry does not take it.
   */
  async publish({ container = '' }: FrozenPi, to: string, push: boolean): Promise<void> {
    const { docker, name: engine } = this.#running
    const [repo, tag] = split(to)
    await docker.getImage(container).tag({ repo, tag })
    if (!push) return
    await phase(this.#context.log, `Pushing ${to}`, () => pushImage(docker, to)).catch((error) => {
      throwKnown(error, this.#context.signal)
      throw new RaspiError('host', `${to} cannot be pushed from ${engine}: ${messageOf(error)}`, {
        hint: registryHint,
        cause: error,
      })
    })
  }

  async open({ image, frozen }: PiSource, dir: string, signal: AbortSignal): Promise<Place> {
    const containerImage = frozen?.container ?? (await orAborted(this.#cards.of(image), signal))
    return this.#placeIn(containerImage, dir, signal)
  }

  async find(
    id: string,
    image: Image,
    board: Board,
    parent?: string,
  ): Promise<FrozenPi | string | undefined> {
    const name = this.#frozenImage(id)
    const label = await readLabel(this.#running.docker, name)
    if (typeof label !== 'object') return label
    if (label.manifest.id !== id || label.manifest.parent !== parent)
      return `the container image ${name} has another one`
    return this.#frozenOf(label, name, image, board)
  }

  async workshop({ about, image, reference, board, of }: FrozenPlan, machineDir: string): Promise<Workshop> {
    const place = of
      ? (of.place as ContainerPlace)
      : await this.#placeIn(await this.#cards.of(image), machineDir)
    // The Pi that a layer is made of is its lab's.
    const close = async () => (of ? undefined : place.end())
    const dir = frozenDirOf(about.id)
    const name = this.#frozenImage(about.id)
    const trial = trialName(name)
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
        const origin = reference && ((await originOf(reference)) ?? '')
        const label = frozenLabel({ manifest, image, origin, board, publicKey })
        await commit(place.container, trial, label, this.#context.signal)
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
    const { docker, name } = this.#client
    return withDeadlines(docker, name, answerMs)
      .ping()
      .then(
        () => true,
        () => false,
      )
  }

  /** Whether it has a container image. */
  async hasImage(name: string): Promise<boolean> {
    return (await imageId(this.#running.docker, name)) !== undefined
  }

  /** Copies a container image from another engine. */
  async copyImage(name: string, from: DockerEngine): Promise<void> {
    await phase(this.#context.log, `Copying ${name} from ${from.name} to ${this.name}, once`, () =>
      copyImage(name, from.#running.docker, this.#running.docker),
    )
  }

  async #placeIn(
    image: string,
    dir: string,
    signal: AbortSignal = this.#context.signal,
  ): Promise<ContainerPlace> {
    const started = await startContainer(this.#client, image, { labels: { [filesLabel]: dir }, signal })
    return new ContainerPlace(started, dir, this.qemuVersion, this.#client, signal)
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
    const { docker, name: engine } = this.#running
    try {
      await phase(this.#context.log, `Pulling ${name}`, () => pullImage(docker, name))
    } catch (error) {
      throwKnown(error, this.#context.signal)
      throw new RaspiError(
        'host',
        `The frozen Pi ${name} cannot be pulled to ${engine}: ${messageOf(error)}`,
        {
          hint: registryHint,
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
    return `${frozenRepository}:${id.slice(0, 32)}-${this.qemuImage.slice(0, 12)}`
  }
}

const frozenDirOf = (id: string) => `${inside.frozen}/${id.slice(0, 32)}`
