import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import type { SearchPaths } from '../../../src/ansible/galaxy.ts'
import type { PiSource } from '../../../src/engine/engine.ts'
import { HostEngine } from '../../../src/engine/host-engine.ts'
import { type FrozenPi, frozenDir, readFrozen, sealFrozen } from '../../../src/freeze/store.ts'
import type { Image } from '../../../src/image/image.ts'
import type { PrepareContext } from '../../../src/lab/prepare.ts'
import type { PrepareStep } from '../../../src/lab/protocol.ts'
import { boards } from '../../../src/machine/boards.ts'
import type { makeLayers } from '../../../src/prepare/make-layers.ts'
import { preparer } from '../../../src/prepare/prepare.ts'
import { DirectoryPlace } from '../../../src/share/directory-place.ts'
import { fetchFrozen, offerFrozen } from '../../../src/share/frozen-pis.ts'
import { Share } from '../../../src/share/share.ts'
import { test as base, type Repository } from './project.ts'

// What is asked of the cache, told to the user and made, without Pis: a layer is a few small files here.

const image = { name: 'debian-12-arm64', id: 'i' } as Image
const board = boards.raspi3b

interface Shop {
  repository: Repository
  cacheDir: string
  lines: string[]
  /** How often layers were made. */
  made(): number
  /** What playbooks are seen to read from now on. */
  seen(names: string[], unsure?: string[]): void
  /** Prepares as a run does, and gives the ids of the layers, and the lines that matter. */
  run(options?: {
    steps?: PrepareStep[]
    hosts?: { name: string }[]
    parent?: FrozenPi
    /** Another machine's. */
    cacheDir?: string
    share?: Share
    paths?: SearchPaths
  }): Promise<{
    ids: string[]
    said: string[]
  }>
}

async function frozenPi(cacheDir: string, id: string, parent?: string): Promise<FrozenPi> {
  const dir = frozenDir(cacheDir, id)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const file of ['card.qcow2', 'ram', 'state'])
    writeFileSync(join(dir, file), `${file} ${Math.random()}`)
  await sealFrozen(dir, { id, parent, commandLine: '', notEmulated: [] })
  return (await readFrozen(cacheDir, id, image, board, parent)) as FrozenPi
}

const test = base.extend<{ shop: Shop }>({
  shop: async ({ repository }, use) => {
    const cacheDir = join(repository.root, 'cache')
    const bin = join(repository.root, 'bin')
    mkdirSync(bin)
    // Nothing is configured.
    writeFileSync(join(bin, 'ansible-config'), '#!/bin/sh\necho "[]"\n', { mode: 0o755 })
    const env = { PATH: `${bin}:${process.env.PATH}` }
    let reads: Parameters<Parameters<typeof makeLayers>[2]>[0] = { names: [], unsure: [] }
    let made = 0
    const make: typeof makeLayers = async ({ parents, context }, _, name) => {
      made++
      await delay(100)
      const ids = await name(reads)
      return Promise.all(
        parents.map(async ({ frozen: parent }, index) => {
          return { image, board, frozen: await frozenPi(context.cacheDir, ids[index] ?? '', parent.id) }
        }),
      )
    }
    const image1 = await frozenPi(cacheDir, 'a'.repeat(64))
    await use({
      ...{ repository, cacheDir, lines: [], made: () => made },
      seen: (names, unsure = []) => {
        reads = { names, unsure }
      },
      async run({ steps = [{ playbook: 'prepare.yml' }], hosts = [{ name: 'pi' }], paths, ...machine } = {}) {
        const { parent = image1, share } = machine
        const said: string[] = []
        const log = (line: string) => void (/made|cache|changed|waiting/.test(line) && said.push(line))
        const prepare = preparer({
          projectDir: repository.dir,
          timeoutMs: 1,
          describeFailure: () => '',
          make,
        })
        const preparation = { hosts, paths, steps: steps.map((step) => ({ ...step, env })) }
        const cache = machine.cacheDir ?? cacheDir
        const engine = new HostEngine({ cacheDir: cache, qemu: '', qemuVersion: '', qemuImg: '', note() {} })
        const context = {
          ...{ cacheDir: cache, engine, log, share, ansibleVersion: '2.14.18', programEnv: process.env },
          signal: new AbortController().signal,
        }
        const source: PiSource = { image, board, frozen: parent }
        const sources = await prepare(source, preparation, context as unknown as PrepareContext)
        return { ids: sources.map(({ frozen }) => frozen?.id ?? ''), said }
      },
    })
  },
})

const firstTime = 'prepare.yml: made for the first time with these hosts and options'
const unchanged = 'prepare.yml: from the cache, nothing that it reads has changed'

test('a layer that another machine has made and shared is fetched, with what it read', async ({ shop }) => {
  const place = join(shop.repository.root, 'share')
  const machine = (cacheDir: string) =>
    new Share(new DirectoryPlace(place), { cacheDir, log: (line) => told.push(line) })
  const told: string[] = []
  const mine = machine(shop.cacheDir)
  shop.seen(['data.csv'])
  shop.repository.write({ 'data.csv': '1' })
  const first = await shop.run({ share: mine })
  const [layer = '', parent = ''] = [...first.ids, 'a'.repeat(64)]
  for (const id of [parent, layer]) offerFrozen(mine, { id, dir: frozenDir(shop.cacheDir, id) })
  await mine.close()

  const cacheDir = join(shop.repository.root, 'cache of another')
  const theirs = machine(cacheDir)
  const { signal } = new AbortController()
  expect(await fetchFrozen(theirs, { cacheDir, id: parent }, signal)).toBe(true)
  const from = (await readFrozen(cacheDir, parent, image, board)) as FrozenPi
  const second = await shop.run({ cacheDir, share: theirs, parent: from })
  expect(second).toEqual({
    ids: first.ids,
    said: ['prepare.yml: from the cache, another machine has made it'],
  })
  shop.repository.write({ 'data.csv': '2' })
  const third = await shop.run({ cacheDir, share: theirs, parent: from })
  expect(third.said).toEqual(['prepare.yml: made again, because data.csv changed'])
  expect(shop.made()).toBe(2)
  await theirs.close()
  expect(told.filter((line) => !line.startsWith('What was made'))).toEqual([])
})

test('a layer is made once, and used until a file of a role changes', async ({ shop }) => {
  shop.repository.write({ 'roles/web/tasks/main.yml': '1' })
  const first = await shop.run()
  expect(first.said).toEqual([firstTime])
  expect(await shop.run()).toEqual({ ids: first.ids, said: [unchanged] })
  shop.repository.write({ 'README.md': '1' })
  expect(await shop.run()).toEqual({ ids: first.ids, said: [unchanged] })

  shop.repository.write({ 'roles/web/tasks/main.yml': '2' })
  const second = await shop.run()
  expect(second.said).toEqual(['prepare.yml: made again, because roles/web/tasks/main.yml changed'])
  expect(second.ids).not.toEqual(first.ids)

  // And back again, as between branches.
  shop.repository.write({ 'roles/web/tasks/main.yml': '1' })
  expect(await shop.run()).toEqual({ ids: first.ids, said: [unchanged] })
  expect(shop.made()).toBe(2)
})

test('what the playbook was seen to read counts as well', async ({ shop }) => {
  shop.repository.write({ 'odd/note.txt': '1' })
  shop.seen(['odd/note.txt', 'odd/'])
  const first = await shop.run()
  expect((await shop.run()).said).toEqual([unchanged])
  shop.repository.write({ 'odd/note.txt': '2' })
  expect((await shop.run()).said).toEqual(['prepare.yml: made again, because odd/note.txt changed'])
  shop.repository.write({ 'odd/more.txt': '' })
  expect((await shop.run()).said).toEqual([
    'prepare.yml: made again, because there is something else in odd/',
  ])

  // A new recipe has not been seen yet: what the last one has read is not taken for gone.
  shop.repository.write({ 'odd/note.txt': '3', 'group_vars/all.yml': '' })
  expect((await shop.run()).said).toEqual([
    'prepare.yml: made again, because group_vars/all.yml is new, and odd/note.txt changed',
  ])
  rmSync(join(shop.repository.dir, 'odd/note.txt'))
  expect((await shop.run()).said).toEqual([
    'prepare.yml: made again, because there is something else in odd/, and odd/note.txt is gone',
  ])
  expect((await shop.run()).ids).not.toEqual(first.ids)
})

test('what requirements have installed counts by what it is, not by when and where', async ({ shop }) => {
  const { root } = shop.repository
  const install = (run: string, tasks: string) => {
    shop.repository.write({
      [`../${run}/roles/motd/tasks/main.yml`]: tasks,
      [`../${run}/roles/motd/meta/.galaxy_install_info`]: `install_date: of ${run}\n`,
    })
    return { roles: [join(root, run, 'roles')], collections: [join(root, run, 'none')] }
  }
  const first = await shop.run({ paths: install('one', 'old') })
  expect(await shop.run({ paths: install('two', 'old') })).toEqual({ ids: first.ids, said: [unchanged] })
  expect((await shop.run({ paths: install('three', 'new') })).said).toEqual([
    'prepare.yml: made again, because requirements/motd/tasks/main.yml changed',
  ])
})

test('two that want the same at once make it once', async ({ shop }) => {
  const [one, other] = await Promise.all([shop.run(), shop.run()])
  expect(shop.made()).toBe(1)
  expect(one.ids).toEqual(other.ids)
  expect([...one.said, ...other.said].sort()).toEqual([
    'Layer of prepare.yml: another process is at it, waiting for it …',
    'prepare.yml: from the cache, another process has made it',
    firstTime,
  ])
})

test('each host has a layer, and each playbook one on the last', async ({ shop }) => {
  shop.repository.write({ 'more.yml': '' })
  const wanted = {
    hosts: [{ name: 'web' }, { name: 'db' }],
    steps: [{ playbook: 'prepare.yml' }, { playbook: 'more.yml' }],
  }
  const { ids, said } = await shop.run(wanted)
  expect(said).toEqual([firstTime, firstTime.replace('prepare.yml', 'more.yml')])
  expect(new Set(ids).size).toBe(2)
  expect(readdirSync(join(shop.cacheDir, 'frozen'))).toHaveLength(5)
  const again = await shop.run(wanted)
  expect(again).toEqual({ ids, said: [unchanged, unchanged.replace('prepare.yml', 'more.yml')] })
  const { ids: others } = await shop.run({ ...wanted, hosts: [...wanted.hosts].reverse() })
  expect(others.every((id) => !ids.includes(id))).toBe(true)
})

describe('a layer that is of no use is made again', () => {
  test('one that is damaged', async ({ shop }) => {
    const { ids } = await shop.run()
    const ram = join(frozenDir(shop.cacheDir, ids[0] ?? ''), 'ram')
    chmodSync(ram, 0o600)
    writeFileSync(ram, '')
    const { said, ids: again } = await shop.run()
    expect(said).toEqual([
      expect.stringMatching(
        /^prepare\.yml: made again, because the one in the cache is damaged: ram has 0 bytes and not \d+$/,
      ),
    ])
    expect(again).toEqual(ids)
    expect((await shop.run()).said).toEqual([unchanged])
  })

  test('one that has been removed', async ({ shop }) => {
    const { ids } = await shop.run()
    rmSync(frozenDir(shop.cacheDir, ids[0] ?? ''), { recursive: true })
    expect((await shop.run()).said).toEqual([
      'prepare.yml: made again, because it is not in the cache any more',
    ])
  })

  test('one whose parent was made again, for it lies on other blocks now', async ({ shop }) => {
    const { ids } = await shop.run()
    const parent = await frozenPi(shop.cacheDir, 'a'.repeat(64))
    const { ids: others, said } = await shop.run({ parent })
    expect(said).toEqual(['prepare.yml: made again, because the Pi that it starts from is another one'])
    expect(others).not.toEqual(ids)
  })

  test('one of which nobody knows what it has read', async ({ shop }) => {
    shop.seen([], ['files/fetched'])
    const { said, ids } = await shop.run()
    expect(said).toEqual([
      firstTime,
      'prepare.yml: files/fetched changed while it ran, so it is made again next time',
    ])
    shop.seen([])
    const again = await shop.run()
    expect(again.said).toEqual([firstTime])
    expect(again.ids).not.toEqual(ids)
  })
})

test('Pis that cannot be frozen cannot be prepared', async ({ shop }) => {
  const prepare = preparer({ projectDir: shop.repository.dir, timeoutMs: 1, describeFailure: () => '' })
  const preparation = { hosts: [{ name: 'pi' }], steps: [{ playbook: 'prepare.yml' }] }
  await expect(prepare({ image, board }, preparation, {} as PrepareContext)).rejects.toThrow(
    'prepare.yml cannot prepare Pis of debian-12-arm64: they cannot be frozen here',
  )
})
