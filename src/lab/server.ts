import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { messageOf, RaspiError } from '../errors.ts'
import { answer, openChannel } from './channel.ts'
import type { Lab } from './lab.ts'
import type { LivePi } from './live-pi.ts'
import type { LabFunctions, Lease, PauseWish, WorkerFunctions } from './protocol.ts'
import { noteUse } from './used-files.ts'

/** Whoever takes over the Pis that their tests leave to the user. */
export interface Keeper {
  /** Takes over a lease, and gives the names by which its Pis stand; none where it does not want them. */
  keep(lease: number, why: string): Promise<string[]>
}

/** Lets the user look at a Pi until he has done so, or the Pi has been given back. */
export type Pauser = (pi: LivePi, wish: PauseWish) => Promise<void>

/** A lease with whom it was lent to. */
type HeldLease = Lease & { holder: string }

/** Whom a lab asks, and tells, while it serves workers. */
export interface ServeOptions {
  keeper?: Keeper | undefined
  pauser?: Pauser
  /** Told of each lease that was not given back, before its Pis are ended. */
  orphan?: (lease: HeldLease) => void
}

/** A lab that workers can reach. */
export interface ServedLab {
  /** Its unix socket. */
  path: string
  server: Server
  /** What workers have at this moment. */
  borrowed(): HeldLease[]
}

/**
 * Serves `lab` to the workers on a unix socket in the run's directory, and gives the socket's path. A worker's leases
 * end with its connection, however it ends, but for those that `keeper` takes over.
 */
export async function serveLab(
  lab: Lab,
  { keeper, pauser = async () => {}, orphan }: ServeOptions = {},
): Promise<ServedLab> {
  const path = join(lab.runDir.path, 'lab')
  const workers = new Set<ReadonlySet<number>>()
  const server = createServer((socket) => {
    const leases = new Set<number>()
    workers.add(leases)
    socket.on('close', () => {
      for (const lease of lab.held.filter(({ id }) => leases.has(id))) orphan?.(lease)
      workers.delete(leases)
    })
    serveWorker(lab, socket, leases, { keeper, pauser })
  })
  server.listen(path)
  await once(server, 'listening')
  server.unref()
  const borrowed = () => lab.held.filter(({ id }) => [...workers].some((leases) => leases.has(id)))
  return { path, server, borrowed }
}

function serveWorker(
  lab: Lab,
  socket: Socket,
  leases: Set<number>,
  { keeper, pauser }: { keeper: Keeper | undefined; pauser: Pauser },
) {
  const gone = new AbortController()
  const functions: LabFunctions = {
    lease: (request) =>
      answer(async () => {
        const lease = await lab.lease(
          request,
          gone.signal,
          // A Pi that is kept may be lost when its worker has long ended.
          (pi, error) => void channel.lost.asEvent(pi.number, error.toJSON()).catch(() => {}),
        )
        leases.add(lease.id)
        if (gone.signal.aborted) await lab.release(lease.id)
        return lease
      }),
    release: (id) =>
      answer(async () => {
        leases.delete(id)
        await lab.release(id)
      }),
    checkpoint: (pi, name) => answer(() => lab.checkpoints.make(pi, name)),
    restore: (pi, checkpoint) => answer(() => lab.checkpoints.restore(pi, checkpoint)),
    gpio: (pi) => answer(() => lab.lent(pi).gpio()),
    network: (id, name, request) => answer(() => lab.network(id, name, request)),
    fault: (pi, fault) => answer(() => lab.lent(pi).fault(fault)),
    provision: (pi, action, image) =>
      // What is not given comes as null.
      answer(() => lab.provisioning.change(pi, action ?? undefined, image ?? undefined)),
    pause: (pi, wish) => answer(() => pauser(lab.lent(pi), wish)),
    power: (pi, action, wait) => answer(() => lab.lent(pi).changePower(action, wait)),
    keep: (id, why) =>
      answer(async () => {
        const names = (await keeper?.keep(id, why)) ?? []
        if (names.length > 0) leases.delete(id)
        return names
      }),
    controlNode: () => answer(async () => (await lab.controlNode())?.env ?? {}),
    say: (line) => lab.log(line),
    used: noteUse,
  }
  const channel = openChannel<WorkerFunctions, LabFunctions>(socket, functions)
  socket.on('close', () => {
    gone.abort(new RaspiError('cancelled', 'The test worker is gone.'))
    for (const id of leases) lab.release(id).catch((error) => lab.log(messageOf(error)))
  })
}
