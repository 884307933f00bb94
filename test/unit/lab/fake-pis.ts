import { onTestFinished, vi } from 'vitest'
import type { PiSource } from '../../../src/engine/engine.ts'
import type { RaspiError } from '../../../src/errors.ts'
import { Lab } from '../../../src/lab/lab.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'
import { PiSources } from '../../../src/lab/pi-sources.ts'
import { PiStarter } from '../../../src/lab/pi-starter.ts'
import type { LeaseRequest } from '../../../src/lab/protocol.ts'
import { boards } from '../../../src/machine/boards.ts'
import { type RaspiOptions, resolveOptions } from '../../../src/options.ts'

const source = {
  image: { name: 'debian-12-arm64', cardBytes: 1 },
  board: boards.raspi3b,
} as unknown as PiSource

/** A Pi without a machine, which the test can lose. */
export function aPi(number: number, { handOver = async () => {}, end = async () => {} } = {}) {
  const loss = Promise.withResolvers<RaspiError>()
  const pi = {
    ...{ number, handOver, end, source, ownSource: source, origin: 'thawed', startedAt: 0, startMs: 0 },
    ...{ identity: { hostname: `pi-${number}` }, spans: { all: [] }, controlPath: 'ssh', consoleFile: 'log' },
    connection: {
      ...{ host: '127.0.0.1', port: 2200 + number, user: 'pi' },
      ...{ privateKeyFile: 'key', knownHostsFile: 'known' },
    },
    machine: { whenLost: (listener: (error: RaspiError) => void) => void loss.promise.then(listener) },
    power: { state: 'on' },
  }
  return Object.assign(pi as unknown as LivePi, { lose: loss.resolve })
}

/** A lab with room for `maxPis` that starts these Pis, one after the other, and ends with the test. */
export function labOf(
  pis: readonly LivePi[],
  options: Pick<RaspiOptions, 'maxPis' | 'engine' | 'cacheDir'> & { log?: (line: string) => void } = {},
): Lab {
  const { log = () => {}, ...rest } = { maxPis: 2, engine: 'process' as const, ...options }
  const toStart = [...pis]
  const spies = [
    vi.spyOn(PiSources.prototype, 'of').mockImplementation(async (asked) => asked.pis.map(() => source)),
    vi.spyOn(PiStarter.prototype, 'start').mockImplementation(async () => toStart.shift() as LivePi),
  ]
  const lab = new Lab(resolveOptions({ ...rest, readyPis: 0 }), log)
  onTestFinished(async () => {
    await lab.close()
    for (const spy of spies) spy.mockRestore()
  })
  return lab
}

/** What asks for so many Pis. */
export function requestOf(count: number, holder = 'a test'): LeaseRequest {
  const pis = Array.from({ length: count }, (_, index) => ({ name: `host${index}` }))
  return { holder, pis, image: 'debian-12-arm64', board: 'raspi3b' }
}
