import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { clientKey } from '../../../src/image/keys.ts'
import { DirectoryPlace } from '../../../src/share/directory-place.ts'
import { shelfOf } from '../../../src/share/images.ts'
import { Share } from '../../../src/share/share.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { machine } from './machine.ts'

const test = base.extend('dir', () => scratchDir())

const recipe = 'a'.repeat(64)
const entry = {
  ...{ name: 'debian-12-arm64', recipe, id: 'b'.repeat(64), architecture: 'arm64', user: 'pi' },
  ...{ hostKeys: ['ssh-ed25519 AAAA'], cardBytes: 4 },
}

/** A machine with the images of a share. */
function machineWithShelf(dir: string, name: string) {
  const one = machine(dir, name)
  return { ...one, shelf: shelfOf(one.share, one.cacheDir) }
}

/** An image on the disk. */
function made(dir: string, about = entry): string {
  mkdirSync(dir)
  writeFileSync(join(dir, 'card.raw'), 'card')
  writeFileSync(join(dir, 'image.json'), JSON.stringify(about))
  return dir
}

test('an image comes to another machine; one of another recipe is told and not used', async ({ dir }) => {
  const one = machineWithShelf(dir, 'one')
  one.shelf.offerImage(recipe, made(join(one.cacheDir, 'image')))
  one.shelf.offerImage('c'.repeat(64), join(one.cacheDir, 'image'))
  await one.share.close()
  const two = machineWithShelf(dir, 'two')
  const place = join(two.cacheDir, 'fetched')
  expect(await two.shelf.fetchImage(recipe, place)).toBe(true)
  expect(readFileSync(join(place, 'card.raw'), 'utf8')).toBe('card')
  expect(await two.shelf.fetchImage('c'.repeat(64), `${place}-2`)).toBe(false)
  expect(two.said).toEqual([expect.stringContaining('image.json is of another image')])
  expect(existsSync(`${place}-2`)).toBe(false)
})

test('machines that share have one key, and what is no key is not taken for one', async ({ dir }) => {
  const one = machineWithShelf(dir, 'one')
  const { publicKey, privateKeyFile } = await clientKey(one.cacheDir, one.shelf)
  await one.shelf.joinKey(privateKeyFile)
  const two = machineWithShelf(dir, 'two')
  const key = await clientKey(two.cacheDir, two.shelf)
  expect(key.publicKey).toBe(publicKey)
  expect(statSync(key.privateKeyFile).mode & 0o777).toBe(0o600)
  await two.shelf.joinKey(key.privateKeyFile)
  two.shelf.offerImage(recipe, made(join(two.cacheDir, 'image')))
  await two.share.close()
  expect(await one.shelf.fetchImage(recipe, join(one.cacheDir, 'fetched'))).toBe(true)

  const other = join(dir, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'id_ed25519'), 'no key')
  const forger = new Share(new DirectoryPlace(join(other, 'share')), { cacheDir: other, log: () => {} })
  forger.offer('key', [join(other, 'id_ed25519')])
  await forger.close()
  const cacheDir = join(dir, 'three')
  mkdirSync(cacheDir)
  const share = new Share(new DirectoryPlace(join(other, 'share')), { cacheDir, log: () => {} })
  const own = await clientKey(cacheDir, shelfOf(share, cacheDir))
  expect(own.publicKey).toMatch(/^ssh-ed25519 /)
  expect(own.publicKey).not.toBe(publicKey)
})

test('a cache with a key of its own takes no part, and is told why', async ({ dir }) => {
  const one = machineWithShelf(dir, 'one')
  await one.shelf.joinKey((await clientKey(one.cacheDir, one.shelf)).privateKeyFile)
  one.shelf.offerImage(recipe, made(join(one.cacheDir, 'image')))
  await one.share.close()
  const two = machineWithShelf(dir, 'two')
  await two.shelf.joinKey((await clientKey(two.cacheDir)).privateKeyFile)
  expect(await two.shelf.fetchImage(recipe, join(two.cacheDir, 'fetched'))).toBe(false)
  expect(two.said).toEqual([expect.stringContaining('accept another key than those of this cache')])
})

test('where the key of a share has been lost, another takes its place', async ({ dir }) => {
  const one = machineWithShelf(dir, 'one')
  await one.shelf.joinKey((await clientKey(one.cacheDir, one.shelf)).privateKeyFile)
  rmSync(join(dir, 'share', 'content'), { recursive: true })
  const two = machineWithShelf(dir, 'two')
  const key = await clientKey(two.cacheDir, two.shelf)
  await two.shelf.joinKey(key.privateKeyFile)
  const three = machineWithShelf(dir, 'three')
  expect((await clientKey(three.cacheDir, three.shelf)).publicKey).toBe(key.publicKey)
  expect(two.said).toEqual([expect.stringContaining('is missing')])
})
