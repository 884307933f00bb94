import { expect, test } from 'vitest'
import type { PiSource } from '../../../src/engine/engine.ts'
import { RaspiError } from '../../../src/errors.ts'
import { Gate } from '../../../src/lab/gate.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'
import { Provisioning } from '../../../src/lab/provisioning.ts'
import type { ProvisionAction, ProvisionState } from '../../../src/pi/provision.ts'

const source = (name: string) => ({ image: { name } }) as PiSource

/** A node that can be provisioned, and all that was done for it. */
function aNode(
  provision: ProvisionState = 'enroll',
  { install = async () => {}, wipe = async () => {} } = {},
) {
  const done: string[] = []
  const pi = {
    ...{ provision, ownSource: source('debian-12-arm64'), signal: new AbortController().signal },
    ...{ identity: { hostname: 'compute00' }, connection: { user: 'pi' }, origin: 'thawed', startMs: 5 },
    async install({ image }: PiSource) {
      done.push(`install ${image.name}`)
      await install()
    },
    async wipe() {
      done.push('wipe')
      await wipe()
    },
  }
  const starts = new Gate(1)
  const provisioning = new Provisioning({
    starts,
    lent: () => pi as unknown as LivePi,
    async sourceOf(_, image) {
      done.push(`make ${JSON.stringify(image)}`)
      return source(String(image))
    },
    wiped: async () => void done.push('forget'),
    log: () => {},
  })
  const change = (action?: ProvisionAction, image?: string) => provisioning.change(1, action, image)
  return { pi, done, starts, change }
}

test('a node is enrolled, made available, deployed, cleaned, and deployed with another image', async () => {
  const { done, change } = aNode()
  const states: ProvisionState[] = []
  for (const [action, image] of [
    [],
    ['provide'],
    ['deploy'],
    ['clean'],
    ['deploy', 'debian-12-armhf'],
    [],
  ] as [ProvisionAction?, string?][])
    states.push((await change(action, image)).state)
  expect(states).toEqual(['enroll', 'available', 'active', 'available', 'active', 'active'])
  expect(done).toEqual([
    ...['install debian-12-arm64', 'wipe', 'forget'],
    ...['make "debian-12-armhf"', 'install debian-12-armhf'],
  ])
})

test('how it is reached is told with its state', async () => {
  const { change } = aNode('available')
  expect(await change('deploy')).toEqual({
    ...{ state: 'active', connection: { user: 'pi' }, origin: 'thawed', startMs: 5 },
  })
})

test.for([
  ['enroll', 'deploy', 'cannot be deployed: its state is "enroll".\n  Make it available first: `provide`.'],
  ['enroll', 'clean', 'cannot be cleaned: its state is "enroll".'],
  [
    'available',
    'provide',
    'cannot be made available: its state is "available".\n  It is ready for `deploy`.',
  ],
  ['available', 'clean', 'cannot be cleaned: its state is "available".'],
  ['active', 'deploy', 'cannot be deployed: its state is "active".\n  Wipe its card first: `clean`.'],
  ['active', 'provide', 'cannot be made available: its state is "active".'],
  ['deploy failed', 'provide', 'cannot be made available: its state is "deploy failed".'],
  ['clean failed', 'deploy', 'cannot be deployed: its state is "clean failed".\n  `clean` tries it again.'],
  ['deploying', 'clean', 'cannot be cleaned: its state is "deploying".\n  Wait until that is done.'],
  ['cleaning', 'deploy', 'cannot be deployed: its state is "cleaning".'],
] as const)('from %s there is no way to %s', async ([state, action, message]) => {
  const { pi, done, change } = aNode(state)
  await expect(change(action)).rejects.toThrow(`Pi compute00 ${message}`)
  expect(pi.provision).toBe(state)
  expect(done).toEqual([])
})

test('a deployment that fails leaves nothing on the card, and can be tried again', async () => {
  let fails = true
  const install = async () => {
    if (fails) throw new RaspiError('boot', 'It did not boot.')
  }
  const { pi, done, starts, change } = aNode('available', { install })
  await expect(change('deploy')).rejects.toThrow('It did not boot.')
  expect(pi.provision).toBe('deploy failed')
  expect(done).toEqual(['install debian-12-arm64', 'wipe'])
  expect(starts.free).toBe(1)
  fails = false
  expect((await change('deploy')).state).toBe('active')
})

test('cleaning that fails is told, and can be tried again', async () => {
  let fails = true
  const wipe = async () => {
    if (fails) throw new Error('no')
  }
  const { pi, change } = aNode('active', { wipe })
  await expect(change('clean')).rejects.toThrow('no')
  expect(pi.provision).toBe('clean failed')
  fails = false
  expect((await change('clean')).state).toBe('available')
})

test('while a node is deployed its state says so, and nothing else is begun with it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { change } = aNode('available', { install: () => promise })
  const deployed = change('deploy')
  expect((await change()).state).toBe('deploying')
  await expect(change('deploy')).rejects.toThrow('its state is "deploying"')
  resolve()
  expect((await deployed).state).toBe('active')
})

test('an image that there is not is refused, and the node stays available', async () => {
  const { pi, done, change } = aNode('available')
  await expect(change('deploy', 'debian-11')).rejects.toThrow('Image "debian-11" is not known.')
  expect(pi.provision).toBe('available')
  expect(done).toEqual([])
})
