import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getuid } from 'node:process'
import { fileURLToPath } from 'node:url'
import { execa, execaNode } from 'execa'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ImageServer } from '../../support/image-server.ts'
import { makePiImage } from '../../support/pi-image.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const MiB = 2 ** 20
const pull = fileURLToPath(new URL('../../support/pull.ts', import.meta.url))

let packed: Buffer
beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'vitest-raspi-test-'))
  const input = readFileSync(await makePiImage(dir))
  packed = (await execa('xz', ['-0', '--stdout'], { input, encoding: 'buffer' })).stdout as Buffer
  rmSync(dir, { recursive: true })
})

async function setUp() {
  const server = await ImageServer.start()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const cacheDir = join(scratchDir(), 'cache')
  mkdirSync(cacheDir)
  const url = server.put('/pi.img.xz', packed, { etag: '"one"' })
  const start = (dieAt?: string) =>
    execaNode(pull, [cacheDir, JSON.stringify(url), ...(dieAt ? [dieAt] : [])], {
      reject: false,
      nodeOptions: [],
    })
  return { server, cacheDir, url, start }
}

test('eight processes that want the same image at the same time download it once', async () => {
  const { server, cacheDir, start } = await setUp()
  const results = await Promise.all(Array.from({ length: 8 }, () => start()))
  expect(
    results
      .map(({ stderr, exitCode }) => exitCode || stderr.match(/downloading it.*: done/g)?.length || 0)
      .sort(),
  ).toEqual([0, 0, 0, 0, 0, 0, 0, 1])
  expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1)
  expect(server.count('/pi.img.xz')).toBe(1)
  expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([])
})

test.for([
  ['it is about to download', 'fetching it'],
  ['it downloads', 'downloading it'],
  ['it has half of it', 'broke off at 50 %'],
  ['it has downloaded', 'downloading it: done'],
  ['it unpacks', 'unpacking it …'],
  ['it has unpacked', 'unpacking it: done'],
  ['it sets it up', 'setting it up …'],
  ['it has set it up', 'setting it up: done'],
  ['it is done', 'ready after'],
])('killed when %s, the next process has the image, and nothing is left over', async ([, line]) => {
  const { server, cacheDir, start } = await setUp()
  server.faults.set('/pi.img.xz', [{ dropAt: 0.5 }])
  const killed = await start(line)
  expect(killed.signal, killed.stdout).toBe('SIGKILL')
  // As if ten seconds had passed, after which a lock whose owner has died counts no more.
  const lock = join(cacheDir, 'images.lock')
  if (existsSync(lock)) utimesSync(lock, new Date(0), new Date(0))

  const { exitCode, stdout, stderr } = await start()
  expect(exitCode, stdout).toBe(0)
  expect(stdout).toMatch(/^[0-9a-f]{64}$/)
  expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([])
  expect(readdirSync(join(cacheDir, 'images'))).toHaveLength(1)
  expect(readdirSync(join(cacheDir, 'downloads'))).toHaveLength(1)
  if (line?.includes('50 %'))
    expect(server.requests.at(-1)?.range).toBe(`bytes=${Math.floor(packed.length / 2)}-`)
  if (line?.includes('ready')) expect(stderr).toBe('')
})

test('nothing is left over where no process may have namespaces of its own', async () => {
  const { cacheDir } = await setUp()
  const dir = scratchDir()
  writeFileSync(join(dir, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  writeFileSync(join(dir, 'pi.img'), 'damaged')
  const { exitCode } = await execaNode(pull, [cacheDir, JSON.stringify(join(dir, 'pi.img'))], {
    ...{ reject: false, nodeOptions: [], env: { PATH: `${dir}:${process.env.PATH}` } },
  })
  expect(exitCode).toBe(1)
  expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([])
})

describe.runIf(process.platform === 'linux' && getuid?.() === 0)('on a disk', () => {
  /** Runs a process in mounts of its own, which go with it. */
  const within = (mount: string, args: string[]) =>
    execa('unshare', ['--mount', 'sh', '-ec', `${mount}; exec "$@"`, 'sh', process.execPath, pull, ...args], {
      reject: false,
    })

  test('too small for the download, nothing is downloaded', async () => {
    const { server, cacheDir } = await setUp()
    const url = server.put('/big.img.xz', randomBytes(4 * MiB))
    const { stdout } = await within(`mount -t tmpfs -o size=3m tmpfs ${cacheDir}`, [
      cacheDir,
      JSON.stringify(url),
    ])
    expect(stdout).toMatch(
      /^Image big\.img\.xz has no room: .* free, the download needs 4\.2 MB\.\n {2}Make room/,
    )
    expect(server.count('/big.img.xz')).toBe(1)
  })

  test('that fills up, it is told', async () => {
    const { server, cacheDir } = await setUp()
    const url = server.put('/big.img.xz', randomBytes(4 * MiB), { length: false })
    const { stdout } = await within(`mount -t tmpfs -o size=3m tmpfs ${cacheDir}`, [
      cacheDir,
      JSON.stringify(url),
    ])
    expect(stdout).toMatch(/^Image big\.img\.xz has no room: the disk of .* is full\.\n {2}Make room/)
  })

  test('too small for what is in it, it is told', async () => {
    const { cacheDir, url } = await setUp()
    const { stdout } = await within(`mount -t tmpfs -o size=${packed.length + 2 ** 19} tmpfs ${cacheDir}`, [
      cacheDir,
      JSON.stringify(url),
    ])
    expect(stdout).toMatch(/^Image pi\.img\.xz has no room: /)
  })

  test('that cannot be written to, an image that is there is used and no other made', async () => {
    const { server, cacheDir, start, url } = await setUp()
    const readOnly = `mount --bind ${cacheDir} ${cacheDir}; mount -o remount,ro,bind ${cacheDir}`
    const { stdout } = await within(readOnly, [cacheDir, JSON.stringify(url)])
    expect(stdout).toMatch(/^Image pi\.img\.xz cannot be kept: .* cannot be written to\.\n {2}Make it yours/)
    const { stdout: id } = await start()
    expect(await within(readOnly, [cacheDir, JSON.stringify(url)])).toMatchObject({ stdout: id, exitCode: 0 })
    expect(server.count('/pi.img.xz')).toBe(1)
  })
})
