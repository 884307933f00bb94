import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test as base, expect, vi } from 'vitest'
import { sparseDigest } from '../../../src/host/sparse-digest.ts'
import { DirectoryPlace } from '../../../src/share/directory-place.ts'
import { HttpPlace } from '../../../src/share/http-place.ts'
import type { SharePlace } from '../../../src/share/place.ts'
import { Share } from '../../../src/share/share.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { ShareServer } from '../../support/share-server.ts'

const { signal } = new AbortController()

const test = base
  .extend('dir', () => scratchDir())
  .extend('server', async ({}, { onCleanup }) => {
    const server = await ShareServer.start()
    onCleanup(() => server[Symbol.asyncDispose]())
    return server
  })

/** A machine with a cache of its own that uses the share at `place`. */
function machine(dir: string, name: string, place: SharePlace, answerMs?: number) {
  const said: string[] = []
  const cacheDir = join(dir, name)
  mkdirSync(cacheDir)
  const share = new Share(place, { cacheDir, log: (line) => said.push(line), ...(answerMs && { answerMs }) })
  const made = (files: Record<string, string>) =>
    Object.entries(files).map(([file, text]) => {
      writeFileSync(join(cacheDir, file), text)
      return join(cacheDir, file)
    })
  return { share, said, made, fetched: join(cacheDir, 'fetched'), cacheDir }
}

const files = { card: 'a card', state: 'of devices', 'about.json': '{}' }

test('what one machine has made another fetches: by a directory, and by a server', async ({
  dir,
  server,
}) => {
  const places = {
    directory: () => new DirectoryPlace(join(dir, 'share')),
    server: () => new HttpPlace(server.url.replace('//', '//me:secret@'), undefined),
  }
  for (const [kind, place] of Object.entries(places)) {
    const one = machine(dir, `${kind}-one`, place())
    one.share.offer('frozen/x', one.made(files))
    await one.share.close()
    const two = machine(dir, `${kind}-two`, place())
    expect(await two.share.fetch('frozen/x', two.fetched, signal)).toBe(true)
    for (const [name, text] of Object.entries(files)) {
      expect(readFileSync(join(two.fetched, name), 'utf8')).toBe(text)
      expect(statSync(join(two.fetched, name)).mode & 0o777).toBe(0o400)
    }
    expect(await two.share.fetch('frozen/y', `${two.fetched}-y`, signal)).toBe(false)
    expect([...one.said, ...two.said].filter((line) => !line.startsWith('What was made'))).toEqual([])
    expect(readdirSync(join(one.cacheDir, 'tmp'))).toEqual([])
  }
  expect(server.requests.every(({ authorization }) => authorization === 'Basic bWU6c2VjcmV0')).toBe(true)
})

test('in a directory all users may read what is shared, but for what machines have to agree on: a key', async ({
  dir,
}) => {
  const { share, said, made } = machine(dir, 'one', new DirectoryPlace(join(dir, 'share')))
  const [card = ''] = made({ card: 'a card' })
  const [key = ''] = made({ key: 'a key' })
  share.offer('frozen/x', [card])
  await share.agree('key', key, 'another', signal)
  await share.close()
  const modeOf = (...path: string[]) => statSync(join(dir, 'share', ...path)).mode & 0o777
  const content = async (file: string) => modeOf('content', `${await sparseDigest(file)}.zst`)
  expect(await content(card)).toBe(modeOf('frozen/x.json'))
  expect(await content(card)).toBe(0o666 & ~process.umask())
  expect(await content(key)).toBe(0o600)
  expect(said.filter((line) => !line.startsWith('What was made'))).toEqual([])
})

test('what is there already is not sent again, neither an entry nor a file of it', async ({
  dir,
  server,
}) => {
  const one = machine(dir, 'one', new HttpPlace(server.url, 'token'))
  one.share.offer('a', one.made(files))
  await one.share.close()
  expect(server.count('PUT')).toBe(4)
  expect(server.requests[0]?.authorization).toBe('Bearer token')
  const two = machine(dir, 'two', new HttpPlace(server.url))
  two.share.offer('a', two.made({ ...files, state: 'of other devices' }))
  two.share.offer('b', two.made({ ...files, state: 'of other devices' }))
  await two.share.close()
  // The other state, and what describes b.
  expect(server.count('PUT')).toBe(6)
})

test('what is damaged, missing or described wrongly is told, not used, and leaves nothing', async ({
  dir,
  server,
}) => {
  const one = machine(dir, 'one', new HttpPlace(server.url))
  one.share.offer('a', one.made(files))
  await one.share.close()
  const [content = ''] = [...server.files.keys()].filter((path) => path.startsWith('/content/'))
  const good = server.files.get(content) ?? Buffer.from('')
  const entry = server.files.get('/a.json') ?? Buffer.from('')
  const cases: [what: string, damage: () => void, told: RegExp][] = [
    ['other content', () => server.files.set(content, server.files.get('/a.json') ?? good), /cannot be used/],
    ['half of it', () => server.files.set(content, good.subarray(0, good.length / 2)), /cannot be used/],
    ['none', () => server.files.delete(content), /is missing/],
    ['no JSON', () => server.files.set('/a.json', Buffer.from('<html>')), /its description is none/],
    [
      'a name that leads elsewhere',
      () => server.files.set('/a.json', Buffer.from(entry.toString().replace('"card"', '"../card"'))),
      /its description is none/,
    ],
  ]
  for (const [what, damage, told] of cases) {
    server.files.set(content, good)
    server.files.set('/a.json', entry)
    damage()
    const two = machine(dir, what, new HttpPlace(server.url))
    expect(await two.share.fetch('a', two.fetched, signal), what).toBe(false)
    expect(two.said.join('\n'), what).toMatch(told)
    expect(existsSync(two.fetched), what).toBe(false)
  }
})

test('what is damaged or missing is put right by whoever had to make it', async ({ dir, server }) => {
  const one = machine(dir, 'one', new HttpPlace(server.url))
  one.share.offer('a', one.made(files))
  await one.share.close()
  const [content = ''] = [...server.files.keys()].filter((path) => path.startsWith('/content/'))
  const damages = {
    missing: () => server.files.delete(content),
    spoilt: () => server.files.set(content, Buffer.from('spoilt')),
    'without a description': () => server.files.set('/a.json', Buffer.from('')),
  }
  for (const [what, damage] of Object.entries(damages)) {
    damage()
    const two = machine(dir, `${what}-two`, new HttpPlace(server.url))
    expect(await two.share.fetch('a', two.fetched, signal), what).toBe(false)
    two.share.offer('a', two.made(files))
    await two.share.close()
    const three = machine(dir, `${what}-three`, new HttpPlace(server.url))
    expect(await three.share.fetch('a', three.fetched, signal), what).toBe(true)
  }
})

test('what has broken on its way is not sent once more: there it is whole', async ({ dir, server }) => {
  const one = machine(dir, 'one', new HttpPlace(server.url))
  one.share.offer('a', one.made(files))
  await one.share.close()
  const place = new HttpPlace(server.url)
  vi.spyOn(place, 'getContent').mockImplementation(async () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    return new Readable({ construct: (done) => done(reset), read() {} })
  })
  const two = machine(dir, 'two', place)
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  expect(two.said).toEqual([expect.stringContaining('cannot be used: read ECONNRESET')])
  const before = server.count('PUT')
  two.share.offer('a', two.made(files))
  await two.share.close()
  expect(server.count('PUT')).toBe(before)
})

test('a server that refuses, or is not there, fails nothing and is asked once', async ({ dir, server }) => {
  server.fault = { method: 'PUT', status: 403 }
  const one = machine(dir, 'one', new HttpPlace(server.url.replace('//', '//me:secret@')))
  one.share.offer('a', one.made(files))
  await one.share.close()
  const told = `a is not shared with ${server.url}: the server answers 403 to a PUT`
  expect(one.said).toEqual([`What was made is being sent to ${server.url}`, told])
  one.share.offer('b', one.made(files))
  expect(await one.share.fetch('b', one.fetched, signal)).toBe(false)
  expect(server.count('PUT')).toBe(1)
  const two = machine(dir, 'two', new HttpPlace('http://127.0.0.1:1'))
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  expect(two.said).toEqual([
    expect.stringMatching(/^a of http:\/\/127\.0\.0\.1:1 is not used: .*ECONNREFUSED/),
  ])
  expect(one.said.join('\n')).not.toContain('secret')
})

test('a server that takes nothing may still be read from', async ({ dir, server }) => {
  const one = machine(dir, 'one', new HttpPlace(server.url))
  one.share.offer('a', one.made(files))
  await one.share.close()
  server.fault = { method: 'PUT', status: 405 }
  const two = machine(dir, 'two', new HttpPlace(server.url))
  two.share.offer('b', two.made({ other: 'of two' }))
  await expect
    .poll(() => two.said, { timeout: 20_000 })
    .toEqual([expect.stringContaining('answers 405 to a PUT')])
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(true)
})

test('a run waits for what it shares only so long', async ({ dir, server }) => {
  server.fault = { method: 'PUT', silentMs: 60_000 }
  const { share, said, made } = machine(dir, 'one', new HttpPlace(server.url))
  share.offer('a', made(files))
  const started = performance.now()
  await share.close(200)
  expect(performance.now() - started).toBeLessThan(20_000)
  expect(said.at(-1)).toContain('the run has ended before it was sent')
})

test('who gives up is not kept waiting', async ({ dir, server }) => {
  server.fault = { method: 'GET', silentMs: 60_000 }
  const { share, fetched } = machine(dir, 'one', new HttpPlace(server.url))
  const gone = AbortSignal.timeout(100)
  await expect(share.fetch('a', fetched, gone)).rejects.toThrow('aborted due to timeout')
})

test('a place that never settles keeps nobody: it is asked once, and the run ends', async ({ dir }) => {
  const never = () => new Promise<never>(() => {})
  const places: Record<string, Partial<SharePlace>> = {
    'asked for an entry': { getEntry: never, hasEntry: never },
    'in the middle of its text': { getEntry: async () => new Readable({ read() {} }), hasEntry: never },
  }
  for (const [what, place] of Object.entries(places)) {
    const { share, said, fetched } = machine(dir, what, silent(place), 100)
    const started = performance.now()
    expect(await share.fetch('a', fetched, signal)).toBe(false)
    expect(await share.fetch('b', fetched, signal)).toBe(false)
    expect(performance.now() - started, what).toBeLessThan(5_000)
    expect(said).toEqual(['a of a place is not used: it does not answer'])
  }
  for (const hanging of ['hasEntry', 'hasContent', 'putContent', 'putEntry'] as const) {
    const { share, said, made } = machine(dir, hanging, silent({ [hanging]: never }))
    share.offer('a', made(files))
    const started = performance.now()
    await share.close(1_000)
    expect(performance.now() - started, hanging).toBeLessThan(5_000)
    expect(said.at(-1), hanging).toBe('a is not shared with a place: the run has ended before it was sent')
  }
})

test('who gives up a question does not give up the share', async ({ dir }) => {
  const { share, fetched, said } = machine(dir, 'one', silent({ getEntry: () => new Promise(() => {}) }), 500)
  await expect(share.fetch('a', fetched, AbortSignal.timeout(50))).rejects.toThrow('aborted due to timeout')
  expect(await share.fetch('b', fetched, signal)).toBe(false)
  expect(said).toEqual(['b of a place is not used: it does not answer'])
})

/** A place that has nothing and takes all, but for what is said otherwise. */
function silent(otherwise: Partial<SharePlace>): SharePlace {
  return {
    ...{ shown: 'a place', getEntry: async () => undefined, hasEntry: async () => false },
    ...{ getContent: async () => undefined, hasContent: async () => false },
    ...{ putEntry: async () => {}, putContent: async () => {}, close: async () => {} },
    ...otherwise,
  }
}
