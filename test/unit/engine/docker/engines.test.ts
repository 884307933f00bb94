import { expect, test, vi } from 'vitest'
import type { DockerEngine } from '../../../../src/engine/docker/docker-engine.ts'
import { Engines } from '../../../../src/engine/docker/engines.ts'
import type { FrozenPlan, PiSource } from '../../../../src/engine/engine.ts'
import type { Booted } from '../../../../src/freeze/freeze.ts'
import type { FrozenPi } from '../../../../src/freeze/store.ts'
import type { QemuExit } from '../../../../src/machine/place.ts'

const source = {} as PiSource

/** An engine that opens a place when it is told to, and notes whose turn it was. */
class FakeEngine {
  readonly qemuVersion = '10.0.3'
  readonly capacity: { free: number; cores: number }
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

  constructor(name: string, { cores = 2, qemuImage = 'abc', fails = false } = {}) {
    this.name = name
    this.qemuImage = qemuImage
    this.capacity = { free: 1e9, cores }
    this.open = async () => {
      this.opened++
      if (fails) throw new Error('no room')
      const exited = Promise.resolve({ why: 'its container is gone' })
      return { end: async () => {}, startQemu: async () => ({ exited }) }
    }
  }
}

const asOne = (log: string[], first: FakeEngine, ...others: FakeEngine[]) =>
  new Engines(
    ...([first, others] as unknown as [DockerEngine, DockerEngine[]]),
    (line) => void log.push(line),
  )

test('Pis that start at once are dealt as Pis one after the other are', async () => {
  const [small, large] = [new FakeEngine('small'), new FakeEngine('large', { cores: 4 })]
  const engines = asOne([], small, large)
  await Promise.all(Array.from({ length: 6 }, () => engines.open(source, '')))
  expect([small.opened, large.opened]).toEqual([2, 4])
})

test('a Pi that has ended makes room, once', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const engines = asOne([], one, two)
  const [first] = await Promise.all([engines.open(source, ''), engines.open(source, '')])
  await first?.end()
  await first?.end()
  for (let count = 0; count < 3; count++) await engines.open(source, '')
  expect([one.opened, two.opened]).toEqual([3, 2])
})

test('a start that failed takes no room', async () => {
  const [one, two] = [new FakeEngine('one', { fails: true }), new FakeEngine('two')]
  const engines = asOne([], one, two)
  await expect(engines.open(source, '')).rejects.toThrow('no room')
  await expect(engines.open(source, '')).rejects.toThrow('no room')
  expect([one.opened, two.opened]).toEqual([2, 0])
})

test('an engine that does not answer any more gets no more Pis, which is said', async () => {
  const [one, two] = [new FakeEngine('one', { fails: true }), new FakeEngine('two')]
  one.answers = async () => false
  const log: string[] = []
  const engines = asOne(log, one, two)
  for (let count = 0; count < 3; count++) await engines.open(source, '')
  expect([one.opened, two.opened]).toEqual([1, 3])
  expect(log).toEqual(['one does not answer any more, and gets no more Pis: no room'])
  two.answers = async () => false
  two.open = async () => {
    throw new Error('gone')
  }
  await expect(engines.open(source, '')).rejects.toThrow('None of the Docker engines answers any more.')
})

test('an engine that does not answer when a Pi of it is lost counts as a loss at once; one that does is kept', async () => {
  const [one, two] = [new FakeEngine('one'), new FakeEngine('two')]
  const log: string[] = []
  const engines = asOne(log, one, two)
  for (const engine of [one, two]) {
    engine.answers = async () => engine === one
    const place = await engines.open(source, '')
    const qemu = await place.startQemu([], 'normal')
    await qemu.exited
  }
  await vi.waitFor(() => expect(engines.losses).toBe(1))
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
  await engines.open(source, '')
  const workshop = await engines.workshop({ of: { place: 'one' } } as unknown as FrozenPlan, '')
  const frozen = await workshop.seal({} as Booted)
  await engines.open({ ...source, frozen }, '')
  expect([one.opened, two.opened]).toEqual([2, 0])
})

test('engines with different images for Pis do not go together', () => {
  expect(() => asOne([], new FakeEngine('one'), new FakeEngine('two', { qemuImage: 'def' }))).toThrow(
    /^one and two have different images for Pis, so that what one freezes the other cannot thaw\./,
  )
})
