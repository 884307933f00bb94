import type { Duplex } from 'node:stream'
import type Dockerode from 'dockerode'
import { messageOf, RaspiError, type RaspiErrorKind } from '../../errors.ts'
import { mapsWithoutWriting } from '../../machine/command-line.ts'
import { throwKnown } from './calls.ts'
import type { DockerClient } from './client.ts'
import { runIn } from './exec.ts'
import { ownerLabels } from './owner.ts'

/** A container that was started by this process. */
export interface OwnContainer {
  container: Dockerode.Container
  /** Removes it. Never rejects. */
  end(): Promise<void>
}

/** A directory or file of this host that a container has at the same path. */
export interface Mount {
  path: string
  /** @default false */
  readOnly?: boolean
}

/** How long an engine may take to remove a container, in ms. It is removed all the same, as its connection is closed. */
const removeMs = 30_000

/** What is particular of a container. */
export interface ContainerOptions {
  /** The kind of the error where it cannot be started. @default 'boot' */
  kind?: RaspiErrorKind
  /** @default none */
  mounts?: readonly Mount[]
  /** Of root there. @default none */
  capabilities?: readonly string[]
  /** Groups that who works there is in besides his own, by their ids. @default none */
  groups?: readonly number[]
  /** Besides those of its owner. @default none */
  labels?: Record<string, string>
  /** Gives its start up. @default never */
  signal?: AbortSignal | undefined
}

/**
 * Starts a container that does nothing until its input ends. That is the connection held here: where this process ends, the
 * engine sees it end, and removes the container. Throws a `RaspiError` where it cannot be started, or the reason of `signal`.
 */
export async function startContainer(
  { docker, name }: DockerClient,
  image: string,
  { kind = 'boot', mounts = [], capabilities = [], groups = [], labels = {}, signal }: ContainerOptions = {},
): Promise<OwnContainer> {
  let undo = async () => {}
  const stop = signal ? { abortSignal: signal } : {}
  try {
    const container = await docker.createContainer({
      ...stop,
      // An image's own entrypoint is for whoever runs it by hand.
      ...{ Image: image, Entrypoint: ['cat'], Labels: { ...ownerLabels(), ...labels } },
      ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: false, AttachStderr: false },
      HostConfig: {
        ...{ AutoRemove: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
        ...(capabilities.length > 0 && { CapAdd: [...capabilities] }),
        ...(groups.length > 0 && { GroupAdd: groups.map(String) }),
        ...(mounts.length > 0 && {
          Mounts: mounts.map(({ path, readOnly = false }) => ({
            ...{ Type: 'bind' as const, Source: path, Target: path, ReadOnly: readOnly },
          })),
        }),
      },
    })
    // The engine removes by itself only what was started.
    undo = () => remove(container)
    const lifeline = (await container.attach({
      ...stop,
      stream: true,
      stdin: true,
      hijack: true,
    })) as Duplex
    const end = async () => {
      await remove(container)
      lifeline.destroy()
    }
    undo = end
    lifeline.on('error', () => {})
    // Only who is read from is seen to end.
    lifeline.resume()
    await container.start(stop)
    return { container, end }
  } catch (error) {
    await undo()
    throwKnown(error, signal)
    throw new RaspiError(kind, `${name} could not start a container of ${image}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function remove(container: Dockerode.Container): Promise<void> {
  const late = { abortSignal: AbortSignal.timeout(removeMs) }
  await container.remove({ force: true, v: true, ...late }).catch(() => {})
}

/** What Pis need in their container beside QEMU. */
const programs = ['qemu-img', 'socat', 'tar', 'gzip']

/**
 * The version of QEMU in a container. Throws a `RaspiError` where it does not serve, or something else is missing there; rejects
 * with the reason of `signal`.
 */
export async function qemuVersionIn(
  container: Dockerode.Container,
  engine: string,
  signal?: AbortSignal,
): Promise<string> {
  const script = `qemu-system-aarch64 --version; for p in ${programs.join(' ')}; do command -v $p > /dev/null || echo lacks $p; done`
  const { stdout } = await runIn(container, ['sh', '-c', script], undefined, { signal })
  const version = /version (\d+(?:\.\d+)+)/.exec(stdout)?.[1]
  const lacking = [
    ...(version ? [] : ['qemu-system-aarch64']),
    ...[...stdout.matchAll(/^lacks (.*)$/gm)].map(([, program]) => program),
  ]
  if (version && lacking.length === 0 && mapsWithoutWriting(version)) return version
  const why =
    lacking.length > 0 ? `it has no ${lacking.join(', no ')}` : `its QEMU is ${version}, and too old`
  throw new RaspiError('host', `The container image for Pis on ${engine} does not serve: ${why}.`, {
    hint: 'It needs qemu-system-aarch64 from version 8.2 on, qemu-img, socat, tar and gzip. By default one is built.',
  })
}
