import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Entry, entryDir, imageId, readEntry } from '../../../src/image/store.ts'

const entry: Entry = {
  name: 'debian-12-arm64',
  recipe: 'abc',
  id: 'abc-1',
  architecture: 'arm64',
  user: 'pi',
  hostKeys: ['ssh-ed25519 AAAA'],
  cardBytes: 4,
}

let cacheDir: string
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'vitest-raspi-store-'))
})
afterEach(() => rmSync(cacheDir, { recursive: true }))

function keep(description: unknown, card = 'card') {
  const dir = entryDir(cacheDir, 'abc')
  mkdirSync(dir, { recursive: true })
  writeFileSync(
    join(dir, 'image.json'),
    typeof description === 'string' ? description : JSON.stringify(description),
  )
  writeFileSync(join(dir, 'card.raw'), card)
  return dir
}

test('an image that is not kept is not found', () => {
  expect(readEntry(cacheDir, 'abc')).toBeUndefined()
})

test('an image that is kept is found', () => {
  keep(entry)
  expect(readEntry(cacheDir, 'abc')).toEqual(entry)
})

test('a card of another size is damaged', () => {
  keep(entry, 'ca')
  expect(readEntry(cacheDir, 'abc')).toBe('card.raw has 2 bytes and not 4')
})

test('a missing card is damage', () => {
  rmSync(join(keep(entry), 'card.raw'))
  expect(readEntry(cacheDir, 'abc')).toBe('image.json or card.raw is missing')
})

test.each([
  ['half a description', '{"name": "deb'],
  ['a description of another version', { ...entry, hostKeys: undefined }],
])('%s is damage', (_, description) => {
  keep(description)
  expect(readEntry(cacheDir, 'abc')).toBe('image.json cannot be read')
})

test('the description of another image is damage', () => {
  keep({ ...entry, recipe: 'def' })
  expect(readEntry(cacheDir, 'abc')).toBe('image.json is of another image')
})

test('two builds of one recipe are two images', () => {
  expect(imageId('abc', ['ssh-ed25519 AAAA'])).not.toBe(imageId('abc', ['ssh-ed25519 BBBB']))
  expect(imageId('abc', ['ssh-ed25519 AAAA'])).toBe(imageId('abc', ['ssh-ed25519 AAAA']))
})
