import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { Frames } from '../../../src/control-node/frames.ts'
import { kinds } from '../../../src/control-node/kinds.ts'

function frame(kind: string, channel: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9)
  header.write(kind, 'latin1')
  header.writeUInt32BE(channel, 1)
  header.writeUInt32BE(payload.length, 5)
  return Buffer.concat([header, payload])
}

/** Two channels whose other side has said this much and is gone; the first one to its end. */
async function leftBehind() {
  const input = new PassThrough()
  const ended = Promise.withResolvers<void>()
  const frames = new Frames(input, new PassThrough().resume(), () => {}, ended.resolve)
  const [whole, cut] = [frames.channel(1), frames.channel(2)]
  const chunk = Buffer.alloc(60_000, 'x')
  const said = Array.from({ length: 4 }, () => [frame(kinds.data, 1, chunk), frame(kinds.data, 2, chunk)])
  input.end(Buffer.concat([...said.flat(), frame(kinds.end, 1)]))
  await ended.promise
  return { whole, cut }
}

test('what the other side has said to its end is read to its end, though it has gone meanwhile', async () => {
  const { whole, cut } = await leftBehind()
  expect((await buffer(whole)).length).toBe(240_000)
  await expect(buffer(cut)).rejects.toThrow()
})

test('a channel that has been read is closed, whatever was still to be written into it', async () => {
  const { whole } = await leftBehind()
  whole.write(Buffer.alloc(300_000))
  const closed = once(whole, 'close')
  whole.resume()
  await closed
})
