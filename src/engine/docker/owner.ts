import { hostname } from 'node:os'
import type Dockerode from 'dockerode'
import * as z from 'zod'
import { isAlive, processId } from '../../host/process.ts'

/** The label that tells whose a container is. Nothing without it is ever touched. */
const ownerLabel = 'vitest-raspi.owner'

const ownerSchema = z.object({ host: z.string(), pid: z.int(), startTime: z.string() })

/** The labels of what this process starts. */
export function ownerLabels(): Record<string, string> {
  return { [ownerLabel]: JSON.stringify({ host: hostname(), ...processId(process.pid) }) }
}

/**
 * Removes the containers of processes of this host that have ended, and gives how many there were. Usually there are none,
 * because ours end with the connection of whoever has started them: only such that were never started are left.
 */
export async function sweepContainers(docker: Dockerode): Promise<number> {
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
  return left.length
}

function isLeft(label: string): boolean {
  try {
    const { host, pid, startTime } = ownerSchema.parse(JSON.parse(label))
    return host === hostname() && !isAlive({ pid, startTime })
  } catch {
    return false
  }
}
