import { expect, test } from 'vitest'
import { eachFrame, FrameReader } from '../../../src/network/framing.ts'
import { seededRandom } from '../../../src/network/random.ts'
import { lengthOf, Nic, pis } from './nic.ts'

test('whatever the lengths and however it is cut, frames come out as they went in, up to the first length that cannot be', () => {
  const random = seededRandom('fuzz', 1)
  const below = (most: number) => Math.floor(random() * most)
  const outcomes = { good: 0, bad: 0, open: 0 }
  for (let input = 0; input < 100_000; input++) {
    const frames = Array.from({ length: below(5) }, () =>
      Buffer.alloc(14 + below(random() < 0.02 ? 9_221 : 90), input),
    )
    const impossible =
      random() < 0.5
        ? oneOf(random, [below(14), 9_235 + below(100), 2 ** 32 - 1 - below(2 ** 31)])
        : undefined
    const isOpen = random() < 0.3
    const last =
      impossible !== undefined
        ? Buffer.concat([lengthOf(impossible), Buffer.alloc(below(40), 7)])
        : isOpen
          ? Buffer.concat([lengthOf(60), Buffer.alloc(below(60))]).subarray(0, below(64))
          : Buffer.alloc(0)
    const stream = Buffer.concat([...frames.flatMap((frame) => [lengthOf(frame.length), frame]), last])
    const reader = new FrameReader()
    const got: Buffer[] = []
    let ended: number | undefined
    for (let at = 0; at < stream.length && ended === undefined; ) {
      const end = Math.min(stream.length, at + 1 + below(random() < 0.5 ? 8 : 3_000))
      ended = reader.read(stream.subarray(at, end), (bytes, start, stop) =>
        got.push(bytes.subarray(start + 4, stop)),
      )
      at = end
    }
    const isRight =
      ended === impossible &&
      got.length === frames.length &&
      got.every((frame, index) => frame.equals(frames[index] as Buffer))
    if (!isRight)
      expect.fail(
        `Input ${input}: ${got.length} of ${frames.length} frames, ended by ${ended} instead of ${impossible}.`,
      )
    outcomes[impossible !== undefined ? 'bad' : isOpen ? 'open' : 'good']++
  }
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(10_000)
})

test('a frame that lies whole in a chunk is not copied, and one in two chunks takes no more than its own room', () => {
  const reader = new FrameReader()
  const chunk = Buffer.concat([lengthOf(20), Buffer.alloc(20, 1), lengthOf(30), Buffer.alloc(10, 2)])
  const got: [Buffer, number, number][] = []
  reader.read(chunk, (...frame) => got.push(frame))
  reader.read(Buffer.alloc(20, 2), (...frame) => got.push(frame))
  expect(got.map(([bytes, start, end]) => [bytes === chunk, start, end])).toEqual([
    [true, 0, 24],
    [false, 0, 34],
  ])
  expect(got[1]?.[0].buffer.byteLength).toBe(34)
})

test('a run of frames is taken apart', () => {
  const lengths: number[] = []
  eachFrame(
    Buffer.concat([lengthOf(14), Buffer.alloc(14), lengthOf(60), Buffer.alloc(60)]),
    (_, start, end) => lengths.push(end - start),
  )
  expect(lengths).toEqual([18, 64])
})

test('links of random bytes end one after the other, and the Pis beside them notice nothing', async () => {
  const { nics, segment, logged } = await pis(['a', 'b'])
  const port = await segment.port('rogue')
  const random = seededRandom('rogue', 1)
  for (let turn = 0; turn < 60; turn++) {
    const rogue = await Nic.connect(port.path)
    rogue.socket.write(Buffer.from(Array.from({ length: 4_000 }, () => Math.floor(random() * 256))))
    await rogue.closed
    nics.a.say(nics.b, `turn ${turn}`)
    await nics.b.heardUntil(`turn ${turn}`)
  }
  expect(logged).toHaveLength(60)
})

function oneOf<Value>(random: () => number, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)] as Value
}
