import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { frozenDir, frozenId, type Manifest, readFrozen, sealFrozen } from '../../../src/freeze/store.ts'
import type { Image } from '../../../src/image/image.ts'
import { boards } from '../../../src/machine/boards.ts'
import { fetchFrozen, offerFrozen } from '../../../src/share/frozen-pis.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { machine } from './machine.ts'

const { signal } = new AbortController()
const image: Image = {
  ...{ name: 'debian-12-arm64', id: 'image-1', path: '/none', architecture: 'arm64', user: 'pi' },
  ...{ privateKeyFile: '/none', hostKeys: [], cardBytes: 4 },
}
const key = { image: 'image-1', board: 'raspi3b', qemuVersion: '7.2.22', kernelParameters: [] }
const id = frozenId(key)

const test = base.extend('dir', () => scratchDir())

async function keep(cacheDir: string, about: Partial<Manifest> = {}) {
  const place = frozenDir(cacheDir, about.id ?? id)
  mkdirSync(place, { recursive: true })
  for (const [file, text] of Object.entries({ 'card.qcow2': 'card', ram: 'memory', state: 'state' }))
    writeFileSync(join(place, file), text)
  await sealFrozen(place, { id, commandLine: 'quiet', notEmulated: [], key, ...about })
  return { id: about.id ?? id, dir: place }
}

/** What may be done with the files of a frozen Pi in a cache. */
const modes = (dir: string) =>
  ['card.qcow2', 'ram', 'state', 'frozen.json'].map((file) => statSync(join(dir, file)).mode & 0o777)

test('a frozen Pi comes whole to another machine, with a RAM that QEMU can open for writing', async ({
  dir,
}) => {
  const one = machine(dir, 'one')
  offerFrozen(one.share, await keep(one.cacheDir))
  await one.share.close()
  const two = machine(dir, 'two')
  expect(await fetchFrozen(two.share, { cacheDir: two.cacheDir, id }, signal)).toBe(true)
  const frozen = await readFrozen(two.cacheDir, id, image, boards.raspi3b)
  expect(frozen).toMatchObject({ id, commandLine: 'quiet' })
  const there = frozenDir(two.cacheDir, id)
  expect(readFileSync(join(there, 'ram'), 'utf8')).toBe('memory')
  expect(modes(there)).toEqual([0o400, 0o600, 0o400, 0o400])
})

test('one that is another than its name says, or lies on another, is told and not used', async ({ dir }) => {
  const one = machine(dir, 'one')
  const layer = 'b'.repeat(64)
  const { dir: place } = await keep(one.cacheDir, { id: layer, parent: 'c'.repeat(64) })
  offerFrozen(one.share, { id: layer, dir: place })
  offerFrozen(one.share, { id, dir: place })
  await one.share.close()
  const two = machine(dir, 'two')
  const { cacheDir } = two
  expect(await fetchFrozen(two.share, { cacheDir, id }, signal)).toBe(false)
  expect(await fetchFrozen(two.share, { cacheDir, id: layer, parent: 'd'.repeat(64) }, signal)).toBe(false)
  expect(two.said).toEqual([
    expect.stringContaining('is of another frozen Pi'),
    expect.stringContaining('says that it lies on another frozen Pi'),
  ])
  expect(existsSync(join(cacheDir, 'frozen'))).toBe(false)
  expect(await fetchFrozen(two.share, { cacheDir, id: layer, parent: 'c'.repeat(64) }, signal)).toBe(true)
  await readFrozen(cacheDir, layer, image, boards.raspi3b, 'c'.repeat(64))
  expect(modes(frozenDir(cacheDir, layer))).toEqual([0o400, 0o600, 0o400, 0o400])
})
