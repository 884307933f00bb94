import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SegmentCalls } from '../../../src/network/calls.ts'
import { Network } from '../../../src/pi/network.ts'
import { pis, taken } from '../network/nic.ts'

/** A network with the Pis a and b, asked as from another process: by values that JSON can carry. */
async function aNetwork() {
  const { segment, nics, dir } = await pis(['a', 'b'])
  const calls = new SegmentCalls(segment)
  const network = new Network('mgmt', async (request) => {
    const answer = await calls.answer(JSON.parse(JSON.stringify(request)))
    return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer))
  })
  return { network, nics, dir, segment }
}

test('what is asked of a network is done by its segment', async () => {
  const { network, nics, dir } = await aNetwork()
  const capture = await network.capture(join(dir, 'mgmt.pcap'))
  nics.a.say(nics.b, 'seen')
  await nics.b.take(1)
  expect(await capture.stop()).toMatchObject({ frames: 1, full: false })
  expect(await network.saveRecent(join(dir, 'recent.pcap'))).toBe(3)
  expect(await network.frames({ from: 'a', to: 'b' })).toHaveLength(2)
  expect((await network.statistics()).b?.sent.frames).toBe(2)
  await expect(network.loss({ percent: 101 })).rejects.toThrow('loss() of the network pxe was called wrongly')
  await expect(network.unplug('c')).rejects.toThrow('Ports are: a, b.')
})

test('what is still captured ends where the network stands on', async () => {
  const { network, nics, segment, dir } = await aNetwork()
  const file = join(dir, 'kept.pcap')
  const capture = await network.capture(file)
  nics.a.say(nics.b, 'seen')
  await nics.b.heardUntil('seen')
  await network.endCaptures()
  nics.a.say(nics.b, 'not seen')
  await taken(segment, 'a', 3)
  expect(await capture.stop()).toMatchObject({ frames: 1 })
})

test('faults last until they are undone, one or all', async () => {
  const { network, nics, segment } = await aNetwork()
  const partition = await network.partition([['a'], ['b']])
  nics.a.say(nics.b, 'lost')
  await taken(segment, 'a', 2)
  await partition.undo()
  const loss = await network.loss({ percent: 100, from: 'a' })
  nics.a.say(nics.b, 'lost as well')
  await taken(segment, 'a', 3)
  await network.clear()
  nics.a.say(nics.b, 'heard')
  expect(await nics.b.heardUntil('heard')).toEqual([])
  await loss.undo()
})
