import { readdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as digests from '../../../src/host/file-digest.ts'
import { adoptionId } from '../../../src/image/adopt.ts'
import { localDigest } from '../../../src/image/local-file.ts'
import { sha256 } from '../../support/image-server.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

vi.mock('../../../src/host/file-digest.ts', { spy: true })

function setUp() {
  const cacheDir = scratchDir()
  const path = join(scratchDir(), 'pi.img')
  writeFileSync(path, 'image 1')
  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  const read = (given?: string) => localDigest('pi.img', { file: path, sha256: given }, { cacheDir, log })
  const id = async () =>
    adoptionId({
      ...{ name: 'pi.img', user: 'pi', publicKey: 'ssh-ed25519', initFormat: undefined, files: [] },
      source: { file: { path, sha256: await read() } },
    })
  vi.mocked(digests.fileDigest).mockClear()
  return { cacheDir, path, lines, read, id }
}

test('a file is what is in it: another time of it is nothing, another byte is', async () => {
  const { path, id } = setUp()
  const before = await id()
  utimesSync(path, 1_000, 1_000)
  expect(await id()).toBe(before)
  writeFileSync(path, 'image 2')
  expect(await id()).not.toBe(before)
})

test('a file that was built anew with the size and the time of the old one is another', async () => {
  const { path, read } = setUp()
  const builds = ['image 1', 'image 2', 'image 3'].map((text) => {
    const build = join(path, '..', text)
    writeFileSync(build, text)
    utimesSync(build, 1, 1)
    return build
  })
  const [first = '', second = '', third = ''] = builds
  renameSync(first, path)
  expect(await read()).toBe(sha256('image 1'))
  // The clock of files ticks every few ms.
  await delay(20)
  writeFileSync(path, 'image 0')
  utimesSync(path, 1, 1)
  expect(await read()).toBe(sha256('image 0'))
  renameSync(second, path)
  expect(await read()).toBe(sha256('image 2'))
  renameSync(path, second)
  symlinkSync(third, path)
  expect(await read()).toBe(sha256('image 3'))
})

test('a file is what its SHA-256 says, where that is given, or it is refused', async () => {
  const { path, read } = setUp()
  expect(await read(sha256('image 1'))).toBe(sha256('image 1'))
  writeFileSync(path, 'image two')
  await expect(read(sha256('image 1'))).rejects.toThrow(
    `Image pi.img is not used: ${path} has the SHA-256 ${sha256('image two')}, and should have ${sha256('image 1')}.`,
  )
})

test('a file is read once, whether its SHA-256 is given or not', async () => {
  const { cacheDir, path, read } = setUp()
  expect([await read(), await read(sha256('image 1'))]).toEqual([sha256('image 1'), sha256('image 1')])
  expect(digests.fileDigest).toHaveBeenCalledTimes(1)
  // What is remembered is damaged.
  const [note = ''] = readdirSync(join(cacheDir, 'files'))
  writeFileSync(join(cacheDir, 'files', note), '{')
  expect(await read()).toBe(sha256('image 1'))
  utimesSync(path, 1_000, 1_000)
  await read()
  expect(digests.fileDigest).toHaveBeenCalledTimes(3)
})

test('only a file that takes long to read is told of', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { path, lines, read } = setUp()
  const { promise, resolve } = Promise.withResolvers<string>()
  vi.mocked(digests.fileDigest).mockReturnValueOnce(promise)
  const reading = read()
  await expect.poll(() => digests.fileDigest).toHaveBeenCalled()
  vi.advanceTimersByTime(1_900)
  expect(lines).toEqual([])
  vi.advanceTimersByTime(200)
  expect(lines).toEqual([`Image pi.img: reading ${path}, to know it by its content`])
  resolve('sum')
  expect(await reading).toBe('sum')
})
