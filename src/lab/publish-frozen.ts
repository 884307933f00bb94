import type { BoardOption } from '../board-option.ts'
import { DockerEngine } from '../engine/docker/docker-engine.ts'
import { RaspiError } from '../errors.ts'
import { isImageName } from '../host/oci-names.ts'
import { privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import { RunDir } from '../host/run-dir.ts'
import type { ImageOption } from '../image-option.ts'
import { resolveSource } from './sources.ts'

/** Which frozen Pi is wanted as a container image, and where. */
export interface PublishRequest {
  image: ImageOption
  board: BoardOption
  /** The container image's name, with or without a tag. */
  to: string
  /** Whether it goes to its registry too. @default false */
  push?: boolean | undefined
  /** An address or a context of Docker's. @default that of Docker's own programs */
  address?: string | undefined
  /** The container image that the Pi runs in. @default one that is built */
  engineImage?: string | undefined
  cacheDir: string
  /** Where `latest` is pinned. @default nowhere */
  lockFile?: string | undefined
  /** How long the Pi may take to boot, in ms. @default 300_000 */
  bootTimeout?: number | undefined
}

/**
 * Has a Docker engine keep the frozen Pi of an image, made where it is not there, by the name `to`, and pushes it to its
 * registry if asked to. Throws a `RaspiError` where that cannot be.
 */
export async function publishFrozen(
  {
    image,
    board,
    to,
    push = false,
    address,
    engineImage,
    cacheDir,
    lockFile,
    bootTimeout = 300_000,
  }: PublishRequest,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<{ name: string; id: string }> {
  if (!isImageName(to)) {
    throw new RaspiError('options', `${to} is no name of a container image.`, {
      hint: 'It is [REGISTRY/]REPOSITORY[:TAG]; a repository has small letters.',
    })
  }
  const engine = await DockerEngine.connect({
    ...{ address, image: engineImage, cacheDir: privateDir(cacheDir), log, signal },
  })
  const run = new RunDir()
  try {
    const { frozen } = await resolveSource(image, board, {
      ...{ cacheDir, lockFile, engine, log, signal, bootTimeout, machineDir: run.path },
      ...{ freezing: true, notEmulated: () => {} },
    })
    if (!frozen)
      throw new RaspiError('freeze', 'There is no frozen Pi to be kept: this image cannot be frozen.')
    await engine.publish(frozen, to, push)
    return { name: to, id: frozen.id }
  } finally {
    run.remove()
  }
}
