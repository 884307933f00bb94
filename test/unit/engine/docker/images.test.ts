import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { imageForAnsible } from '../../../../src/control-node/image.ts'
import { connectDocker, type DockerClient } from '../../../../src/engine/docker/client.ts'
import { frozenLabel, isOf, readLabel } from '../../../../src/engine/docker/frozen-label.ts'
import {
  copyImage,
  ensureImage,
  ensureSame,
  imageForPis,
  pushImage,
} from '../../../../src/engine/docker/images.ts'
import type { Image } from '../../../../src/image/image.ts'
import { originOf } from '../../../../src/image/origin.ts'
import { parseReference } from '../../../../src/image/reference.ts'
import type { ImageOption } from '../../../../src/image-option.ts'
import { boards } from '../../../../src/machine/boards.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

afterEach(() => void vi.unstubAllEnvs())

/** An engine that has these images, by their names, and can pull and build none. */
const dockerWith = (images: Record<string, Record<string, string> | undefined>) => {
  const refuse = async () => {
    throw new Error('no such host')
  }
  return {
    getImage: (name: string) => ({
      inspect: async () => {
        if (!(name in images)) throw Object.assign(new Error('no such image'), { statusCode: 404 })
        return { Id: 'sha256:abc', Config: { Labels: images[name] } }
      },
    }),
    ...{ pull: refuse, buildImage: refuse },
  } as unknown as Dockerode
}

const client = (docker: Dockerode) => ({ docker, name: 'the Docker engine X' }) as DockerClient

/** An engine that has no image, and tells `progress` of all that it is to do; with what it was asked. */
async function engineThatTells(progress: object[]) {
  const asked: { path: string; auth: unknown }[] = []
  const server = createServer((request, response) => {
    const { url: path = '', method } = request
    if (path.endsWith('/version')) return void response.end('{ "Version": "28.1", "ApiVersion": "1.49" }')
    if (path.endsWith('/info')) return void response.end('{ "NCPU": 4, "MemTotal": 1e10 }')
    if (method === 'GET') return void response.writeHead(404).end('{ "message": "no such image" }')
    const auth = request.headers['x-registry-auth']
    asked.push({ path, auth: auth && JSON.parse(Buffer.from(String(auth), 'base64url').toString()) })
    request
      .resume()
      .on('end', () => response.end(progress.map((each) => `${JSON.stringify(each)}\n`).join('')))
  })
  const socket = join(scratchDir(), 'd.sock')
  server.listen(socket)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { asked, ...(await connectDocker(`unix://${socket}`)) }
}

test('what an engine tells of its failure on the way is an error', async () => {
  const engine = await engineThatTells([{ status: 'Pulling' }, { error: 'manifest unknown' }])
  vi.stubEnv('DOCKER_AUTH_CONFIG', '{}')
  await expect(ensureImage(engine, 'r.example/pis:1', imageForPis, () => {})).rejects.toThrow(
    /^The image r\.example\/pis:1 cannot be pulled on the Docker engine .*: manifest unknown\n/,
  )
  await expect(pushImage(engine.docker, 'r.example/pis:1')).rejects.toThrow('manifest unknown')
})

test('so it is where an image is copied to it', async () => {
  const { docker, asked } = await engineThatTells([{ status: 'Loading' }, { error: 'no space left' }])
  const from = { getImage: () => ({ get: async () => Readable.from(['a tar']) }) } as unknown as Dockerode
  await expect(copyImage('frozen', from, docker)).rejects.toThrow('no space left')
  expect(asked).toMatchObject([{ path: expect.stringContaining('/images/load') }])
})

/** Two engines, of which one image can be copied to the second, which calls it by `renamed`. */
function engineAndCopy({ renamed = (id: string) => id } = {}) {
  const images = new Map<string, string>()
  const copies: string[] = []
  const engine = (name: string) => ({
    name,
    docker: {
      getImage: () => ({
        inspect: async () => {
          if (!images.has(name)) throw Object.assign(new Error('no such image'), { statusCode: 404 })
          return { Id: images.get(name) }
        },
        get: async () => images.get(name),
      }),
      loadImage: async (image: string) => {
        images.set(name, renamed(image))
        copies.push(name)
        return 'progress'
      },
      modem: { followProgress: (_: unknown, done: (error: null, told: []) => void) => done(null, []) },
    },
  })
  const [from, to] = [engine('one'), engine('two')] as unknown as [DockerClient, DockerClient]
  return { images, copies, ensure: () => ensureSame('qemu', from, to, () => {}) }
}

test('an image is copied to an engine that has another one of its name, or none, and only then', async () => {
  const { images, copies, ensure } = engineAndCopy()
  images.set('one', 'sha256:abc')
  expect(await ensure()).toBe('abc')
  expect(await ensure()).toBe('abc')
  expect(copies).toEqual(['two'])
  images.set('two', 'sha256:def')
  expect(await ensure()).toBe('abc')
  expect(copies).toEqual(['two', 'two'])
})

test('an engine that calls the copy of an image by another id is refused with what to do', async () => {
  const { images, ensure } = engineAndCopy({ renamed: () => 'sha256:def' })
  images.set('one', 'sha256:abc')
  await expect(ensure()).rejects.toThrow(
    /^The image qemu has another id on two than on one, which it was copied from: .*\n {2}Have all engines keep images in one way/,
  )
})

test('an engine is given the log-in to a registry, or told that there is none', async () => {
  const { asked, docker } = await engineThatTells([])
  const auths = { 'r.example': { username: 'me', password: 'secret' }, 's.example': { identitytoken: 'it' } }
  vi.stubEnv('DOCKER_AUTH_CONFIG', JSON.stringify({ auths }))
  for (const registry of ['r.example', 's.example', 't.example']) await pushImage(docker, `${registry}/pis:1`)
  expect(asked).toEqual([
    { path: '/images/r.example/pis/push?tag=1', auth: { username: 'me', password: 'secret' } },
    { path: '/images/s.example/pis/push?tag=1', auth: { identitytoken: 'it' } },
    { path: '/images/t.example/pis/push?tag=1', auth: {} },
  ])
})

test('an image that the engine has is taken as it is', async () => {
  const docker = dockerWith({ mine: {} })
  expect(await ensureImage(client(docker), 'mine', imageForPis, () => {})).toBe('abc')
})

test.for([
  ['mine', 'The image mine cannot be pulled on the Docker engine X: no such host\n  Is its name right'],
  [
    undefined,
    'The image vitest-raspi/qemu:1 cannot be built on the Docker engine X: no such host\n  Without a registry',
  ],
] as const)('one that cannot be had (%s) is an error that says what to do', async ([wanted, message]) => {
  await expect(ensureImage(client(dockerWith({})), wanted, imageForPis, () => {})).rejects.toThrow(message)
})

test('Ansible’s own image is built likewise', async () => {
  await expect(ensureImage(client(dockerWith({})), undefined, imageForAnsible, () => {})).rejects.toThrow(
    'The image vitest-raspi/ansible:1 cannot be built on the Docker engine X: no such host\n  Without a registry, name an image that the engine has: ansible: { container: NAME }.',
  )
})

const image: Image = {
  ...{ name: 'debian-12-arm64', id: 'i', path: '/secret/card.raw', architecture: 'arm64', user: 'pi' },
  ...{ privateKeyFile: '/secret/key', hostKeys: ['ssh-ed25519 AAAA'], cardBytes: 4 },
}
const manifest = { id: 'f', commandLine: 'quiet', notEmulated: [] }

test('a frozen Pi’s label is read as it was written, and holds nothing of the host', async () => {
  const label = frozenLabel({ manifest, image, board: boards.raspi3b, publicKey: 'ssh-ed25519 BBBB' })
  expect(Buffer.from(Object.values(label)[0] ?? '', 'base64').toString()).not.toContain('secret')
  expect(await readLabel(dockerWith({ pis: label }), 'pis')).toMatchObject({
    ...{ manifest, board: 'raspi3b', publicKey: 'ssh-ed25519 BBBB' },
    image: { name: 'debian-12-arm64', user: 'pi', cardBytes: 4 },
  })
})

test('no image, no label and another version’s label are told apart', async () => {
  const docker = dockerWith({ plain: {}, other: { 'vitest-raspi.frozen': 'e30=' } })
  expect(await readLabel(docker, 'none')).toBeUndefined()
  expect(await readLabel(docker, 'plain')).toBe('it has no label vitest-raspi.frozen')
  expect(await readLabel(docker, 'other')).toBe(
    'its label vitest-raspi.frozen is of another version of vitest-raspi',
  )
})

/** Whether a frozen Pi that was made of `made` serves who asks for `wanted`. */
async function serves(made: ImageOption, wanted: ImageOption, name: string): Promise<boolean> {
  const origin = (await originOf(parseReference(made))) ?? ''
  const about = { manifest, image: { ...image, name }, board: boards.raspi3b, publicKey: '' }
  const label = await readLabel(dockerWith({ pis: frozenLabel({ ...about, origin }) }), 'pis')
  return typeof label === 'object' && isOf(label, parseReference(wanted))
}

test('a frozen Pi is used for its image by whatever words that is named', async () => {
  const [name, pinned] = ['raspios-lite-arm64@latest', 'raspios-lite-arm64@2026-09-15']
  expect(await serves('debian-12-arm64', { name: 'debian-12-arm64' }, 'debian-12-arm64')).toBe(true)
  expect(await serves('raspios-lite-arm64', name, name)).toBe(true)
  expect(await serves(name, 'raspios-lite-arm64', name)).toBe(true)
  expect(await serves(pinned, { name: 'raspios-lite-arm64', release: '2026-09-15' }, pinned)).toBe(true)
  expect(await serves(pinned, name, pinned)).toBe(false)
})

test('one of a file or a URL is used for that, and for no other of its name', async () => {
  const dirs = [scratchDir(), scratchDir(), scratchDir()]
  const [mine = '', copy = '', other = ''] = dirs.map((dir) => join(dir, 'my.img'))
  for (const [file, text] of Object.entries({ [mine]: 'a', [copy]: 'a', [other]: 'b' }))
    writeFileSync(file, text)
  expect(await serves(mine, copy, 'my.img')).toBe(true)
  expect(await serves(mine, other, 'my.img')).toBe(false)
  expect(await serves(mine, '/nowhere/my.img', 'my.img')).toBe(false)
  const [here, there] = ['https://here.example/my.img', 'https://there.example/my.img']
  expect(await serves(here, { url: here, sha256: 'a'.repeat(64) }, 'my.img')).toBe(true)
  expect(await serves(here, there, 'my.img')).toBe(false)
})

test('one of an image that the user has changed is not used for the image', async () => {
  const changed = { name: 'debian-12-arm64', packages: ['nginx-light'] }
  expect(await serves(changed, 'debian-12-arm64', 'debian-12-arm64')).toBe(false)
  expect(await serves('debian-12-arm64', changed, 'debian-12-arm64')).toBe(false)
})

test('the label of an earlier version says by its name which image it is of', async () => {
  const label = frozenLabel({ manifest, image, board: boards.raspi3b, publicKey: '' })
  const read = await readLabel(dockerWith({ pis: label }), 'pis')
  if (typeof read !== 'object') throw new Error(read)
  expect(await isOf(read, parseReference('debian-12-arm64'))).toBe(true)
  expect(await isOf(read, parseReference('debian-12-armhf'))).toBe(false)
})
