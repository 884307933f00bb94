import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { downloadFile, downloadsDir, fileIn } from '../../../src/image/downloads.ts'
import { lockFileName } from '../../../src/image/lock-file.ts'
import { parseReference } from '../../../src/image/reference.ts'
import type { RemoteImage } from '../../../src/image/remote-image.ts'
import { resolveRemote } from '../../../src/image/resolve-remote.ts'
import { cardFile, type Entry, entryDir, entryFile } from '../../../src/image/store.ts'
import type { ImageOption } from '../../../src/image-option.ts'
import { ImageServer, sha256 } from '../../support/image-server.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const list = (base: string, date: string, file = date) => ({
  imager: { latest_version: '2.0.0' },
  os_list: [
    {
      name: 'Raspberry Pi OS (64-bit)',
      url: `${base}/raspios_arm64/images/raspios_arm64-${date}/${file}-raspios-trixie-arm64.img.xz`,
      release_date: date,
      image_download_sha256: sha256('desktop'),
    },
    {
      name: 'Raspberry Pi OS (other)',
      subitems: [
        {
          name: 'Raspberry Pi OS Lite (64-bit)',
          url: `${base}/raspios_lite_arm64/images/raspios_lite_arm64-${date}/${file}-raspios-trixie-arm64-lite.img.xz`,
          release_date: date,
          image_download_size: 500_000_000,
          image_download_sha256: sha256(date).toUpperCase(),
          extract_size: 2_900_000_000,
          extract_sha256: sha256('extracted'),
          init_format: 'cloudinit-rpi',
        },
        { name: 'A list of others', subitems_url: `${base}/other.json` },
      ],
    },
  ],
})

async function setUp(date = '2026-09-15', file = '2026-09-14') {
  const server = await ImageServer.start()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const publish = (date: string, file?: string) =>
    server.put(
      '/os_list_imagingutility_v4.json',
      JSON.stringify(list('https://downloads.raspberrypi.com', date, file)),
    )
  publish(date, file)
  const dir = scratchDir()
  const lockFile = join(dir, lockFileName)
  const lines: string[] = []
  const resolve = (option: ImageOption, more: { update?: boolean; lockFile?: undefined } = {}) => {
    const named = typeof option === 'string' ? { name: option, baseUrl: server.url } : option
    const reference = parseReference(named)
    if (reference.kind === 'recipe' || reference.kind === 'file') throw new TypeError(reference.kind)
    return resolveRemote(reference, {
      ...{ cacheDir: dir, log: (line: string) => lines.push(line), lockFile, retryMs: 1 },
      ...more,
    })
  }
  return { server, publish, dir, lockFile, lines, resolve }
}

/** Has the cache hold a download of `image`. */
function keepDownload(cacheDir: string, image: RemoteImage): void {
  const dir = join(downloadsDir(cacheDir), image.sha256)
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, downloadFile), JSON.stringify(image))
  writeFileSync(join(dir, fileIn(image)), '')
}

/** Has the cache hold a card that was made of `image`. */
function keepCard(cacheDir: string, image: RemoteImage): void {
  const recipe = sha256(image.sha256)
  const dir = entryDir(cacheDir, recipe)
  mkdirSync(dir, { recursive: true })
  const entry: Entry = {
    ...{
      name: 'latest.img.xz',
      recipe,
      id: 'id',
      architecture: 'arm64',
      user: 'pi',
      hostKeys: ['ssh-ed25519'],
    },
    ...{ cardBytes: 4, source: { image } },
  }
  writeFileSync(join(dir, entryFile), JSON.stringify(entry))
  writeFileSync(join(dir, cardFile), 'card')
}

test('a name is what the list says, from the mirror that was named', async () => {
  const { server, resolve } = await setUp()
  expect(await resolve('raspios-lite-arm64')).toEqual({
    url: `${server.url}/raspios_lite_arm64/images/raspios_lite_arm64-2026-09-15/2026-09-14-raspios-trixie-arm64-lite.img.xz`,
    sha256: sha256('2026-09-15'),
    bytes: 500_000_000,
    extractedSha256: sha256('extracted'),
    extractedBytes: 2_900_000_000,
    initFormat: 'cloudinit-rpi',
    release: '2026-09-15',
  })
  expect((await resolve('raspios-arm64@latest')).sha256).toBe(sha256('desktop'))
})

test('latest is pinned once, and another only when that is wanted', async () => {
  const { server, publish, lockFile, lines, resolve } = await setUp()
  const first = await resolve('raspios-lite-arm64')
  expect(lines.join()).toContain('raspios-lite-arm64@latest is 2026-09-15 from now on')
  const written = readFileSync(lockFile, 'utf8')
  const url = first.url.replace(server.url, 'https://downloads.raspberrypi.com')
  expect(JSON.parse(written)).toEqual({
    version: 1,
    images: { 'raspios-lite-arm64@latest': { ...first, url } },
  })

  publish('2026-11-20')
  expect(await resolve('raspios-lite-arm64@latest')).toEqual(first)
  expect(readFileSync(lockFile, 'utf8')).toBe(written)
  expect(server.count('/os_list_imagingutility_v4.json')).toBe(1)

  expect(await resolve('raspios-lite-arm64', { update: true })).toMatchObject({ release: '2026-11-20' })
  expect(await resolve('raspios-lite-arm64')).toMatchObject({ release: '2026-11-20' })
})

test('what is pinned comes from the mirror of whoever wants it, and without one from its home', async () => {
  const { server, resolve } = await setUp()
  const name = 'raspios-lite-arm64'
  const { url } = await resolve(name)
  const path = url.replace(server.url, '')
  expect(await resolve({ name })).toMatchObject({ url: `https://downloads.raspberrypi.com${path}` })
  expect(await resolve({ name, baseUrl: 'https://mirror.test/pi/' })).toMatchObject({
    url: `https://mirror.test/pi${path}`,
  })
})

test('what a list has elsewhere is pinned there, and looked for there', async () => {
  const { server, lockFile, resolve } = await setUp()
  server.put('/os_list_imagingutility_v4.json', JSON.stringify(list('https://cdn.test', '2026-09-15')))
  const { url } = await resolve('raspios-lite-arm64')
  expect(url).toMatch(/^https:\/\/cdn\.test\/raspios_lite_arm64\/images\//)
  expect(JSON.parse(readFileSync(lockFile, 'utf8')).images['raspios-lite-arm64@latest'].url).toBe(url)
  expect((await resolve({ name: 'raspios-lite-arm64' })).url).toBe(url)
})

test('a release by its date pins nothing', async () => {
  const { lockFile, resolve } = await setUp()
  expect(await resolve('raspios-lite-arm64@2026-09-15')).toMatchObject({ release: '2026-09-15' })
  // By the date in its file's name as well, which is another.
  expect(await resolve('raspios-lite-arm64@2026-09-14')).toMatchObject({ sha256: sha256('2026-09-15') })
  expect(existsSync(lockFile)).toBe(false)
})

test('a release keeps its dates, that of its file and that of its directory, when there is a newer one', async () => {
  const { server, publish, resolve } = await setUp()
  const images = '/raspios_lite_arm64/images/'
  const file = '2026-09-14-raspios-trixie-arm64-lite.img.xz'
  const directory = `${images}raspios_lite_arm64-2026-09-15/`
  const put = (path: string, ...links: string[]) =>
    server.put(path, links.map((link) => `<a href="${link}">`).join(''), { checksum: false })
  put(images, ...['2026-11-20', '2026-09-15', '2025-05-13'].map((date) => `raspios_lite_arm64-${date}/`))
  put(directory, `${file}.sha256`, file)
  put(`${images}raspios_lite_arm64-2026-11-20/`, '2026-11-19-raspios-trixie-arm64-lite.img.xz')
  server.put(`${directory}${file}`, 'the image')
  publish('2026-11-20')
  const found = { url: `${server.url}${directory}${file}`, sha256: sha256('the image') }
  expect(await resolve('raspios-lite-arm64@2026-09-14')).toMatchObject(found)
  expect(await resolve('raspios-lite-arm64@2026-09-15')).toMatchObject(found)
  await expect(resolve('raspios-lite-arm64@2026-09-13')).rejects.toThrow('there is no such release')
})

test('a release that is in the cache is known by each of its dates, and the network is not asked', async () => {
  const { server, dir, resolve } = await setUp()
  const image = await resolve('raspios-lite-arm64@2026-09-14')
  keepDownload(dir, { ...image, bytes: undefined })
  const before = server.requests.length
  for (const date of ['2026-09-14', '2026-09-15'])
    expect(await resolve(`raspios-lite-arm64@${date}`)).toMatchObject({ sha256: image.sha256 })
  expect(server.requests).toHaveLength(before)
})

test('an image that is named by its URL is no release, whatever stands in its URL', async () => {
  const { dir, resolve } = await setUp()
  const url = 'https://builds.corp/raspios_lite_arm64/images/2026-09-15-corp.img.xz'
  keepDownload(dir, { url, sha256: sha256('corp') })
  keepCard(dir, { url, sha256: sha256('corp') })
  expect(await resolve('raspios-lite-arm64@2026-09-15')).toMatchObject({ sha256: sha256('2026-09-15') })
})

test('a release that was set up from another mirror is looked for at the one that was named', async () => {
  const { server, dir, resolve } = await setUp()
  const image = await resolve('raspios-lite-arm64@2026-09-15')
  const path = image.url.replace(server.url, '')
  keepCard(dir, { ...image, url: `https://gone.test${path}` })
  expect(await resolve('raspios-lite-arm64@2026-09-15')).toEqual(image)
})

test('a URL that nothing but a card is left of is what its server says, and what the card was where that says nothing', async () => {
  const { server, dir, lines, resolve } = await setUp()
  const url = server.put('/latest.img.xz', 'tonight')
  const card = { url, sha256: sha256('last night') }
  keepCard(dir, card)
  expect(await resolve({ url })).toMatchObject({ url, sha256: sha256('tonight') })
  const checksumUrl = server.put('/SHA256SUMS', sha256('by hand'), { checksum: false })
  expect(await resolve({ url, checksumUrl })).toMatchObject({ sha256: sha256('by hand') })

  await server[Symbol.asyncDispose]()
  expect(await resolve({ url })).toMatchObject(card)
  expect(lines).toEqual([
    expect.stringMatching(
      /^Image \S+: what it was when it was set up is used, as nothing tells .*\(\S+ cannot be read: /,
    ),
  ])
  await expect(resolve({ url }, { update: true })).rejects.toThrow('cannot be read')
})

test('a server that is slow, or fails, delays nobody who has a card of before', async () => {
  const { server, dir, lines, resolve } = await setUp()
  const url = server.put('/latest.img.xz', 'tonight')
  keepCard(dir, { url, sha256: sha256('last night') })
  server.faults.set('/latest.img.xz.sha256', [{ status: 503 }, { trickle: true }])
  expect(await resolve({ url })).toMatchObject({ sha256: sha256('last night') })
  expect(server.count('/latest.img.xz.sha256')).toBe(1)

  const timeout = vi.spyOn(AbortSignal, 'timeout')
  onTestFinished(() => timeout.mockRestore())
  timeout.mockReturnValueOnce(AbortSignal.timeout(100))
  timeout.mockClear()
  expect(await resolve({ url })).toMatchObject({ sha256: sha256('last night') })
  expect(timeout.mock.calls).toEqual([[5_000]])
  expect(lines).toHaveLength(2)
})

test('a URL is what was downloaded last from it until another is wanted', async () => {
  const { server, dir, resolve } = await setUp()
  const url = server.put('/latest.img.xz', 'the third')
  for (const [text, at] of [['the second', 2_000] as const, ['the first', 1_000] as const]) {
    const image = { url, sha256: sha256(text) }
    keepDownload(dir, image)
    utimesSync(join(downloadsDir(dir), image.sha256, fileIn(image)), at, at)
  }
  expect(await resolve({ url })).toMatchObject({ sha256: sha256('the second') })
  expect(server.requests).toEqual([])
  expect(await resolve({ url }, { update: true })).toMatchObject({ sha256: sha256('the third') })
})

test('an older release is looked up in its directory, whatever its file is called', async () => {
  const { server, resolve } = await setUp()
  const directory = '/raspios_lite_arm64/images/raspios_lite_arm64-2023-05-03/'
  server.put(
    directory,
    '<a href="?C=N">Name</a> <a href="/x/">Up</a> <a href="2023-05-02-raspios-bullseye-arm64-lite.img.xz">',
    {
      checksum: false,
    },
  )
  server.put(`${directory}2023-05-02-raspios-bullseye-arm64-lite.img.xz`, 'old')
  expect(await resolve('raspios-lite-arm64@2023-05-03')).toEqual({
    url: `${server.url}${directory}2023-05-02-raspios-bullseye-arm64-lite.img.xz`,
    sha256: sha256('old'),
    release: '2023-05-03',
  })
})

test('of a release that is not there it is told which are', async () => {
  const { server, resolve } = await setUp()
  server.put(
    '/raspios_lite_arm64/images/',
    '<a href="raspios_lite_arm64-2023-05-03/">a</a><a href="raspios_lite_arm64-2026-09-15/">b</a>',
    { checksum: false },
  )
  await expect(resolve('raspios-lite-arm64@2024-01-01')).rejects.toThrow(
    'Image raspios-lite-arm64@2024-01-01 cannot be found: there is no such release.\n  There is: 2023-05-03, 2026-09-15.',
  )
})

test('a lock file that nobody understands is not overwritten', async () => {
  const { lockFile, resolve } = await setUp()
  writeFileSync(lockFile, '{"version":2}')
  await expect(resolve('raspios-lite-arm64')).rejects.toThrow(
    /cannot be read: it is not as vitest-raspi writes it/,
  )
  expect(readFileSync(lockFile, 'utf8')).toBe('{"version":2}')
})

test.for([
  ['nothing', 'Image "nothing" is not known.'],
  ['raspios-lite-arm64@newest', 'Image raspios-lite-arm64 has no release "newest".'],
  ['raspios-lite-x64', 'is not known'],
  [{ name: 'debian-12-arm64', release: '2026-01-01' }, 'has no release to choose: it is built here'],
  [{ name: 'raspios-lite-arm64', packages: ['nginx'] }, 'can be given no packages: it is not built here'],
  [{ name: 'raspios-lite-arm64', securityUpdates: false }, 'has no security updates to choose'],
  [{ name: 'debian-12-arm64', packages: ['nginx, curl'] }, 'expected the name of a Debian package'],
  [{ url: 'https://example.org/pi.img', sha256: '12' }, 'expected a SHA-256'],
  [{ url: 'https://example.org/pi.img', file: './pi.img' }, 'The image is wrong'],
  ['https://[bad', 'The URL of the image is wrong: https://[bad'],
  [
    { url: 'https://example.org/%zz.img', sha256: 'a'.repeat(64) },
    'The URL of the image is wrong: https://example.org/%zz.img',
  ],
  [{ file: './pi.img', files: { 'etc/motd': '' } }, 'The image is wrong'],
] as const)('%j is refused', ([option, message]) => {
  expect(() => parseReference(option as ImageOption)).toThrow(message)
})

test.for([
  ['debian-12-arm64', { kind: 'recipe', name: 'debian-12-arm64' }],
  [
    { name: 'debian-12', architecture: 'arm64' },
    { kind: 'recipe', name: 'debian-12-arm64' },
  ],
  ['raspios-full-armhf', { kind: 'raspios', name: 'raspios-full-armhf', release: 'latest' }],
  [
    { name: 'raspios-lite', architecture: 'armhf', release: '2026-09-15' },
    { name: 'raspios-lite-armhf', release: '2026-09-15' },
  ],
  ['https://example.org/a%20b.img.xz?x=1', { kind: 'url', name: 'a b.img.xz' }],
  ['images/pi.img', { kind: 'file', file: '/base/images/pi.img', name: 'pi.img' }],
  ['./pi', { kind: 'file', file: '/base/pi' }],
  ['~/pi.img', { kind: 'file', file: join(homedir(), 'pi.img') }],
] as const)('%j is %o', ([option, expected]) => {
  expect(parseReference(option, '/base')).toMatchObject(expected)
})
