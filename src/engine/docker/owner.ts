import { isDeepStrictEqual } from 'node:util'
import type Dockerode from 'dockerode'
import * as z from 'zod'
import { isAlive, processId } from '../../host/process.ts'
import type { Log } from '../../host/progress.ts'
import { world, worldTag } from '../../host/world.ts'
import type { DockerClient } from './client.ts'

/** The label that tells whose a container is. Nothing without it is ever touched. */
export const ownerLabel = 'vitest-raspi.owner'

/** The label that tells where on its owner's host the files of a Pi are, such as its console. */
export const filesLabel = 'vitest-raspi.files'

const ownerSchema = z.object({
  ...{ host: z.string(), boot: z.string(), processes: z.string() },
  ...{ pid: z.int(), startTime: z.string() },
})

/** The labels of what this process starts. */
export function ownerLabels(): Record<string, string> {
  return { [ownerLabel]: JSON.stringify({ ...world(), ...processId(process.pid) }) }
}

/**
 * Removes the containers of processes that have ended, of those that can be told to have, and says how many there were. Usually
 * there are none, because ours end with the connection of whoever has started them: only such that were never started are left.
 */
export async function sweepContainers(
  { docker, name }: Pick<DockerClient, 'docker' | 'name'>,
  log: Log,
): Promise<void> {
  const ours = await docker.listContainers({ all: true, filters: { label: [ownerLabel] } })
  const left = ours.filter(({ Labels }) => isLeft(Labels[ownerLabel] ?? ''))
  await Promise.all(
    left.map(({ Id }) =>
      docker
        .getContainer(Id)
        .remove({ force: true, v: true })
        .catch(() => {}),
    ),
  )
  if (left.length > 0) log(`Removed ${left.length} containers that interrupted runs left on ${name}`)
}

function isLeft(label: string): boolean {
  try {
    const { pid, startTime, ...its } = ownerSchema.parse(JSON.parse(label))
    return isDeepStrictEqual(its, world()) && !isAlive({ pid, startTime })
  } catch {
    return false
  }
}

/** A name for what is to become the container image `name` that tells whose it is: others may make the same at the same time. */
export function trialName(name: string): string {
  return `${name}-trial-${worldTag()}-${process.pid}-${processId(process.pid)?.startTime ?? ''}`
}

/** Takes these names from what processes left that have ended, and removes it where it has no other. */
export async function sweepTrials(docker: Dockerode, repository: string): Promise<void> {
  const images = await docker.listImages({ filters: { reference: [repository] } })
  const names = images.flatMap(({ RepoTags }) => RepoTags ?? [])
  await Promise.all(
    names.filter(isLeftTrial).map((name) =>
      docker
        .getImage(name)
        .remove()
        .catch(() => {}),
    ),
  )
}

function isLeftTrial(name: string): boolean {
  const [, tag, pid, startTime = ''] = /-trial-([0-9a-f]+)-(\d+)-(\d*)$/.exec(name) ?? []
  return tag === worldTag() && !isAlive({ pid: Number(pid), startTime })
}
