import { join } from 'node:path'
import { vi } from 'vitest'
import type { Lab } from '../../../src/lab/lab.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'
import type { Lease, LeaseRequest } from '../../../src/lab/protocol.ts'
import { boardOf } from '../../../src/machine/boards.ts'
import { resolveOptions } from '../../../src/options.ts'
import type { PowerAction, PowerState } from '../../../src/pi/power.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

/** A start that a lab was asked for. */
export interface AskedStart {
  request: LeaseRequest
  name: string
  /** Ends the start well, or with `error`. */
  finish(error?: Error): void
  /** Tells that the Pi is lost. */
  lose(error: Error): void
}

/** A lab without machines: what it is asked to start starts when the test says so, and is over when its holder gives up. */
export class FakeLab {
  readonly options = resolveOptions({})
  readonly runDir = { path: scratchDir() }
  readonly starts: AskedStart[] = []
  /** The names of the Pis that live. */
  readonly living = new Map<number, string>()
  readonly powered: PowerAction[] = []
  readonly close = vi.fn(async () => this.living.clear())
  readonly kill = vi.fn()
  readonly free = 8
  #count = 0

  /** As what needs one takes it. */
  get lab(): Lab {
    return this as unknown as Lab
  }

  /** The start of this name that was asked for last. */
  async start(name: string, count = 1): Promise<AskedStart> {
    const asked = () => this.starts.filter((start) => start.name === name)
    await vi.waitUntil(() => asked().length >= count, { timeout: 10_000 })
    return asked().at(-1) as AskedStart
  }

  async sized(): Promise<void> {}

  assertRoom(): void {}

  async lease(
    request: LeaseRequest,
    signal: AbortSignal,
    lost: (pi: LivePi, error: unknown) => void,
  ): Promise<Lease> {
    const [{ name, number, sshPort = 0, bmc } = { name: '' }] = request.pis
    const id = ++this.#count
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
    this.starts.push({
      ...{ request, name, finish: (error) => (error ? reject(error) : resolve()) },
      lose: (error) => lost({} as LivePi, error),
    })
    await promise
    this.living.set(id, name)
    const connection = connectionAt(sshPort)
    const own = { host: '127.0.0.1', port: 40_000 + id, user: `u${id}`, password: 'p' }
    return {
      ...{ id, queuedMs: 0 },
      pis: [
        {
          ...{ number: number ?? id, name, hostname: name, connection, controlPath: '/ssh' },
          ...{ consoleFile: join(this.runDir.path, name), origin: 'thawed', startedAt: 0, startMs: 4_000 },
          ...{ spans: [], nics: [], hardware: { cpus: 4, memoryMiB: 1024, diskGiB: 4 } },
          ...(bmc && { bmc: bmc === true ? own : bmc }),
        },
      ],
    }
  }

  async release(id: number): Promise<void> {
    this.living.delete(id)
  }

  pisOf(id: number): LivePi[] {
    if (!this.living.has(id)) return []
    const changePower = async (action?: PowerAction): Promise<PowerState> => {
      if (action) this.powered.push(action)
      return 'on'
    }
    const [machine, power] = [{ whenLost: () => {} }, { state: 'on' }]
    const identity = { hostname: `test-${id}` }
    const live = { number: id, provision: 'active', machine, power, changePower, identity }
    const source = { image: { name: 'debian-12-arm64', cardBytes: 1 }, board: boardOf('raspi3b') }
    const reached = { connection: connectionAt(2222), controlPath: '/ssh', spans: { all: [] } }
    return [{ ...live, source, ...reached } as unknown as LivePi]
  }
}

const connectionAt = (port: number) => {
  return { host: '127.0.0.1', port, user: 'pi', privateKeyFile: '/key', knownHostsFile: '/known' }
}
