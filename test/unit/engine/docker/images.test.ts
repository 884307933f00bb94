import type Dockerode from 'dockerode'
import { expect, test } from 'vitest'
import { imageForAnsible } from '../../../../src/control-node/image.ts'
import type { DockerClient } from '../../../../src/engine/docker/client.ts'
import { frozenLabel, readLabel } from '../../../../src/engine/docker/frozen-label.ts'
import { ensureImage, imageForPis, split } from '../../../../src/engine/docker/images.ts'
import type { Image } from '../../../../src/image/image.ts'
import { boards } from '../../../../src/machine/boards.ts'

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

test.for([
  ['pis', ['pis', 'latest']],
  ['pis:1', ['pis', '1']],
  ['host:5000/pis', ['host:5000/pis', 'latest']],
  ['host:5000/a/pis:b', ['host:5000/a/pis', 'b']],
] as const)('%s is a repository and a tag', ([name, parts]) => {
  expect(split(name)).toEqual(parts)
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
