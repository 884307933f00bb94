import type Dockerode from 'dockerode'
import { expect, test } from 'vitest'
import { ownerLabels, sweepContainers, sweepTrials, trialName } from '../../../../src/engine/docker/owner.ts'

const [[labelName, mine] = ['', '']] = Object.entries(ownerLabels())

/** The label of this process, but for `differences`. */
const labelled = (differences: object) => ({
  [labelName]: JSON.stringify({ ...JSON.parse(mine), ...differences }),
})

/** What is removed of an engine that has one container with `labels`. */
async function sweptOf(labels: Record<string, string>): Promise<string[]> {
  const removed: string[] = []
  const docker = {
    listContainers: async () => [{ Id: 'it', Labels: labels }],
    getContainer: (id: string) => ({ remove: async () => void removed.push(id) }),
  } as unknown as Dockerode
  const log: string[] = []
  await sweepContainers({ docker, name: 'the Docker engine X' }, (line) => void log.push(line))
  const said = `Removed ${removed.length} containers that interrupted runs left on the Docker engine X`
  expect(log).toEqual(removed.length > 0 ? [said] : [])
  return removed
}

const dead = { startTime: '1' }

test('a container of a process that has ended here is removed, one of a living one is not', async () => {
  expect(await sweptOf(labelled(dead))).toEqual(['it'])
  expect(await sweptOf(labelled({}))).toEqual([])
})

test.for<[string, object]>([
  ['another machine', { host: 'elsewhere' }],
  ['a machine of this one’s name, or this one before it was booted', { boot: 'another' }],
  ['another container with this host’s name', { processes: 'pid:[1]' }],
])('one of %s is let alone: its process cannot be seen from here', async ([, difference]) => {
  expect(await sweptOf(labelled({ ...dead, ...difference }))).toEqual([])
})

test('one whose label is not understood is let alone', async () => {
  expect(await sweptOf({ [labelName]: 'me' })).toEqual([])
  expect(
    await sweptOf({ [labelName]: JSON.stringify({ ...JSON.parse(mine), ...dead, boot: undefined }) }),
  ).toEqual([])
})

test('an image under trial is called after its maker, and its name goes where that has ended here', async () => {
  const mine = trialName('vitest-raspi/frozen:abc-def')
  const left = mine.replace(/\d+$/, '1')
  const alien = left.replace(/trial-./, (name) => (name.endsWith('0') ? 'trial-1' : 'trial-0'))
  expect(mine).toMatch(/^vitest-raspi\/frozen:[\w.-]{1,128}$/)
  const removed: string[] = []
  const docker = {
    listImages: async () => [
      { RepoTags: [mine, 'vitest-raspi/frozen:abc-def'] },
      ...[{ RepoTags: [alien, left] }, { RepoTags: null }],
    ],
    getImage: (name: string) => ({ remove: async () => void removed.push(name) }),
  } as unknown as Dockerode
  await sweepTrials(docker, 'vitest-raspi/frozen')
  expect(removed).toEqual([left])
})
