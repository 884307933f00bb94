import { expect, test } from 'vitest'
import { DockerEngine } from '../../../../src/engine/docker/docker-engine.ts'
import { frozenLabel } from '../../../../src/engine/docker/frozen-label.ts'
import { type FreezeKey, freezeKeyOf, frozenId } from '../../../../src/freeze/store.ts'
import type { Image } from '../../../../src/image/image.ts'
import { parseReference } from '../../../../src/image/reference.ts'
import { boards } from '../../../../src/machine/boards.ts'
import { fakeDocker } from '../../../support/fake-docker.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

const board = boards.raspi3b
const image: Image = {
  ...{ name: 'debian-12-arm64', id: 'i', path: '', architecture: 'arm64', user: 'pi' },
  ...{ privateKeyFile: '', hostKeys: [], cardBytes: 4 },
}
const key = freezeKeyOf(image.id, board, '10.0.3')

/** What Pis are made of on an engine whose container image holds a frozen Pi with this id, of this key. */
async function givenOf(id: string, key: FreezeKey | undefined) {
  const manifest = { id, key, commandLine: 'quiet', notEmulated: [] }
  const labels = frozenLabel({ manifest, image, board, publicKey: 'ssh-ed25519 BBBB' })
  const { address } = await fakeDocker({ labels })
  const engine = await DockerEngine.connect({
    ...{ address, frozen: 'r.example/pis:1', cacheDir: scratchDir(), log: () => {} },
    signal: new AbortController().signal,
  })
  return engine.given(parseReference('debian-12-arm64'), board)
}

test('a frozen Pi of this version is what Pis are made of', async () => {
  const id = frozenId(key)
  expect(await givenOf(id, key)).toMatchObject({ image: { name: 'debian-12-arm64' }, frozen: { id } })
})

const otherParameters = { ...key, kernelParameters: ['nokaslr'] }

test.for<[string, string, FreezeKey | undefined]>([
  ['is frozen in another way', 'f'.repeat(64), key],
  ['boots with other parameters', frozenId(otherParameters), otherParameters],
  ['tells no key', frozenId(key), undefined],
])('one of a version that %s is refused, with what to do', async ([, id, key]) => {
  await expect(givenOf(id, key)).rejects.toThrow(
    'r.example/pis:1 was frozen by another version of vitest-raspi.\n  Freeze it again: npx vitest-raspi freeze --to r.example/pis:1',
  )
})
