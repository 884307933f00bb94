import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { capacityOf, type HostSize } from '../../../../src/engine/capacity.ts'
import { SilentEngine } from '../../../../src/engine/docker/calls.ts'
import { DockerEngine } from '../../../../src/engine/docker/docker-engine.ts'
import { connectEngines, Engines } from '../../../../src/engine/docker/engines.ts'
import type { FrozenPlan, PiSource } from '../../../../src/engine/engine.ts'
import type { Booted } from '../../../../src/freeze/freeze.ts'
import type { FrozenPi } from '../../../../src/freeze/store.ts'
import type { QemuExit } from '../../../../src/machine/place.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

const gibibyte = 1024 ** 3
const source = {} as PiSource
const never = new AbortController().signal

/** An engine that opens a place when it is told to, and notes whose turn it was. */
class FakeEngine {
  readonly qemuVersion = '10.0.3'
  readonly size: { free: number; cores: number }
  readonly name: string
  readonly qemuImage: string
  opened = 0
  open: () => Promise<{ end(): Promise<void>; startQemu(): Promise<{ exited: Promise<QemuExit> }> }>
  answers = async () => true
  hasImage = async (_name: string) => false
  has = (place: unknown) => place === this.name
  workshop = async () => ({
    seal: async () => ({ container: 'trial' }),
    keep: async () => ({ container: 'kept' }),
    close: async () => {},
  })

  constructor(name: string, { cores = 2, free = 64 * gibibyte, qemuImage = 'abc', fails = false } = {}) {
    this.name = name
    this.qemuImage = qemuImage
    this.size = { free, cores }
    this.open = async () => {
      this.opened++
      if (fails) throw new Error('no room')
      const exited = Promise.resolve({ why: 'its container is gone' })
      return { end: async () => {}, startQemu: async () => ({ exited }) }
    }
  }
}

const asOne = (log: string[], first: FakeEngine, ...others: FakeEngine[]) =>
  sizedAsOne(() => {}, log, first, ...others)

const sizedAsOne = (
  sized: (engines: readonly HostSize[]) => void,
  log: string[],
  ...[first, ...others]: FakeEngine[]
) =>
  new Engines(...([first, others] as unknown as [DockerEngine, DockerEngine[]]), {
    ...{ log: (line) => void log.push(line), sized },
  })

test('Pis that start at once are dealt as Pis one after the other are', async () => {
  const [small, large] = [new FakeEngine('small'), new FakeEngine('large', { cores: 4 })]
  const engines = asOne([], small, large)
  await Promise.all(Array.from({ length: 6 }, () => engines.open(source, '', never)))
  expect([small.opened, large.opened]).toEqual([2, 4])
})

test('no engine gets more Pis than it would have room for by itself, as long as another has room', async () => {
  const [large, small] = [
    new FakeEngine('large', { cores: 4 }),
    new FakeEngine('small', { cores: 4, free: 4 * gibibyte }),
  ]
  const engines = asOne([], large, small)
  const { pis } = capacityOf([large.size, small.size])
  for (let count = 0; count < pis; count++) await engines.open(source, '', never)
  expect([large.opened, small.opened]).toEqual([8, 4])
})

test('a loss is told with what is left, but for that of the last', async () => {
  const [one, two] = [new FakeEngine('one', { fails: true }), new FakeEngine('two', { fails: true })]
  const told: (readonly HostSize[])[] = []
  const engines = sizedAsOne((sizes) => void told.push(sizes), [], one, two)
  one.answers = async () => false
  two.answers = async () => false
  await expect(engines.open(source, '', never)).rejects.toThrow(
    'None of the Docker engines answers any more.',
  )
  expect(told).toEqual([[two.size]])
})

test('a Pi that has ended makes room, once', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const engines = asOne([], one, two)
  const [first] = await Promise.all([engines.open(source, '', never), engines.open(source, '', never)])
  await first?.end()
  await first?.end()
  for (let count = 0; count < 3; count++) await engines.open(source, '', never)
  expect([one.opened, two.opened]).toEqual([3, 2])
})

test('a start that failed takes no room', async () => {
  const [one, two] = [new FakeEngine('one', { fails: true }), new FakeEngine('two')]
  const engines = asOne([], one, two)
  await expect(engines.open(source, '', never)).rejects.toThrow('no room')
  await expect(engines.open(source, '', never)).rejects.toThrow('no room')
  expect([one.opened, two.opened]).toEqual([2, 0])
})

test('an engine that does not answer any more gets no more Pis, which is said', async () => {
  const [one, two] = [new FakeEngine('one', { fails: true }), new FakeEngine('two')]
  one.answers = async () => false
  const log: string[] = []
  const engines = asOne(log, one, two)
  for (let count = 0; count < 3; count++) await engines.open(source, '', never)
  expect([one.opened, two.opened]).toEqual([1, 3])
  expect(log).toEqual(['one does not answer any more, and gets no more Pis: no room'])
  two.answers = async () => false
  two.open = async () => {
    throw new Error('gone')
  }
  await expect(engines.open(source, '', never)).rejects.toThrow(
    'None of the Docker engines answers any more.',
  )
})

test('one that hangs at what it is asked, though it answers otherwise, gets no more Pis either', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const log: string[] = []
  const engines = asOne(log, one, two)
  one.open = async () => {
    throw new SilentEngine('one', { method: 'POST', path: '/containers/create?' }, 5_000)
  }
  for (let count = 0; count < 2; count++) await engines.open(source, '', never)
  expect([two.opened, engines.losses]).toEqual([2, 1])
  const why = 'it was asked POST /containers/create, and has said nothing for 5.0 s'
  expect(log).toEqual([`one does not answer any more, and gets no more Pis: ${why}`])
})

test('one that hangs when another is to copy from it is lost alone, and what only it had is made afresh', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const log: string[] = []
  const engines = asOne(log, one, two)
  await engines.open(source, '', never)
  one.hasImage = async () => {
    throw new SilentEngine('one', { method: 'GET', path: '/images/frozen/json' }, 5_000)
  }
  const frozen = { container: 'frozen' } as FrozenPi
  await expect(engines.open({ ...source, frozen }, '', never)).rejects.toThrow(
    'The engine that had the frozen Pi frozen does not answer any more.',
  )
  expect(engines.losses).toBe(1)
  const why = 'it was asked GET /images/frozen/json, and has said nothing for 5.0 s'
  expect(log).toEqual([`one does not answer any more, and gets no more Pis: ${why}`])
  await engines.open(source, '', never)
  expect(two.opened).toBe(1)
})

test('a Pi that nobody wants any more is not tried on the next engine', async () => {
  const [one, two] = [new FakeEngine('one', { fails: true }), new FakeEngine('two')]
  one.answers = async () => false
  const engines = asOne([], one, two)
  await expect(engines.open(source, '', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  expect([two.opened, engines.losses]).toEqual([0, 0])
})

test('an engine that does not answer when a Pi of it is lost counts as a loss at once; one that does is kept', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const log: string[] = []
  const engines = asOne(log, one, two)
  for (const engine of [one, two]) {
    engine.answers = async () => engine === one
    const place = await engines.open(source, '', never)
    const qemu = await place.startQemu([], 'normal')
    await qemu.exited
  }
  await expect.poll(() => engines.losses).toBe(1)
  expect(log).toEqual(['two does not answer any more, and gets no more Pis: its container is gone'])
})

test('so does one that is gone after a Pi could not be frozen there', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const engines = asOne([], one, two)
  const [failed, kept] = [
    await engines.workshop({} as FrozenPlan, ''),
    await engines.workshop({} as FrozenPlan, ''),
  ]
  await kept.keep({} as FrozenPi)
  await failed.close()
  expect(engines.losses).toBe(0)
  one.answers = async () => false
  await kept.close()
  expect(engines.losses).toBe(0)
  await failed.close()
  expect(engines.losses).toBe(1)
})

test('a frozen Pi that does not count yet is tried where it was made, however busy that is', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const engines = asOne([], one, two)
  one.hasImage = async () => true
  await engines.open(source, '', never)
  const workshop = await engines.workshop({ of: { place: 'one' } } as unknown as FrozenPlan, '')
  const frozen = await workshop.seal({} as Booted)
  await engines.open({ ...source, frozen }, '', never)
  expect([one.opened, two.opened]).toEqual([2, 0])
})

test('engines with different images for Pis do not go together', () => {
  expect(() => asOne([], new FakeEngine('one'), new FakeEngine('two', { qemuImage: 'def' }))).toThrow(
    /^one and two have different images for Pis, so that what one freezes the other cannot thaw\./,
  )
})

/** The address of an engine that answers, and no more. */
async function engineOf(architecture: string) {
  const server = createServer(({ url }, response) => {
    const version = { Version: '28.1', ApiVersion: '1.49', Arch: architecture }
    response.end(JSON.stringify(url?.endsWith('/version') ? version : { NCPU: 4, MemTotal: 1e10 }))
  })
  const socket = join(scratchDir(), 'd.sock')
  server.listen(socket)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `unix://${socket}`
}

/** Has Docker engines be fake ones. Their clients and what they are to be like are the arguments of the calls. */
function fakeEngines(...engines: FakeEngine[]) {
  const on = vi.spyOn(DockerEngine, 'on')
  onTestFinished(() => on.mockRestore())
  for (const engine of engines) on.mockResolvedValueOnce(engine as unknown as DockerEngine)
  return on
}

const context = { cacheDir: '/none', log: () => {}, signal: never }

test('where no image is named, that of the first engine is copied to the others', async () => {
  const docker = [await engineOf('arm64'), await engineOf('arm64')]
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const on = fakeEngines(one, two)
  const sized = vi.fn()
  expect(await connectEngines({ docker }, context, sized)).toBeInstanceOf(Engines)
  expect(sized).toHaveBeenCalledExactlyOnceWith([one.size, two.size])
  expect(on.mock.calls.map(([client]) => client.name)).toEqual(
    docker.map((url) => `the Docker engine ${url}`),
  )
  expect(on.mock.calls.map(([, , alike]) => alike)).toEqual([undefined, one])
})

test('an image that is named each engine gets by itself', async () => {
  const docker = [await engineOf('arm64'), await engineOf('arm64')]
  const named = fakeEngines(new FakeEngine('one'), new FakeEngine('two'))
  await connectEngines({ docker, image: 'mine' }, context, () => {})
  expect(named.mock.calls.map(([, { image }, alike]) => [image, alike])).toEqual([
    ['mine', undefined],
    ['mine', undefined],
  ])
})

test('engines of several architectures are refused before anything is made on them', async () => {
  const docker = [await engineOf('amd64'), await engineOf('arm64')]
  const on = fakeEngines()
  await expect(connectEngines({ docker }, context, () => {})).rejects.toThrow(
    `the Docker engine ${docker[0]} is of amd64 and the Docker engine ${docker[1]} is of arm64, so that what one freezes the other cannot thaw.`,
  )
  expect(on).not.toHaveBeenCalled()
})
