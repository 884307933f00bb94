import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { readText, withPart } from '../../../src/image/card-edit.ts'
import { readCardParts } from '../../../src/image/parts.ts'
import { resolveImage } from '../../../src/image/resolve-image.ts'
import type { ImageOption } from '../../../src/image-option.ts'
import { ImageServer, sha256 } from '../../support/image-server.ts'
import { elf, makePiImage, mke2fs, type PiImageOptions } from '../../support/pi-image.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

// File systems are made and checked by programs, which a busy host keeps waiting.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const GiB = 2 ** 30
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

let image: Buffer
let packed: Buffer
beforeAll(async () => {
  ;({ image, packed } = await freshImage())
})

async function freshImage(options?: PiImageOptions) {
  const path = await makePiImage(mkdirIn(), options)
  const image = readFileSync(path)
  return { image, packed: await xz(image) }
}

const dirs: string[] = []
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true })
})
function mkdirIn() {
  const dir = mkdtempSync(join(tmpdir(), 'vitest-raspi-test-'))
  dirs.push(dir)
  return dir
}

const xz = async (input: Buffer) =>
  (await execa('xz', ['-0', '--stdout'], { input, encoding: 'buffer' })).stdout as Buffer

async function setUp() {
  const server = await ImageServer.start()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const cacheDir = join(scratchDir(), 'cache')
  const lines: string[] = []
  const context = {
    ...{ cacheDir, baseDir: cacheDir, log: (line: string) => lines.push(line) },
    patience: { failures: 1, retryMs: 1 },
  }
  const resolve = (option: ImageOption) => resolveImage(option, context)
  const fail = (option: ImageOption) =>
    resolve(option).then(
      () => expect.fail('it was taken'),
      (error: Error) => error.message,
    )
  return { server, cacheDir, lines, resolve, fail, context }
}

/** What nothing may be left of. */
const leftovers = (cacheDir: string) => readdirSync(join(cacheDir, 'tmp'))

test('an image of Raspberry Pi OS becomes one that lets us in, from nothing but its URL', async () => {
  const { server, cacheDir, resolve } = await setUp()
  const url = server.put('/pi.img.xz', packed)
  const pi = await resolve(url)
  expect(pi).toMatchObject({ name: 'pi.img.xz', user: 'pi', architecture: 'arm64' })
  expect(statSync(pi.path)).toMatchObject({ size: 4 * GiB, mode: 0o100444 })
  expect(statSync(pi.path).blocks * 512).toBeLessThan(64 * 2 ** 20)

  // The root part reaches the card's end, and everything on it is in order.
  const { root } = await readCardParts('pi', pi.path)
  expect(root.offset + root.size).toBe(4 * GiB)
  const { stdout: fsck } = await execa('e2fsck', ['-fn', `${pi.path}?offset=${root.offset}`], {
    env: { PATH },
  })
  expect(fsck).toMatch(/Pass 5.*\n.*: \d+\/\d+ files/)
  const { stdout: header } = await execa('dumpe2fs', ['-h', `${pi.path}?offset=${root.offset}`], {
    env: { PATH },
  })
  const number = (what: string) => Number(new RegExp(`^${what}: +(\\d+)`, 'm').exec(header)?.[1])
  expect(number('Block count') * number('Block size')).toBe(root.size)

  const publicKey = readFileSync(join(cacheDir, 'keys/id_ed25519.pub'), 'utf8')
  await withPart(pi.path, 2, 'read', async (fs) => {
    const text = async (path: string) => (await readText(fs, path)) ?? expect.fail(`no ${path}`)
    const owned = async (path: string) => {
      const { mode, uid, gid } = await fs.lstat(path)
      return { mode: mode & 0o7777, uid, gid }
    }
    expect(await text('/etc/passwd')).toContain('pi:x:1000:1000:,,,:/home/pi:/bin/bash\n')
    expect(await text('/etc/shadow')).toContain('\npi:*:19000:0:99999:7:::\n')
    expect(await owned('/etc/shadow')).toMatchObject({ mode: 0o640 })
    expect(await text('/home/pi/.ssh/authorized_keys')).toBe(publicKey)
    expect(await owned('/home/pi/.ssh/authorized_keys')).toEqual({ mode: 0o600, uid: 1000, gid: 1000 })
    expect(await owned('/home/pi/.ssh')).toEqual({ mode: 0o700, uid: 1000, gid: 1000 })
    expect(await text('/etc/sudoers.d/zz-vitest-raspi')).toBe('pi ALL=(ALL) NOPASSWD: ALL\n')
    expect(await owned('/etc/sudoers.d/zz-vitest-raspi')).toEqual({ mode: 0o440, uid: 0, gid: 0 })
    expect(await owned('/etc/ssh/ssh_host_ed25519_key')).toEqual({ mode: 0o600, uid: 0, gid: 0 })
    expect(pi.hostKeys).toContain(
      (await text('/etc/ssh/ssh_host_ed25519_key.pub')).split(' ').slice(0, 2).join(' '),
    )
    expect(await fs.readlink('/etc/systemd/system/multi-user.target.wants/ssh.service')).toBe(
      '/usr/lib/systemd/system/ssh.service',
    )
    for (const unit of ['userconfig', 'rpi-resize', 'regenerate_ssh_host_keys', 'resize2fs_once'])
      expect(await fs.readlink(`/etc/systemd/system/${unit}.service`), unit).toBe('/dev/null')
    // Only what is there is masked.
    expect(await fs.readdir('/etc/systemd/system')).not.toContain('rpi-eeprom-update.service')
  })
  await withPart(pi.path, 1, 'read', async (fs) => {
    expect(await readText(fs, '/cmdline.txt')).toBe(
      'console=serial0,115200 console=tty1 root=PARTUUID=12345678-02 rootfstype=ext4 fsck.repair=yes rootwait quiet\n',
    )
    expect(await readText(fs, '/userconf.txt')).toBe('pi:*\n')
    expect(await readText(fs, '/ssh')).toBe('\n')
  })

  // A second time it is there, and its server need not be.
  await server[Symbol.asyncDispose]()
  expect(await resolve(url)).toEqual(pi)
  expect(leftovers(cacheDir)).toEqual([])
  // What was downloaded is as it was.
  const [sum = ''] = readdirSync(join(cacheDir, 'downloads'))
  expect(sha256(readFileSync(join(cacheDir, 'downloads', sum, 'pi.img.xz')))).toBe(sum)
})

test.for(['zst', 'gz', 'zip', 'img'])('an image may come as %s', async (kind) => {
  const { cacheDir, resolve } = await setUp()
  mkdirSync(cacheDir)
  const file = join(cacheDir, `pi.${kind}`)
  const pack = { zst: zstdCompressSync, gz: gzipSync, zip: zipped, img: (content: Buffer) => content }
  writeFileSync(file, pack[kind as 'zst'](image))
  const before = readFileSync(file)
  expect(await resolve(`./pi.${kind}`)).toMatchObject({ architecture: 'arm64' })
  expect(readFileSync(file).equals(before)).toBe(true)
})

function zipped(content: Buffer): Buffer {
  const dir = mkdirIn()
  writeFileSync(join(dir, 'pi.img'), content)
  writeFileSync(join(dir, 'README.txt'), 'about it')
  execFileSync('python3', ['-m', 'zipfile', '-c', 'pi.zip', 'README.txt', 'pi.img'], { cwd: dir })
  return readFileSync(join(dir, 'pi.zip'))
}

test('a file of the user’s that has changed is taken anew', async () => {
  const { cacheDir, resolve } = await setUp()
  mkdirSync(cacheDir)
  writeFileSync(join(cacheDir, 'pi.img.xz'), packed)
  const first = await resolve({ file: 'pi.img.xz', sha256: sha256(packed) })
  expect(await resolve({ file: 'pi.img.xz', sha256: sha256(packed) })).toEqual(first)
  writeFileSync(join(cacheDir, 'pi.img.xz'), await xz(Buffer.concat([image, Buffer.alloc(512)])))
  expect((await resolve('./pi.img.xz')).id).not.toBe(first.id)
})

test('files of the user’s, another user, and cloud-init by what the boot part shows', async () => {
  const { packed } = await freshImage({ boot: { 'user-data': '#cloud-config\n', 'meta-data': '\n' } })
  const { server, resolve } = await setUp()
  const pi = await resolve({
    url: server.put('/pi.img.xz', packed),
    user: 'ansible',
    files: { '/etc/motd': 'hello\n', '/opt/own/run': { content: '#!/bin/sh\n', mode: '0755' } },
  })
  expect(pi.user).toBe('ansible')
  await withPart(pi.path, 2, 'read', async (fs) => {
    const text = async (path: string) => (await readText(fs, path)) ?? expect.fail(`no ${path}`)
    expect(await text('/etc/motd')).toBe('hello\n')
    expect((await fs.lstat('/opt/own/run')).mode & 0o7777).toBe(0o755)
    expect(await text('/etc/passwd')).toContain('\nansible:x:1000:1000:,,,:/home/ansible:/bin/bash\n')
    expect(await text('/etc/passwd')).not.toContain('pi:')
    expect(await text('/etc/group')).toContain('sudo:x:27:ansible\nansible:x:1000:\n')
    expect(await text('/etc/gshadow')).toContain('sudo:*::ansible\nansible:!::\n')
    expect(await fs.readdir('/home')).toEqual(['ansible'])
    expect(await text('/home/ansible/.profile')).toBe('# theirs\n')
  })
  await withPart(pi.path, 1, 'read', async (fs) => {
    const seed = (await readText(fs, '/user-data')) ?? ''
    expect(seed).toMatch(/^#cloud-config\n\{/)
    expect(JSON.parse(seed.replace('#cloud-config', ''))).toMatchObject({
      ssh_deletekeys: false,
      users: [{ name: 'ansible', sudo: 'ALL=(ALL) NOPASSWD:ALL' }],
    })
    expect((await fs.readdir('/')).map((name) => name.toLowerCase())).not.toContain('userconf.txt')
  })
})

test('no checksum, no download', async () => {
  const { server, fail } = await setUp()
  const url = server.put('/pi.img.xz', packed, { checksum: false })
  expect(await fail(url)).toMatch(
    /pi\.img\.xz is not downloaded, because nothing tells whether it is whole: there is nothing at .*pi\.img\.xz\.sha256\.\n {2}Give its checksum/,
  )
  expect(server.count('/pi.img.xz')).toBe(0)
})

test('a checksum may be somewhere else, for several files', async () => {
  const { server, resolve, fail } = await setUp()
  const url = server.put('/pi.img.xz', packed, { checksum: false })
  const checksumUrl = server.put('/SHA256SUMS', `${sha256('x')}  other.img\n${sha256(packed)} *pi.img.xz\n`)
  expect(await fail({ url, checksumUrl: server.put('/none', `${sha256('x')}  other.img\n`) })).toContain(
    'has no SHA-256 of pi.img.xz',
  )
  expect(await resolve({ url, checksumUrl })).toMatchObject({ name: 'pi.img.xz' })
})

test('what is cut short is not unpacked, and leaves nothing', async () => {
  const { server, cacheDir, fail } = await setUp()
  const url = server.put('/pi.img.xz', packed.subarray(0, packed.length / 2))
  expect(await fail(url)).toMatch(/^Image pi\.img\.xz cannot be unpacked \(xz\): Unexpected end of input\.\n/)
  expect(leftovers(cacheDir)).toEqual([])
  expect(readdirSync(join(cacheDir, 'images'))).toEqual([])
})

test('a bomb is unpacked no further than it should be large', async () => {
  const { server, cacheDir, fail } = await setUp()
  const bomb = await execa('sh', ['-c', 'head -c 256M /dev/zero | xz -0'], { encoding: 'buffer' })
  const url = server.put('/pi.img.xz', Buffer.from(bomb.stdout))
  const message = await fail({ url, extractedBytes: 80 * 2 ** 20 })
  expect(message).toContain(`unpacked, it has more than the ${80 * 2 ** 20} bytes it should have`)
  expect(leftovers(cacheDir)).toEqual([])
})

test('what is in it must be what the list says', async () => {
  const { server, fail } = await setUp()
  const url = server.put('/pi.img.xz', packed)
  expect(await fail({ url, extractedSha256: sha256('other') })).toContain(
    `unpacked, it has the SHA-256 ${sha256(image)}, and should have ${sha256('other')}`,
  )
  expect(await fail({ url, extractedBytes: image.length + 1 })).toContain(
    `unpacked, it has ${image.length} bytes, and should have ${image.length + 1}`,
  )
})

const others: [string, string, () => Promise<Buffer> | Buffer][] = [
  ['without a partition table', 'it has no partition table', () => Buffer.alloc(2 ** 20, 'x')],
  [
    'without partitions',
    'it has an MBR partition table with no partitions',
    () => {
      const empty = Buffer.alloc(2 ** 20)
      empty.writeUInt16LE(0xaa55, 510)
      return empty
    },
  ],
  [
    'whose root is not ext4',
    'it has an MBR partition table with 1: FAT, 2: ext2 or ext3',
    async () => (await freshImage({ mkfs: (path, at, bytes) => mke2fs(path, at, bytes, 'ext2') })).image,
  ],
  [
    'whose root has nothing on it',
    'it has an MBR partition table with 1: FAT, 2: nothing known',
    async () => (await freshImage({ mkfs: async () => {} })).image,
  ],
  [
    'for another processor',
    'its programs are of x86-64',
    async () => (await freshImage({ root: { '/usr/bin/dpkg': elf(62) } })).image,
  ],
]
test.for(others)('an image %s is none of a Pi: %s', async ([, why, make]) => {
  const { server, cacheDir, fail } = await setUp()
  const message = await fail(server.put('/pi.img', await make()))
  expect(message).toMatch(/^Image pi\.img is none of a Raspberry Pi: /)
  expect(message).toContain(why)
  expect(readdirSync(join(cacheDir, 'images'))).toEqual([])
})

test('an image without sshd is refused', async () => {
  const { packed } = await freshImage({ root: { '/usr/lib/systemd/system/ssh.service': undefined } })
  const { server, fail } = await setUp()
  expect(await fail(server.put('/pi.img.xz', packed))).toContain(
    'cannot be logged in to: it has no OpenSSH server',
  )
})

test('a damaged root file system is not used', async () => {
  const file = join(mkdirIn(), 'pi.img')
  writeFileSync(file, image)
  const { root } = await readCardParts('pi', file)
  const broken = Buffer.from(image)
  // The table of the block groups.
  broken.fill(0xff, root.offset + 1024, root.offset + 1024 + 40)
  broken.writeUInt16LE(0xef53, root.offset + 1024 + 56)
  const { server, fail } = await setUp()
  expect(await fail(server.put('/pi.img', broken))).toMatch(/e2fsck fails on its root file system/)
})

test('the architecture is the one of its programs, and what is in it may be known', async () => {
  const { image, packed } = await freshImage({ root: { '/usr/bin/dpkg': elf(40, 0x400) } })
  const { server, resolve } = await setUp()
  const url = server.put('/pi.img.xz', packed)
  const known = { extractedBytes: image.length, extractedSha256: sha256(image) }
  expect(await resolve({ url, ...known })).toMatchObject({ architecture: 'armhf' })
})
