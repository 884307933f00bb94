import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { download } from '../../../src/image/download.ts'
import { ImageServer, sha256 } from '../../support/image-server.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const body = randomBytes(300_000)
const path = '/lite/2026-09-15-raspios-trixie-arm64-lite.img.xz'

async function setUp(given: Parameters<ImageServer['put']>[2] = { etag: '"one"' }) {
  const server = await ImageServer.start()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const url = server.put(path, body, given)
  const cacheDir = scratchDir()
  const lines: string[] = []
  const get = (image: Partial<Parameters<typeof download>[1]> = {}) =>
    download(
      'lite',
      { url, sha256: sha256(body), ...image },
      { cacheDir, log: (line) => lines.push(line), patience: { failures: 3, retryMs: 1, stallMs: 200 } },
    )
  const fail = async (image?: Parameters<typeof get>[0]) =>
    get(image).then(
      () => expect.fail('it was downloaded'),
      (error: Error) => error.message,
    )
  /** What the cache has in its directories, except empty ones. */
  const kept = () =>
    ['downloads', 'tmp'].flatMap((dir) =>
      existsSync(join(cacheDir, dir)) ? readdirSync(join(cacheDir, dir)) : [],
    )
  return { server, url, cacheDir, lines, get, fail, kept }
}

test('a download has its name on the server, and is not downloaded again', async () => {
  const { server, get, lines } = await setUp()
  const file = await get({ bytes: body.length })
  expect(file).toMatch(/downloads\/[0-9a-f]{64}\/2026-09-15-raspios-trixie-arm64-lite\.img\.xz$/)
  expect(readFileSync(file)).toEqual(body)
  expect(await get()).toBe(file)
  expect(server.count(path)).toBe(1)
  expect(lines[0]).toBe('Image lite: downloading it (0.3 MB) …')
})

test.for([0.1, 0.5, 0.99])('a connection that drops at %d is gone on with where it broke', async (dropAt) => {
  const { server, get, lines } = await setUp()
  server.faults.set(path, [{ dropAt }])
  expect(readFileSync(await get())).toEqual(body)
  const resumed = server.requests.at(-1)?.range
  expect(Number(/^bytes=(\d+)-$/.exec(resumed ?? '')?.[1])).toBe(Math.floor(body.length * dropAt))
  expect(lines.join('\n')).toContain(`the download broke off at ${Math.floor(dropAt * 100)} %`)
})

test('by the date of the last change it is gone on with as well', async () => {
  const { server, get } = await setUp({ lastModified: 'Tue, 15 Sep 2026 10:00:00 GMT' })
  server.faults.set(path, [{ dropAt: 0.5 }])
  expect(readFileSync(await get())).toEqual(body)
  expect(server.requests.at(-1)?.range).toBe(`bytes=${body.length / 2}-`)
})

test.for([{}, { etag: 'W/"weak"' }])('where %j tells nothing of the bytes, it begins anew', async (named) => {
  const { server, get } = await setUp(named)
  server.faults.set(path, [{ dropAt: 0.5 }])
  expect(readFileSync(await get())).toEqual(body)
  expect(server.requests.map(({ range }) => range)).toEqual([undefined, undefined])
})

test('what has another ETag by now is begun anew', async () => {
  const { server, get, url } = await setUp()
  const newer = randomBytes(200_000)
  server.faults.set(path, [{ dropAt: 0.5 }, { before: () => server.put(path, newer, { etag: '"two"' }) }])
  expect(readFileSync(await get({ sha256: sha256(newer) }))).toEqual(newer)
  expect(server.requests.at(-1)?.range).toBe(`bytes=${body.length / 2}-`)
  expect(url).toContain('127.0.0.1')
})

test('another process goes on with what was left', async () => {
  const { server, get, fail, kept } = await setUp()
  server.faults.set(path, [{ dropAt: 0.5 }, { status: 503 }, { status: 503 }, { status: 503 }])
  expect(await fail()).toMatch(
    /^Image lite cannot be downloaded from http:.*: the server answers 503\.\n {2}It was tried 4 times, and 0\.1 MB are kept/,
  )
  expect(kept()).toHaveLength(2)
  expect(readFileSync(await get())).toEqual(body)
  expect(server.requests.at(-1)?.range).toBe(`bytes=${body.length / 2}-`)
  expect(kept()).toEqual([sha256(body)])
})

test('a wrong checksum tells both sums and keeps nothing', async () => {
  const { fail, kept, url } = await setUp()
  const wrong = sha256('other')
  expect(await fail({ sha256: wrong })).toContain(
    `Image lite is not used: what ${url} gave has the SHA-256 ${sha256(body)}, and should have ${wrong}.`,
  )
  expect(kept()).toEqual([])
})

test('a length that is not the one of the list is refused before the download', async () => {
  const { fail, kept, url } = await setUp()
  expect(await fail({ bytes: body.length + 1 })).toContain(
    `Image lite is not used: ${url} has ${body.length} bytes, and should have ${body.length + 1}.`,
  )
  expect(kept()).toEqual([])
})

test('where the server tells no length, more than there should be is refused', async () => {
  const { fail, kept } = await setUp({ length: false })
  expect(await fail({ bytes: 1000 })).toContain('gives more than the 1000 bytes it should have')
  expect(kept()).toEqual([])
})

test('where the server tells no length, the checksum tells that it is whole', async () => {
  const { get } = await setUp({ length: false })
  expect(readFileSync(await get())).toEqual(body)
})

test('a server that only trickles is asked again', async () => {
  const { server, get, lines } = await setUp()
  server.faults.set(path, [{ trickle: true }])
  expect(readFileSync(await get())).toEqual(body)
  expect(lines.join('\n')).toContain('slower than 1 kB/s for 0.2 s')
  expect(server.requests.at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/)
})

test('404 is not asked for again', async () => {
  const { server, fail, url } = await setUp()
  server.faults.set(path, [{ status: 404 }])
  expect(await fail()).toMatch(
    new RegExp(`^${url} cannot be had: the server answers 404\\.\\n  Check the address`),
  )
  expect(server.count(path)).toBe(1)
})

test('500 and then fine is fine', async () => {
  const { server, get } = await setUp()
  server.faults.set(path, [{ status: 500 }, { status: 429, headers: { 'retry-after': '0' } }])
  expect(readFileSync(await get())).toEqual(body)
})

test('redirections are followed', async () => {
  const { server, get } = await setUp()
  server.put('/elsewhere.img.xz', body)
  server.faults.set(path, [{ redirect: '/elsewhere.img.xz' }])
  expect(readFileSync(await get())).toEqual(body)
})

test('a server that is not there is told as that', async () => {
  const { server, fail } = await setUp()
  await server[Symbol.asyncDispose]()
  expect(await fail()).toMatch(/cannot be downloaded from .*ECONNREFUSED.*\n {2}It was tried 4 times/)
})

/** The environment's proxies are these, whatever this host has. */
function stubProxies(proxies: Record<string, string>) {
  onTestFinished(() => void vi.unstubAllEnvs())
  const none = {
    http_proxy: '',
    HTTP_PROXY: '',
    https_proxy: '',
    HTTPS_PROXY: '',
    no_proxy: '',
    NO_PROXY: '',
  }
  for (const [name, value] of Object.entries({ ...none, ...proxies })) vi.stubEnv(name, value)
}

/** A proxy that has a way to nowhere, and what it was asked for. */
async function startProxy() {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(502).end()
  })
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  return { asked, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` }
}

test.for([
  ['http_proxy', 'http://images.test/pi.img', /images\.test/],
  ['https_proxy', 'https://images.test/pi.img', /^images\.test:443$/],
] as const)('the proxy of %s is asked for %s', async ([name, url, asked]) => {
  const { fail } = await setUp()
  const proxy = await startProxy()
  stubProxies({ [name]: proxy.url })
  await fail({ url })
  expect(proxy.asked[0]).toMatch(asked)
})

test('a proxy for http alone is not asked for https', async () => {
  const { fail } = await setUp()
  const proxy = await startProxy()
  stubProxies({ http_proxy: proxy.url })
  await fail({ url: 'https://images.invalid/pi.img' })
  expect(proxy.asked).toEqual([])
})

test.for(['127.0.0.1', '127.1', 'localhost'])('no proxy is asked for %s', async (host) => {
  const { server, url, get } = await setUp()
  const proxy = await startProxy()
  stubProxies({ http_proxy: proxy.url, https_proxy: proxy.url })
  expect(readFileSync(await get({ url: url.replace('127.0.0.1', host) }))).toEqual(body)
  expect([proxy.asked, server.count(path)]).toEqual([[], 1])
})

test('a server that leads elsewhere is followed by the proxy for there', async () => {
  const { server, url, fail } = await setUp()
  const proxy = await startProxy()
  stubProxies({ http_proxy: proxy.url })
  server.faults.set(path, Array(9).fill({ redirect: 'http://images.test/pi.img' }))
  await fail({ url })
  expect(proxy.asked[0]).toMatch(/images\.test/)
})

test('a proxy may be named without its scheme, and one that is none is told by its variables', async () => {
  const { get, fail } = await setUp()
  stubProxies({ http_proxy: '127.0.0.1:1' })
  expect(await fail({ url: 'http://images.test/pi.img' })).toContain('ECONNREFUSED 127.0.0.1:1')
  vi.stubEnv('https_proxy', 'http://user:secret@[')
  expect(await fail()).toMatch(/^The proxy that http_proxy or https_proxy names is none: /)
  // A reporter shows causes, too.
  expect(inspect(await get().catch((error: unknown) => error))).not.toContain('secret')
})
