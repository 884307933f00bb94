import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import {
  type FreezeKey,
  frozenDir,
  frozenId,
  type Manifest,
  otherVersions,
  readFrozen,
  sealFrozen,
} from '../../../src/freeze/store.ts'
import type { Image } from '../../../src/image/image.ts'
import { boards } from '../../../src/machine/boards.ts'

const image: Image = {
  name: 'debian-12-arm64',
  id: 'image-1',
  path: '/none/card.raw',
  cardBytes: 4,
  architecture: 'arm64',
  user: 'pi',
  privateKeyFile: '/none/key',
  hostKeys: [],
}
const key: FreezeKey = {
  image: 'image-1',
  board: 'raspi3b',
  qemuVersion: '7.2.22',
  kernelParameters: ['a=b'],
}
const id = frozenId(key)

interface Kept {
  cacheDir: string
  /** Keeps a frozen Pi, and gives its directory. */
  keep(about?: Partial<Manifest>): Promise<string>
  read(id?: string, parent?: string): ReturnType<typeof readFrozen>
}

const test = base.extend<{ kept: Kept }>({
  kept: async ({}, use) => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'raspi-frozen-'))
    await use({
      cacheDir,
      async keep(about = {}) {
        const dir = frozenDir(cacheDir, about.id ?? id)
        mkdirSync(dir, { recursive: true })
        for (const [file, text] of Object.entries({ 'card.qcow2': 'card', ram: 'memory', state: 'state' }))
          writeFileSync(join(dir, file), text)
        await sealFrozen(dir, { id, commandLine: 'quiet', notEmulated: [], key, ...about })
        return dir
      },
      read: (wanted = id, parent) => readFrozen(cacheDir, wanted, image, boards.raspi3b, parent),
    })
    rmSync(cacheDir, { recursive: true })
  },
})

test('a frozen Pi is found as it was kept, and only its RAM can be opened for writing, as QEMU does', async ({
  kept,
}) => {
  const dir = await kept.keep()
  expect(await kept.read()).toMatchObject({ id, dir, commandLine: 'quiet', files: { ram: join(dir, 'ram') } })
  for (const file of ['card.qcow2', 'state', 'frozen.json'])
    expect(statSync(join(dir, file)).mode & 0o777).toBe(0o400)
  expect(statSync(join(dir, 'ram')).mode & 0o777).toBe(0o600)
})

test('where nobody may write to its RAM, QEMU may again', async ({ kept }) => {
  const ram = join(await kept.keep(), 'ram')
  chmodSync(ram, 0o400)
  await kept.read()
  expect(statSync(ram).mode & 0o777).toBe(0o600)
})

test('one that is not there is not found', async ({ kept }) => {
  expect(await kept.read()).toBeUndefined()
})

test('its directory tells when it was last wanted', async ({ kept }) => {
  const dir = await kept.keep()
  utimesSync(dir, 0, 0)
  await kept.read()
  expect(Date.now() - statSync(dir).mtimeMs).toBeLessThan(60_000)
})

test.for(['card.qcow2', 'ram', 'state'])(
  '%s cut short, with a flipped bit, or gone is damage',
  async (name, { kept }) => {
    const file = join(await kept.keep(), name)
    chmodSync(file, 0o600)
    const text = readFileSync(file)
    truncateSync(file, text.length - 1)
    expect(await kept.read()).toBe(`${name} has ${text.length - 1} bytes and not ${text.length}`)
    text[0] = (text[0] ?? 0) ^ 1
    writeFileSync(file, text)
    expect(await kept.read()).toMatch(
      new RegExp(`^${name} is not what was written: its SHA-256 is [0-9a-f]{64}$`),
    )
    rmSync(file)
    expect(await kept.read()).toBe(`${name} is missing`)
  },
)

test('a manifest that is cut short, of another frozen Pi, or gone is damage', async ({ kept }) => {
  const file = join(await kept.keep(), 'frozen.json')
  const text = readFileSync(file, 'utf8')
  chmodSync(file, 0o600)
  for (const [content, why] of [
    ['', 'frozen.json is none'],
    [text.slice(0, -10), 'frozen.json is none'],
    ['{}', 'frozen.json is none'],
    [text.replace(id, frozenId({ ...key, board: 'other' })), 'frozen.json is of another frozen Pi'],
  ] as const) {
    writeFileSync(file, content)
    expect(await kept.read()).toBe(why)
  }
  rmSync(file)
  expect(await kept.read()).toBe('frozen.json is missing')
})

test('a layer is one of its parent only', async ({ kept }) => {
  const layer = { id: 'b'.repeat(64), parent: 'a'.repeat(64) }
  await kept.keep(layer)
  expect(await kept.read(layer.id, layer.parent)).toMatchObject(layer)
  for (const parent of ['c'.repeat(64), undefined])
    expect(await kept.read(layer.id, parent)).toBe('frozen.json says that it lies on another frozen Pi')
})

test('the same answers give the same id, and each counts', () => {
  expect(frozenId({ ...key })).toBe(id)
  const others: Partial<FreezeKey>[] = [
    { image: 'image-2' },
    { board: 'other' },
    { qemuVersion: '10.0.2' },
    { kernelParameters: [] },
  ]
  expect(new Set([id, ...others.map((other) => frozenId({ ...key, ...other }))]).size).toBe(5)
})

test('one of another QEMU is not found, and its version can be told', async ({ kept }) => {
  const { cacheDir, keep, read } = kept
  await keep()
  const newer = { ...key, qemuVersion: '10.0.2' }
  expect(await read(frozenId(newer))).toBeUndefined()
  expect(await otherVersions(cacheDir, newer)).toEqual(['7.2.22'])
  expect(await otherVersions(cacheDir, key)).toEqual([])
  expect(await otherVersions(cacheDir, { ...newer, image: 'image-2' })).toEqual([])
  writeFileSync(join(cacheDir, 'frozen', 'notes'), '')
  mkdirSync(join(cacheDir, 'frozen', 'empty'))
  expect(await otherVersions(cacheDir, newer)).toEqual(['7.2.22'])
  expect(await otherVersions(join(cacheDir, 'none'), newer)).toEqual([])
})
