import { messageOf, RaspiError } from '../../errors.ts'
import { exclusively } from '../../host/lock.ts'
import { type Log, phase } from '../../host/progress.ts'
import type { Image } from '../../image/image.ts'
import { throwKnown } from './calls.ts'
import type { DockerClient } from './client.ts'
import type { ContainerPlace } from './container-place.ts'
import { commit, copyCardInto, imageId } from './images.ts'

/** Container images with an image's card, for its Pis to boot from and to be frozen on. Each is made once for an engine. */
export class CardImages {
  readonly #client: DockerClient
  readonly #qemuImage: string
  readonly #context: { cacheDir: string; log: Log; signal: AbortSignal }
  readonly #open: (containerImage: string, dir: string) => Promise<ContainerPlace>
  /** By the image's id. */
  readonly #known = new Map<string, Promise<string>>()

  /** `open` opens a place in a container of `qemuImage`, or of another container image. */
  constructor(
    client: DockerClient,
    qemuImage: string,
    context: { cacheDir: string; log: Log; signal: AbortSignal },
    open: (containerImage: string, dir: string) => Promise<ContainerPlace>,
  ) {
    this.#client = client
    this.#qemuImage = qemuImage
    this.#context = context
    this.#open = open
  }

  /** The name of that with the card of `image`, made where the engine has none. Throws a `RaspiError` where that fails. */
  of(image: Image): Promise<string> {
    const known = this.#known.get(image.id) ?? this.#find(image)
    this.#known.set(image.id, known)
    known.catch(() => this.#known.delete(image.id))
    return known
  }

  async #find(image: Image): Promise<string> {
    const { cacheDir, log, signal } = this.#context
    const { docker, name: engine } = this.#client
    const name = `vitest-raspi/card:${image.id.slice(0, 24)}-${this.#qemuImage.slice(0, 12)}`
    const lock = { log, signal, waitingFor: `Card of ${image.name} for ${engine}` }
    try {
      if (await imageId(docker, name)) return name
      return await exclusively(`${cacheDir}/engines`, lock, async () => {
        if (!(await imageId(docker, name))) await this.#make(name, image)
        return name
      })
    } catch (error) {
      throwKnown(error, signal)
      throw new RaspiError('host', `${image.name} could not be copied to ${engine}: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  #make(name: string, image: Image): Promise<void> {
    const { cacheDir, log, signal } = this.#context
    return phase(log, `Copying ${image.name} to ${this.#client.name}, once`, async () => {
      const place = await this.#open(this.#qemuImage, `${cacheDir}/tmp`)
      try {
        await copyCardInto(place, image)
        await commit(place.container, name, {}, signal)
      } finally {
        await place.end()
      }
    })
  }
}
