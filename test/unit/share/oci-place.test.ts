import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { OciPlace, tagOf } from '../../../src/share/oci-place.ts'
import type { RegistryLogin } from '../../../src/share/registry-auth.ts'
import { Share } from '../../../src/share/share.ts'
import { FakeRegistry } from '../../support/fake-registry.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const { signal } = new AbortController()

const test = base
  .extend('dir', () => scratchDir())
  .extend('registry', async ({}, { onCleanup }) => {
    const registry = await FakeRegistry.start()
    onCleanup(() => registry[Symbol.asyncDispose]())
    return registry
  })

/** A machine with a cache of its own, whose share is a repository of `registry`. */
function machine(dir: string, name: string, { host }: FakeRegistry, login?: RegistryLogin) {
  const said: string[] = []
  const cacheDir = join(dir, name)
  mkdirSync(cacheDir)
  writeFileSync(join(cacheDir, 'card'), 'a card')
  const place = new OciPlace({ registry: host, repository: 'pis' }, async () => login)
  const share = new Share(place, { cacheDir, log: (line) => said.push(line) })
  const give = async (entry: string) => {
    share.offer(entry, [join(cacheDir, 'card')])
    await share.close()
    return said.filter((line) => !line.startsWith('What was made'))
  }
  return { share, said, give, fetched: join(cacheDir, 'fetched') }
}

const login = { username: 'me', password: 'se:cret' }

test.for<[name: string, tag: string | RegExp]>([
  ['key', 'key'],
  ['frozen/x64/abc', 'frozen.x64.abc'],
  ['frozen.x64/abc', /^sha256\.[0-9a-f]{64}$/],
  [`layers/${'a'.repeat(128)}`, /^sha256\.[0-9a-f]{64}$/],
  ['-a', /^sha256\.[0-9a-f]{64}$/],
])('%s has a tag of its own', ([name, tag]) => {
  expect(tagOf(name)).toMatch(tag instanceof RegExp ? tag : new RegExp(`^${tag}$`))
})

test('a token is had for what is asked, and with the log-in', async ({ dir, registry }) => {
  registry.guard = { login: 'me:se:cret' }
  expect(await machine(dir, 'one', registry, login).give('frozen/x')).toEqual([])
  const two = machine(dir, 'two', registry, login)
  expect(await two.share.fetch('frozen/x', two.fetched, signal)).toBe(true)
  expect(readFileSync(join(two.fetched, 'card'), 'utf8')).toBe('a card')
  const sent = (method: string) => registry.requests.filter((request) => request.method === method).at(-1)
  expect(sent('PUT')?.authorization).toBe('Bearer a, b/repository:pis:pull,push/0')
  expect(sent('GET')?.authorization).toBe('Bearer a, b/repository:pis:pull/0')
})

test('a token that has run out is followed by another', async ({ dir, registry }) => {
  registry.guard = { login: 'me:se:cret' }
  const { host } = registry
  const place = new OciPlace({ registry: host, repository: 'pis' }, async () => login)
  const file = join(dir, 'packed')
  for (const text of ['a', 'b']) {
    writeFileSync(file, text)
    await place.putContent(text, file, signal)
    registry.expireTokens()
    expect(await place.hasEntry('none', signal)).toBe(false)
  }
  expect(registry.blobs.size).toBe(2)
  await place.close()
})

test('an identity token is changed for one, a bearer token is sent as it is', async ({ dir, registry }) => {
  registry.guard = { login: 'identity' }
  expect(await machine(dir, 'one', registry, { identityToken: 'identity' }).give('a')).toEqual([])
  expect(registry.requests.some(({ method, path }) => method === 'POST' && path === '/token')).toBe(true)
  const [before] = [registry.requests.length]
  expect(await machine(dir, 'two', registry, { bearer: 'pull,push' }).give('b')).toEqual([])
  const later = registry.requests.slice(before).map(({ authorization }) => authorization)
  expect(later.slice(0, 2)).toEqual([undefined, 'Bearer pull,push'])
  expect(registry.requests.slice(before).some(({ path }) => path === '/token')).toBe(false)
})

test('everybody may fetch what needs no log-in; who may not push is told so', async ({ dir, registry }) => {
  await machine(dir, 'one', registry).give('a')
  registry.guard = {}
  const two = machine(dir, 'two', registry)
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(true)
  writeFileSync(join(dir, 'two', 'card'), 'another card')
  expect(await two.give('b')).toEqual([
    `b is not shared with oci://${registry.host}/pis: the registry answers 401 to a POST; log in by \`docker login ${registry.host}\`, or set VITEST_RASPI_SHARE_TOKEN`,
  ])
})

test('a log-in that does not serve is told, and never shown', async ({ dir, registry }) => {
  registry.guard = { login: 'me:other' }
  const { share, said, fetched } = machine(dir, 'one', registry, login)
  expect(await share.fetch('a', fetched, signal)).toBe(false)
  expect(said).toEqual([
    `a of oci://${registry.host}/pis is not used: its token server ${registry.host} gives no token (401)`,
  ])
})

test('a registry that refuses or fails is told with its words', async ({ dir, registry }) => {
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'the quota is used up' }] })
  registry.fault = { to: 'PUT /v2/pis/manifests', status: 403, body }
  expect(await machine(dir, 'one', registry).give('a')).toEqual([
    `a is not shared with oci://${registry.host}/pis: the registry answers 403 to a PUT: the quota is used up`,
  ])
  registry.fault = { to: 'GET', status: 500, body: '<html>' }
  const two = machine(dir, 'two', registry)
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  expect(two.said).toEqual([`a of oci://${registry.host}/pis is not used: the registry answers 500 to a GET`])
})

test('what is not there, cut short, or of somebody else is told and not used', async ({ dir, registry }) => {
  await machine(dir, 'one', registry).give('a')
  const two = machine(dir, 'two', registry)
  expect(await two.share.fetch('b', two.fetched, signal)).toBe(false)
  expect(two.said).toEqual([])
  const manifest = JSON.parse(registry.manifests.get('a')?.toString() ?? '')
  const [{ digest }] = manifest.layers
  const good = registry.blobs.get(digest) ?? Buffer.from('')
  registry.blobs.set(digest, good.subarray(0, good.length - 4))
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  registry.blobs.delete(digest)
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  manifest.config.mediaType = 'application/vnd.oci.image.config.v1+json'
  registry.manifests.set('a', Buffer.from(JSON.stringify(manifest)))
  expect(await two.share.fetch('a', two.fetched, signal)).toBe(false)
  expect(two.said).toEqual([
    expect.stringContaining('card cannot be used'),
    expect.stringContaining('card is missing'),
    expect.stringContaining('its tag a is of something else'),
  ])
})

test('a layer or a description that the registry has lost is put back by whoever had to make it', async ({
  dir,
  registry,
}) => {
  await machine(dir, 'one', registry).give('a')
  for (const what of ['layer', 'description']) {
    const { layers, config } = JSON.parse(registry.manifests.get('a')?.toString() ?? '')
    registry.blobs.delete(what === 'layer' ? layers[0].digest : config.digest)
    const two = machine(dir, `${what}-two`, registry)
    expect(await two.share.fetch('a', two.fetched, signal), what).toBe(false)
    await two.give('a')
    const three = machine(dir, `${what}-three`, registry)
    expect(await three.share.fetch('a', three.fetched, signal), what).toBe(true)
  }
})
