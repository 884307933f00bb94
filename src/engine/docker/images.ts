import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Dockerode from 'dockerode'
import { messageOf, RaspiError } from '../../errors.ts'
import { dockerLogin } from '../../host/docker-login.ts'
import { registryOf, split } from '../../host/oci-names.ts'
import { dieWithParent } from '../../host/process.ts'
import { type Log, phase } from '../../host/progress.ts'
import type { Image } from '../../image/image.ts'
import { throwKnown } from './calls.ts'
import type { DockerClient } from './client.ts'
import { type ContainerPlace, inside } from './container-place.ts'

/** An image of ours, for who names nothing else. */
export interface OwnImage {
  /** Its tag changes with the Containerfile. */
  name: string
  /** The path of its Containerfile. */
  containerfile: string
  /** What to do where there is no registry to build it from. */
  otherwise: string
}

/** What a Pi runs in. */
export const imageForPis: OwnImage = {
  name: 'vitest-raspi/qemu:1',
  containerfile: fileURLToPath(new URL('./qemu.Containerfile', import.meta.url)),
  otherwise:
    'Without a registry, name an image that the engine has: engine: { docker: …, image: NAME }. It needs qemu-system-aarch64, qemu-img, socat, tar and gzip.',
}

/** What to do where an image cannot be pulled or pushed. */
export const registryHint =
  'Is its name right, can the engine reach its registry, and are you logged in there (`docker login`)?'

/**
 * Makes sure that the engine has the image `wanted`, by pulling it, or `own`, by building it. Gives its id. Throws a
 * `RaspiError` where that cannot be.
 */
export async function ensureImage(
  { docker, name, signal }: DockerClient,
  wanted: string | undefined,
  own: OwnImage,
  log: Log,
): Promise<string> {
  const image = wanted ?? own.name
  const found = await imageId(docker, image)
  if (found) return found
  try {
    if (wanted) await phase(log, `Pulling ${wanted}`, () => pullImage(docker, wanted))
    else await phase(log, `Building ${own.name}, once, for ${name}`, () => build(docker, own))
    const made = await imageId(docker, image)
    if (made) return made
    throw new Error('it is not there')
  } catch (error) {
    throwKnown(error, signal)
    const how = wanted ? 'pulled' : 'built'
    throw new RaspiError('host', `The image ${image} cannot be ${how} on ${name}: ${messageOf(error)}`, {
      hint: wanted ? registryHint : own.otherwise,
      cause: error,
    })
  }
}

/**
 * Makes sure that an engine has the image `name` as `from` has it, by copying it. Gives its id. Throws a `RaspiError` where that
 * cannot be, or the id is another one there.
 */
export async function ensureSame(
  name: string,
  from: DockerClient,
  to: DockerClient,
  log: Log,
): Promise<string> {
  const [wanted, there] = await Promise.all([from, to].map(({ docker }) => imageId(docker, name)))
  if (there !== undefined && there === wanted) return there
  const copied = await copiedId(name, from, to, log)
  if (copied === wanted) return copied
  throw new RaspiError(
    'host',
    `The image ${name} has another id on ${to.name} than on ${from.name}, which it was copied from: they keep images in different ways, so that what one freezes the other cannot thaw.`,
    {
      hint: 'Have all engines keep images in one way, by "features": { "containerd-snapshotter": true } in daemon.json, or false: `docker info` tells of a driver-type io.containerd.snapshotter.v1 where it is true. An `image` of a registry needs that as well.',
    },
  )
}

async function copiedId(name: string, from: DockerClient, to: DockerClient, log: Log): Promise<string> {
  try {
    await phase(log, `Copying ${name} from ${from.name} to ${to.name}, once`, () =>
      copyImage(name, from.docker, to.docker),
    )
    const copied = await imageId(to.docker, name)
    if (copied) return copied
    throw new Error('it is not there')
  } catch (error) {
    throwKnown(error, to.signal)
    const what = `The image ${name} cannot be copied from ${from.name} to ${to.name}`
    throw new RaspiError('host', `${what}: ${messageOf(error)}`, { cause: error })
  }
}

/** The id of the image `name`, without its algorithm; nothing where the engine has none. */
export async function imageId(docker: Dockerode, name: string): Promise<string | undefined> {
  return (await inspected(docker, name))?.Id.replace(/^sha256:/, '')
}

/** What is known of the image `name`; nothing where the engine has none. */
export async function inspected(
  docker: Dockerode,
  name: string,
): Promise<Dockerode.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect()
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined
    throw error
  }
}

/** Pulls an image, with the log-in to its registry that Docker's own programs have. Rejects with the engine's words. */
export async function pullImage(docker: Dockerode, name: string): Promise<void> {
  await followed(docker, await docker.pull(name, { authconfig: await loginFor(name) }))
}

/** Pushes an image to its registry, in the same way. */
export async function pushImage(docker: Dockerode, name: string): Promise<void> {
  const [repo, tag] = split(name)
  await followed(docker, await docker.getImage(repo).push({ tag, authconfig: await loginFor(name) }))
}

/** Copies an image from one engine to another. Rejects with the words of the one that fails. */
export async function copyImage(name: string, from: Dockerode, to: Dockerode): Promise<void> {
  await followed(to, await to.loadImage(await from.getImage(name).get()))
}

/** An engine has no log-in of its own. Without any it is to be told so: some take no push where it is left out. */
async function loginFor(name: string): Promise<Dockerode.AuthConfigObject> {
  const login = await dockerLogin(registryOf(name))
  if (!login) return {}
  return 'identityToken' in login ? { identitytoken: login.identityToken } : login
}

async function build(docker: Dockerode, { name, containerfile }: OwnImage): Promise<void> {
  const dockerfile = basename(containerfile)
  const context = { context: dirname(containerfile), src: [dockerfile] }
  await followed(docker, await docker.buildImage(context, { t: name, dockerfile, rm: true }))
}

/** Waits for the end of what an engine does. It tells of its failure as of its progress. */
async function followed(docker: Dockerode, stream: NodeJS.ReadableStream): Promise<void> {
  const told = await new Promise<{ error?: string }[]>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, told) =>
      error ? reject(error) : resolve(told),
    )
  })
  const failure = told.find(({ error }) => error !== undefined)
  if (failure) throw new Error(failure.error)
}

/** Copies the card of `image` into the container of `place`, whose engine keeps no holes: so it becomes one that has none. */
export async function copyCardInto(place: ContainerPlace, image: Image): Promise<void> {
  await place.makeDir(dirname(inside.image))
  await place.makeDir(inside.pi)
  const file = basename(image.path)
  // GNU's tar and BSD's both pass holes over, and GNU's, which the container has, makes them again.
  const [tar, args] = dieWithParent('tar', ['-cSf', '-', '-C', dirname(image.path), file])
  const source = spawn(tar, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(source, 'close')
  await place.run(['tar', '-xSf', '-', '-C', dirname(inside.image)], source.stdout)
  await ended
  const raw = join(dirname(inside.image), file)
  await place.qemuImg(['convert', '-f', 'raw', '-O', 'qcow2', raw, inside.image])
  await place.remove(raw)
}

/** Keeps what a container has as the image `name`, with `labels`. Rejects with the reason of `signal`. */
export async function commit(
  container: Dockerode.Container,
  name: string,
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const [repo, tag] = split(name)
  const changes = Object.entries(labels).map(([label, value]) => `LABEL ${label}=${value}`)
  await container.commit({
    repo,
    tag,
    pause: false,
    ...{ abortSignal: signal },
    ...(changes.length > 0 && { changes: changes.join('\n') }),
  })
}
