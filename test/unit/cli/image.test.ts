import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test, vi } from 'vitest'
import { runCli } from '../../../src/cli/program.ts'
import { sparseDigest } from '../../../src/host/sparse-digest.ts'
import { noteLockFile } from '../../../src/image/cache-users.ts'
import { pin } from '../../../src/image/lock-file.ts'
import { sha256 } from '../../support/image-server.ts'
import { makePiImage } from '../../support/pi-image.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { fakeHost } from '../host/fake-host.ts'

vi.setConfig({ testTimeout: 60_000 })

const MiB = 2 ** 20
const lite = { url: 'https://example.org/lite.img.xz', sha256: sha256('lite') }

/** A cache with an image that was downloaded, and one that was built. */
async function setUp() {
  const dir = scratchDir()
  const cacheDir = join(dir, 'cache')
  const keep = async (name: string, source?: object) => {
    const recipe = createHash('sha256').update(name).digest('hex')
    const place = join(cacheDir, 'images', recipe)
    mkdirSync(place, { recursive: true })
    const card = join(place, 'card.raw')
    writeFileSync(card, name)
    truncateSync(card, 16 * MiB)
    const entry = {
      ...{ name, recipe, id: recipe, architecture: 'arm64', user: 'pi', hostKeys: ['ssh-ed25519 AAAA'] },
      ...{ cardBytes: 16 * MiB, digest: await sparseDigest(card), source },
    }
    writeFileSync(join(place, 'image.json'), JSON.stringify(entry))
    return { card, recipe, place }
  }
  const built = await keep('debian-12-arm64')
  const pulled = await keep('lite.img.xz', { image: lite })
  const download = join(cacheDir, 'downloads', lite.sha256)
  mkdirSync(download, { recursive: true })
  writeFileSync(join(download, 'lite.img.xz'), 'lite')
  writeFileSync(join(download, 'download.json'), JSON.stringify(lite))

  const frozen = join(cacheDir, 'frozen', 'f'.repeat(64))
  mkdirSync(frozen, { recursive: true })
  await execa('qemu-img', [
    ...['create', '-q', '-f', 'qcow2', '-F', 'raw'],
    ...['-b', `../../images/${built.recipe}/card.raw`, join(frozen, 'card.qcow2')],
  ])
  const digest = await sparseDigest(join(frozen, 'card.qcow2'))
  writeFileSync(join(frozen, 'frozen.json'), JSON.stringify({ files: { card: { sha256: digest } } }))

  const layer = join(cacheDir, 'frozen', 'e'.repeat(64))
  mkdirSync(layer)
  await execa('qemu-img', [
    ...['create', '-q', '-f', 'qcow2', '-F', 'qcow2'],
    ...['-b', `../${'f'.repeat(64)}/card.qcow2`, join(layer, 'card.qcow2')],
  ])
  writeFileSync(join(layer, 'frozen.json'), JSON.stringify({ files: {} }))

  const run = async (...args: string[]) => {
    const [out, err]: [string[], string[]] = [[], []]
    const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
    const exitCode = await runCli(['image', ...args, '--cache-dir', cacheDir], output, fakeHost().context)
    return { exitCode, out: out.join('\n'), err: err.join('\n') }
  }
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)
  return { dir, cacheDir, built, pulled, download, frozen, layer, run, json }
}

async function flip(path: string, position: number) {
  const file = await open(path, 'r+')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position)
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, position)
  await file.close()
}

test('ls shows what the cache has, and what uses it', async () => {
  const { dir, cacheDir, run, json } = await setUp()
  pin(join(dir, 'vitest-raspi.lock.json'), { 'lite@latest': lite })
  noteLockFile(cacheDir, join(dir, 'vitest-raspi.lock.json'))
  const { out, exitCode } = await run('ls')
  expect(exitCode).toBe(0)
  expect(out).toMatch(/debian-12-arm64 +[0-9a-f]{12} +0\.0 MB +this minute +2 frozen Pis/)
  expect(out).toMatch(/lite\.img\.xz .*vitest-raspi\.lock\.json/)
  expect(await json('ls')).toContainEqual(
    expect.objectContaining({
      name: 'debian-12-arm64',
      frozen: ['e'.repeat(64), 'f'.repeat(64)],
      lockFiles: [],
      damage: null,
    }),
  )
})

test('verify finds one flipped byte, wherever it is', async () => {
  const { built, download, frozen, run, json } = await setUp()
  expect(await json('verify')).toMatchObject({
    ok: true,
    files: [{}, {}, {}, {}].map(() => ({ status: 'ok' })),
  })
  // In a hole, in a download, in a frozen Pi.
  for (const [path, position] of [
    [built.card, 9 * MiB],
    [join(download, 'lite.img.xz'), 2],
    [join(frozen, 'card.qcow2'), 100],
  ] as const) {
    await flip(path, position)
    const { exitCode, out } = await run('verify')
    expect(exitCode).toBe(1)
    expect(out).toContain(`damaged  ${path}: its digest is`)
    expect(out.match(/damaged/g)).toHaveLength(1)
    await flip(path, position)
  }
})

test('rm takes the frozen Pis with the image, and leaves the rest', async () => {
  const { built, pulled, frozen, layer, run } = await setUp()
  expect(await run('rm', built.recipe.slice(0, 8))).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/^Removed debian-12-arm64 \([0-9a-f]{12}\), .*, and its frozen Pis\.$/),
  })
  expect([built.place, frozen, layer, pulled.place].map(existsSync)).toEqual([false, false, false, true])
  expect(await run('rm', 'nothing')).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/^There is no image nothing in .*\n {2}There is: lite\.img\.xz\.$/),
  })
})

test('prune keeps what a lock file names, and what was used lately', async () => {
  const { dir, cacheDir, built, pulled, download, frozen, layer, run, json } = await setUp()
  const lockFile = join(dir, 'vitest-raspi.lock.json')
  pin(lockFile, { 'lite@latest': lite })
  noteLockFile(cacheDir, lockFile)
  expect((await run('prune')).out).toBe('Nothing to remove.')
  const old = new Date(Date.now() - 31 * 86_400_000)
  const part = join(cacheDir, 'downloads', `${'0'.repeat(64)}.part`)
  writeFileSync(part, 'half')
  for (const path of [built.place, pulled.place, download, layer, part]) utimesSync(path, old, old)
  // An image stays as long as one of its frozen Pis.
  expect((await run('prune', '--dry-run')).out).toMatch(/^Would remove .*\.part, .*\n.*in all\.$/)
  utimesSync(frozen, old, old)
  expect((await run('prune', '--dry-run')).out).toMatch(/^Would remove debian-12-arm64/)
  expect(existsSync(built.place)).toBe(true)
  expect(await json('prune')).toMatchObject({ images: [{ name: 'debian-12-arm64' }], strays: [{}, {}, {}] })
  expect([built.place, frozen, pulled.place, download].map(existsSync)).toEqual([false, false, true, true])

  // Nothing names it any longer.
  writeFileSync(lockFile, '{"version":1,"images":{}}')
  await run('prune')
  expect([pulled.place, download].map(existsSync)).toEqual([false, false])
})

test('inspect shows partitions, boot files, kernels and configuration', async () => {
  const { dir, run, json } = await setUp()
  const path = await makePiImage(dir)
  const before = readFileSync(path)
  const { out } = await run('inspect', path)
  expect(out).toMatch(/1 {2}FAT .* 42 MB {2}from byte 4194304\n {2}2 {2}ext4 .* 38 MB {2}from byte 46137344/)
  expect(out).toContain('kernel8.img  (Linux 6.12.47+rpt-rpi-v8)')
  expect(out).toMatch(/config\.txt\S*\n {2}arm_64bit=1\n/)
  expect(await json('inspect', path)).toMatchObject({
    system: 'Debian GNU/Linux 13 (trixie)',
    issue: 'Raspberry Pi reference 2026-09-15\n',
    kernels: { 'kernel8.img': '6.12.47+rpt-rpi-v8' },
  })
  expect(readFileSync(path).equals(before)).toBe(true)
  const xz = join(dir, 'pi.img.xz')
  writeFileSync(xz, Buffer.from('fd377a585a000000', 'hex'))
  expect(await run('inspect', xz)).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('it is compressed (xz)'),
  })
})

test('pull and build say which of them is meant', async () => {
  const { run } = await setUp()
  expect((await run('pull', 'debian-12-arm64')).err).toBe(
    'Image debian-12-arm64 cannot be pulled: it is built here.\n  vitest-raspi image build debian-12-arm64',
  )
  expect((await run('build', 'raspios-lite-arm64')).err).toContain('cannot be built here')
  expect((await run('pull')).err).toContain('No image to pull was named.')
  expect((await run('pull', './nowhere.img')).err).toMatch(/there is no file .*\/nowhere\.img/)
  // A name that there is not is a wrong command line to both.
  for (const command of ['pull', 'build']) expect(await run(command, 'nope')).toMatchObject({ exitCode: 2 })
})

test.for(['ls', 'pull', 'build', 'inspect', 'rm', 'prune', 'verify'])(
  '%s tells how it is used',
  async (command) => {
    const out: string[] = []
    const output = { out: (line: string) => out.push(line), err: (line: string) => out.push(line) }
    expect(await runCli(['image', command, '--help'], output, fakeHost().context)).toBe(0)
    expect(out.join('\n')).toMatch(/--json .*Exit codes:/s)
  },
)
