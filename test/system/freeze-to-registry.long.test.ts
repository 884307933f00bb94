import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { execa } from 'execa'
import { test as base, expect } from 'vitest'
import { DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import type { FrozenPi } from '../../src/freeze/store.ts'
import { defaultCacheDir } from '../../src/host/paths.ts'
import { parseReference } from '../../src/image/reference.ts'
import { boards } from '../../src/machine/boards.ts'
import { Dockerd, hasDockerd, imageTar } from '../support/dockerd.ts'
import { Project } from '../support/project.ts'
import { hasRegistry, TestRegistry } from '../support/registry.ts'
import { scratchDir } from '../support/scratch-dir.ts'

// A frozen Pi that one engine pushes to a registry, and a machine that has nothing but another engine.

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const image = 'test/qemu:1'
const minutes = 60_000

const files = {
  'site.yml': '- { hosts: all, gather_facts: false, tasks: [{ ansible.builtin.ping: }] }\n',
  'pi.test.ts': `
import { expect, test } from 'vitest-raspi'
test('a Pi', { timeout: 900_000 }, async ({ pi, ansible }) => {
  expect(await ansible.playbook('site.yml')).toSucceed()
  console.log('ORIGIN', pi.origin)
})
`,
}

const test = base
  .extend('registry', { scope: 'file' }, async ({}, { onCleanup }) => {
    const registry = await TestRegistry.start()
    onCleanup(() => registry[Symbol.asyncDispose]())
    return registry
  })
  .extend('engine', { scope: 'file' }, async ({}, { onCleanup }) => {
    const engine = await Dockerd.start({ loopback: true })
    onCleanup(() => engine[Symbol.asyncDispose]())
    engine.importImage(imageTar(), image)
    return engine
  })

test.runIf(hasDockerd() && hasRegistry())(
  'a frozen Pi goes to a registry without a secret, and a machine that has nothing starts from there',
  { timeout: 40 * minutes },
  async ({ engine, registry }) => {
    const name = `${registry.host}/pis:1`
    const words = ['freeze', '--to', name, '--push', '--engine', engine.address, '--engine-image', image]
    const { all, exitCode } = await execa(process.execPath, [main, ...words], {
      ...{ all: true, reject: false, stdin: 'ignore', timeout: 20 * minutes },
    })
    expect(exitCode, all).toBe(0)
    expect(all).toContain(`${name} has the frozen Pi, and so has its registry`)
    expect(engine.containers()).toEqual([])

    const { secrets, publicKey } = keyOf(join(defaultCacheDir(), 'keys/id_ed25519'))
    const found = new Set<Buffer>()
    for (const digest of registry.blobs)
      for (const each of await foundIn(registry.blobFile(digest), [publicKey, ...secrets])) found.add(each)
    // That it is found shows that a secret would be.
    expect([...found]).toEqual([publicKey])

    await using other = await Dockerd.start({ loopback: true })
    using project = new Project({
      ...{ files, cacheDir: join(scratchDir(), 'cache') },
      options: `engine: { docker: '${other.address}', frozen: '${name}' }, readyPis: 0`,
    })
    const { code, output } = await project.vitest().finished(15 * minutes)
    expect(output).toMatch(/Tests +1 passed/)
    expect(code).toBe(0)
    expect(output).toContain(`Pulling ${name}`)
    expect(output).toContain(`Pis start from ${name}`)
    expect(output).toContain('ORIGIN thawed')
    expect(output).not.toMatch(/building|freezing|copying|boot cold/i)
    expect(other.containers()).toEqual([])
  },
)

test.runIf(hasDockerd() && hasRegistry())(
  'an image that is not there, or holds no frozen Pi, and one that cannot be pushed are told as such',
  { timeout: 10 * minutes },
  async ({ engine, registry }) => {
    const { signal } = new AbortController()
    const context = { address: engine.address, cacheDir: scratchDir(), log: () => {}, signal }
    const given = async (frozen: string, own?: string) =>
      (await DockerEngine.connect({ ...context, image: own, frozen })).given(
        parseReference('debian-12-arm64'),
        boards.raspi3b,
      )
    await expect(given(`${registry.host}/none:1`, image)).rejects.toThrow(
      new RegExp(
        `^The frozen Pi ${registry.host}/none:1 cannot be pulled to the Docker engine .*: .*not found`,
      ),
    )
    await expect(given('127.0.0.1:1/pis:1')).rejects.toThrow(
      /^The image 127\.0\.0\.1:1\/pis:1 cannot be pulled on the Docker engine .*: .*connection refused/,
    )
    const one = await DockerEngine.connect({ ...context, image })
    const frozen = { container: image } as FrozenPi
    await expect(one.publish(frozen, '127.0.0.1:1/pis:1', true)).rejects.toThrow(
      /^127\.0\.0\.1:1\/pis:1 cannot be pushed from the Docker engine .*: .*connection refused/,
    )
    await expect(given(image)).rejects.toThrow(
      `The container image ${image} holds no frozen Pi: it has no label`,
    )
  },
)

/** What of a key must not leave the host, as its file and as ssh-agent have it; and its public half as an account has it. */
function keyOf(file: string): { secrets: Buffer[]; publicKey: Buffer } {
  const [, publicKey = ''] = readFileSync(`${file}.pub`, 'utf8').split(' ')
  const body = readFileSync(file, 'utf8').split('\n').slice(1, -2)
  const bytes = Buffer.from(body.join(''), 'base64')
  // The first two lines of a file are the same for all keys, but for the public half.
  const seedAt = bytes.lastIndexOf(Buffer.from(publicKey, 'base64').subarray(-32)) - 32
  const secrets = [...body.slice(3).map((line) => Buffer.from(line)), bytes.subarray(seedAt, seedAt + 32)]
  return { secrets, publicKey: Buffer.from(publicKey) }
}

/** Which of these a blob has, unpacked. */
async function foundIn(file: string, wanted: readonly Buffer[]): Promise<Buffer[]> {
  const reading = createReadStream(file, { highWaterMark: 2 ** 20 })
  const stream = isGzip(file) ? reading.pipe(createGunzip({ chunkSize: 2 ** 20 })) : reading
  const found = new Set<Buffer>()
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    const text = Buffer.concat([rest, chunk])
    for (const each of wanted) if (text.includes(each)) found.add(each)
    rest = text.subarray(-256)
  }
  return [...found]
}

function isGzip(file: string): boolean {
  const magic = Buffer.alloc(2)
  const handle = openSync(file, 'r')
  readSync(handle, magic)
  closeSync(handle)
  return magic.readUInt16BE() === 0x1f8b
}
