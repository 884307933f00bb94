import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { openShare } from '../../src/share/open-share.ts'
import { hasRegistry, TestRegistry } from '../support/registry.ts'
import { scratchDir } from '../support/scratch-dir.ts'

// A share in a container registry, which is a real one.

const { signal } = new AbortController()

const test = base
  .extend('dir', () => scratchDir())
  .extend('registry', async ({}, { onCleanup }) => {
    const registry = await TestRegistry.start()
    onCleanup(() => registry[Symbol.asyncDispose]())
    return registry
  })
  .extend('guarded', async ({}, { onCleanup }) => {
    const registry = await TestRegistry.start({ guarded: true })
    onCleanup(() => registry[Symbol.asyncDispose]())
    return registry
  })

/** A machine with a cache of its own that uses the share `where`. */
function machine(dir: string, where: string, env: NodeJS.ProcessEnv = {}) {
  const said: string[] = []
  const cacheDir = scratchDir()
  const log = (line: string) => said.push(line)
  const share = openShare(where, { cacheDir, env: { DOCKER_CONFIG: dir, ...env }, log })
  if (!share) throw new Error('There is no share.')
  const made = (files: Record<string, string>) =>
    Object.entries(files).map(([file, text]) => {
      writeFileSync(join(cacheDir, file), text)
      return join(cacheDir, file)
    })
  const told = () => said.filter((line) => !line.startsWith('What was made'))
  return { share, told, made, fetched: join(cacheDir, 'fetched') }
}

const files = { card: 'a card', ram: 'memory'.repeat(1_000_000), 'about.json': '{}' }
const id = 'a'.repeat(64)

test.runIf(hasRegistry())(
  'what one machine has made another fetches, after the registry has collected its garbage too',
  { timeout: 120_000 },
  async ({ dir, registry }) => {
    const where = `oci://${registry.host}/team/pis`
    const one = machine(dir, where)
    one.share.offer(`frozen/x64/${id}`, one.made(files))
    await one.share.close()
    expect(one.told()).toEqual([])
    registry.collectGarbage()
    const two = machine(dir, where)
    expect(await two.share.fetch('frozen/x64/none', `${two.fetched}-none`, signal)).toBe(false)
    expect(await two.share.fetch(`frozen/x64/${id}`, two.fetched, signal)).toBe(true)
    for (const [name, text] of Object.entries(files))
      expect(readFileSync(join(two.fetched, name), 'utf8')).toBe(text)

    // What is there is not sent again: of an entry with other memory only that, its description and its manifest.
    const blobs = registry.blobs.length
    two.share.offer('b', two.made({ ...files, ram: 'other memory' }))
    two.share.offer(`frozen/x64/${id}`, two.made({ other: 'a file' }))
    await two.share.close()
    expect(two.told()).toEqual([])
    expect(registry.blobs).toHaveLength(blobs + 3)
  },
)

test.runIf(hasRegistry())(
  'machines agree on a key, and a damaged blob is told and not used',
  { timeout: 120_000 },
  async ({ dir, registry }) => {
    const where = `oci://${registry.host}/pis`
    const one = machine(dir, where)
    const [key = ''] = one.made({ key: 'the key' })
    await one.share.agree('key', key, 'another key', signal)
    await one.share.close()
    expect(one.told()).toEqual([])
    const two = machine(dir, where)
    const [other = ''] = two.made({ key: 'the other key' })
    await two.share.agree('key', other, 'another key', signal)
    expect(two.told()).toEqual([`${where} is not used: another key`])

    const large = registry.blobs.filter(
      (digest) => readFileSync(registry.blobFile(digest)).readUInt32LE() === 0xfd2fb528,
    )
    for (const digest of large)
      writeFileSync(registry.blobFile(digest), readFileSync(registry.blobFile(digest)).subarray(0, -2))
    const three = machine(dir, where)
    expect(await three.share.fetch('key', three.fetched, signal)).toBe(false)
    expect(three.told()).toEqual([expect.stringContaining('key cannot be used')])
  },
)

test.runIf(hasRegistry())(
  'a registry with a password is used by the log-in of Docker, a token or the URL, and by nobody else',
  { timeout: 120_000 },
  async ({ dir, guarded: { host } }) => {
    const docker = join(dir, 'docker')
    mkdirSync(docker)
    const auth = Buffer.from('me:secret').toString('base64')
    writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
    const where = `oci://${host}/pis`
    const lets: [where: string, env: NodeJS.ProcessEnv][] = [
      [where, { DOCKER_CONFIG: docker }],
      [where, { VITEST_RASPI_SHARE_TOKEN: 'me:secret' }],
      [where.replace('//', '//me:secret@'), {}],
    ]
    for (const [index, [url, env]] of lets.entries()) {
      const one = machine(dir, url, env)
      one.share.offer(`a${index}`, one.made(files))
      await one.share.close()
      expect(one.told(), url).toEqual([])
      const two = machine(dir, url, env)
      expect(await two.share.fetch(`a${index}`, two.fetched, signal), url).toBe(true)
    }
    const logIn = `log in by \`docker login ${host}\`, or set VITEST_RASPI_SHARE_TOKEN`
    for (const env of [{}, { VITEST_RASPI_SHARE_TOKEN: 'me:wrong' }]) {
      const other = machine(dir, where, env)
      expect(await other.share.fetch('a0', other.fetched, signal)).toBe(false)
      expect(other.told()).toEqual([
        `a0 of ${where} is not used: the registry answers 401 to a GET: authentication required; ${logIn}`,
      ])
    }
  },
)
