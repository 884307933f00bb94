import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { removeEntry, unusedEntries, unusedImages } from '../../../src/freeze/cache-entries.ts'
import { markUsed } from '../../../src/host/last-use.ts'
import { RunDir } from '../../../src/host/run-dir.ts'
import { pin } from '../../../src/image/lock-file.ts'

let cache: string
const limit = new Date('2026-10-01')
const long = new Date('2026-01-01')
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(64)) as [string, string, string, string]

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'cache-'))
  onTestFinished(() => rmSync(cache, { recursive: true }))
})

/** Makes an entry that was used last `at`; a frozen Pi's card is a change to the entry `below`. */
function entry(kind: 'images' | 'frozen' | 'downloads', id: string, at: Date, below?: string): string {
  const dir = join(cache, kind, id)
  mkdirSync(dir, { recursive: true })
  writeFileSync(
    join(dir, below ? 'card.qcow2' : 'card.raw'),
    `QFI\xfb\0\0${below ? `../../images/${below}/card.raw` : ''}`,
  )
  utimesSync(dir, at, at)
  return dir
}

const unused = async () => (await unusedEntries(cache, limit)).map(({ id }) => id)

test('what nothing has used for long is found, frozen Pis before their images', async () => {
  entry('images', a, long)
  entry('frozen', b, long, a)
  entry('images', c, new Date())
  expect(await unused()).toEqual([b, a])
})

test('an image stays as long as a frozen Pi that is kept is a change to it, or to one that is', async () => {
  entry('images', a, long)
  entry('frozen', b, long, a)
  entry('frozen', c, new Date(), b)
  entry('frozen', d, long, a)
  expect(await unused()).toEqual([d])
})

test('what a lock file names is kept, and what an image that is kept was made of', async () => {
  const downloads = [a, b, c].map((sum) => entry('downloads', sum, long))
  const image = entry('images', d, long)
  const about = {
    ...{ name: 'lite', recipe: d, id: d, architecture: 'arm64', user: 'pi', hostKeys: ['key'], cardBytes: 7 },
    source: { image: { url: 'https://example.org/lite.img', sha256: b } },
  }
  writeFileSync(join(image, 'image.json'), JSON.stringify(about))
  utimesSync(image, long, long)
  expect(await unused()).toEqual([d, a, b, c])
  const lockFile = join(cache, 'vitest-raspi.lock.json')
  pin(lockFile, { 'lite@latest': { url: 'https://example.org/lite.img', sha256: b } })
  expect((await unusedEntries(cache, limit, [lockFile])).map(({ dir }) => dir)).toEqual([
    downloads[0],
    downloads[2],
  ])
})

test('of images only, a frozen Pi goes with its image, or where it has none', async () => {
  entry('images', a, new Date())
  entry('frozen', b, long, a)
  entry('images', c, long)
  entry('frozen', d, long, c)
  const orphan = 'e'.repeat(64)
  entry('frozen', orphan, long, 'f'.repeat(64))
  expect(await unused()).toEqual([b, d, orphan, c])
  expect((await unusedImages(cache, limit)).map(({ id }) => id)).toEqual([d, orphan, c])
})

test('using it keeps it', async () => {
  const dir = entry('images', a, long)
  await markUsed(dir)
  expect(await unused()).toEqual([])
  await markUsed(join(cache, 'nothing'))
})

test.runIf(process.platform === 'linux')('what a running process names is kept', async () => {
  const dir = entry('frozen', b, long, a)
  entry('images', a, long)
  const running = execa('tail', ['-f', '--pid', String(process.pid), '/dev/null', dir], { reject: false })
  onTestFinished(async () => {
    running.kill('SIGKILL')
    await running
  })
  await expect.poll(unused).toEqual([])
})

test('what the card of a run that lives is a change to is kept, with all below it', async () => {
  entry('images', a, long)
  entry('frozen', b, long, a)
  entry('frozen', c, long, b)
  entry('frozen', d, long, a)
  const run = new RunDir()
  onTestFinished(() => run.remove())
  // A checkpoint of the Pi, on which its own card lies.
  mkdirSync(join(run.path, '1/k1'), { recursive: true })
  writeFileSync(join(run.path, '1/card.qcow2'), `QFI\xfb${run.path}/1/k1/card.qcow2`)
  writeFileSync(join(run.path, '1/k1/card.qcow2'), `QFI\xfb${cache}/frozen/${c}/card.qcow2`)
  expect(await unused()).toEqual([d])
  run.remove()
  expect(await unused()).toEqual([b, c, d, a])
})

test('what is removed is out of its place, and nothing else', async () => {
  const dir = entry('images', a, long)
  entry('images', b, new Date())
  mkdirSync(join(cache, 'images', 'lock'))
  const [found] = await unusedEntries(cache, limit)
  expect(found).toMatchObject({ kind: 'image', dir, bytes: expect.any(Number) })
  await removeEntry(cache, found as NonNullable<typeof found>)
  expect(existsSync(dir)).toBe(false)
  expect(readdirSync(join(cache, 'images')).sort()).toEqual([b, 'lock'])
  expect(readdirSync(join(cache, 'tmp'))).toEqual([])
})

test('a cache that is not there has nothing', async () => {
  expect(await unusedEntries(join(cache, 'nothing'), limit)).toEqual([])
})
