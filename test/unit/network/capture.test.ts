import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { scratchDir } from '../../support/scratch-dir.ts'
import { broadcast, ethernet, pis, taken } from './nic.ts'

const hasTcpdump = await execa('tcpdump', ['--version'], { reject: false }).then(({ failed }) => !failed)

/** A UDP datagram from 10.77.1.11:1234 to 10.77.1.12:`port`. */
function datagram(to: string, from: string, port: number): Buffer {
  const udp = Buffer.from([1234 >> 8, 1234 & 255, port >> 8, port & 255, 0, 12, 0, 0, ...Buffer.from('ping')])
  const ip = Buffer.from([
    0x45,
    0,
    0,
    20 + udp.length,
    0,
    0,
    0x40,
    0,
    64,
    17,
    0,
    0,
    10,
    77,
    1,
    11,
    10,
    77,
    1,
    12,
  ])
  return ethernet(to, from, 0x0800, Buffer.concat([ip, udp]))
}

test('a capture has every byte where the format wants it', async () => {
  const { nics, segment } = await pis(['a', 'b', 'c'])
  const file = join(scratchDir(), 'new/directory/all.pcap')
  const before = Date.now()
  const capture = segment.capture(file)
  const frames = [nics.a.frame(nics.b, 'one'), nics.b.frame(broadcast, 'two')]
  nics.a.send(frames[0] as Buffer)
  await nics.b.heardUntil('one')
  nics.b.send(frames[1] as Buffer)
  await nics.c.heardUntil('two')
  const result = await capture.stop()
  const after = Date.now()
  expect(result).toEqual({ file, frames: 2, bytes: 24 + 2 * (16 + 17), missed: 0, full: false })
  expect(await capture.stop()).toEqual(result)

  const bytes = readFileSync(file)
  expect(bytes).toHaveLength(result.bytes)
  expect(bytes.subarray(0, 24).toString('hex')).toBe(
    'd4c3b2a1' + '02000400' + '00000000' + '00000000' + '12240000' + '01000000',
  )
  for (const [index, frame] of frames.entries()) {
    const record = bytes.subarray(24 + index * 33, 24 + (index + 1) * 33)
    const at = record.readUInt32LE(0) * 1_000 + record.readUInt32LE(4) / 1_000
    expect(record.readUInt32LE(4)).toBeLessThan(1_000_000)
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThan(after + 1)
    expect([record.readUInt32LE(8), record.readUInt32LE(12)]).toEqual([17, 17])
    expect(record.subarray(16).equals(frame)).toBe(true)
  }
})

test.skipIf(!hasTcpdump)(
  'tcpdump (skipped where it is not installed) reads what was captured and what is remembered',
  async () => {
    const { nics, segment } = await pis(['a', 'b', 'c'])
    const dir = scratchDir()
    await using capture = segment.capture(join(dir, 'live.pcap'))
    nics.a.send(datagram(nics.b.mac, nics.a.mac, 5678))
    nics.a.say(nics.c, 'end')
    await nics.c.heardUntil('end')
    await capture.stop()
    expect(segment.saveRecent(join(dir, 'recent.pcap'))).toBe(5)
    const read = (name: string) =>
      execa('tcpdump', ['-n', '-e', '-r', join(dir, name), 'udp']).then(({ stdout }) => stdout)
    const line = new RegExp(
      `^\\d\\d:\\d\\d:\\d\\d\\.\\d{6} ${nics.a.mac} > ${nics.b.mac}, ethertype IPv4 \\(0x0800\\), length 46: 10\\.77\\.1\\.11\\.1234 > 10\\.77\\.1\\.12\\.5678: UDP, length 4$`,
    )
    expect(await read('live.pcap')).toMatch(line)
    expect(await read('recent.pcap')).toMatch(line)
  },
)

test("a port's capture has what goes over its link, both ways, and as often as it does", async () => {
  const { nics, segment } = await pis(['a', 'b', 'c'])
  const file = join(scratchDir(), 'b.pcap')
  const capture = segment.capture({ file, port: 'b' })
  nics.a.say(nics.c, 'not for b')
  nics.a.say(nics.b, 'to b')
  await nics.b.heardUntil('to b')
  nics.b.say(nics.a, 'from b')
  await nics.a.heardUntil('from b')
  segment.duplicate({ percent: 100 })
  nics.a.say(nics.b, 'twice')
  await nics.b.take(2)
  segment.loss({ percent: 100 })
  nics.a.say(nics.b, 'lost')
  await taken(segment, 'a', 5)
  expect(await capture.stop()).toMatchObject({ frames: 4 })
  expect(readFileSync(file, 'latin1').match(/to b|from b|twice|lost|not for b/g)).toEqual([
    'to b',
    'from b',
    'twice',
    'twice',
  ])
  expect(segment.saveRecent(file, { port: 'c' })).toBe(4)
  expect(readFileSync(file, 'latin1')).toContain('not for b')
})

test('a capture ends before the file is too long, and says so', async () => {
  const { nics, segment, logged } = await pis(['a', 'b'])
  const file = join(scratchDir(), 'short.pcap')
  const capture = segment.capture({ file, maxBytes: 5_000 })
  nics.a.say(nics.b, ...Array<string>(50).fill('x'.repeat(986)))
  await nics.b.take(50)
  expect(await capture.stop()).toEqual({ file, frames: 4, bytes: 24 + 4 * 1_016, missed: 0, full: true })
  expect(readFileSync(file)).toHaveLength(24 + 4 * 1_016)
  expect(logged).toEqual([`Network pxe: the capture ${file} has its 5000 bytes and ends.`])
})

test('an earlier capture is replaced, anything else is kept, and a segment that closes ends its captures', async () => {
  const { nics, segment } = await pis(['a', 'b'])
  const dir = scratchDir()
  const file = join(dir, 'again.pcap')
  for (let turn = 0; turn < 2; turn++) {
    const capture = segment.capture(file)
    nics.a.say(nics.b, 'once')
    await nics.b.heardUntil('once')
    await capture.stop()
  }
  expect(readFileSync(file)).toHaveLength(24 + 16 + 18)
  const notes = join(dir, 'notes.txt')
  writeFileSync(notes, 'mine')
  mkdirSync(join(dir, 'dir'))
  for (const taken of [notes, join(dir, 'dir')]) {
    expect(() => segment.capture(taken)).toThrow(`No capture is written to ${taken}: what is there is none.`)
    expect(() => segment.saveRecent(taken)).toThrow(
      `No capture is written to ${taken}: what is there is none.`,
    )
  }
  expect(readFileSync(notes, 'utf8')).toBe('mine')
  expect(() => segment.capture(join(notes, 'below'))).toThrow(/^No capture can be written to .*notes/)

  const last = join(dir, 'last.pcap')
  segment.capture(last)
  nics.a.say(nics.b, 'last')
  await nics.b.heardUntil('last')
  await segment.close()
  expect(readFileSync(last)).toHaveLength(24 + 16 + 18)
  expect(() => segment.capture(join(dir, 'late.pcap'))).toThrow(
    'capture() of the network pxe comes too late: it is closed.',
  )
  expect(existsSync(join(dir, 'late.pcap'))).toBe(false)
})

test('two captures do not write to one file at a time, by whatever path', async () => {
  const [dir, one, two] = [scratchDir(), await pis(['a']), await pis(['b'])]
  mkdirSync(join(dir, 'real'))
  symlinkSync('real', join(dir, 'link'))
  const first = one.segment.capture(join(dir, 'real/all.pcap'))
  const again = join(dir, 'link/all.pcap')
  const refused = { kind: 'options', message: expect.stringContaining('another capture is being written') }
  expect(() => two.segment.capture(again)).toThrow(expect.objectContaining(refused))
  expect(() => two.segment.saveRecent(again)).toThrow(expect.objectContaining(refused))
  await first.stop()
  await two.segment.capture(again).stop()
  expect(() => two.segment.saveRecent(again)).not.toThrow()
})

test('a capture that is begun anew, as where a test is tried again, takes the place of the one before', async () => {
  const { nics, segment } = await pis(['a', 'b'])
  const file = join(scratchDir(), 'again.pcap')
  const first = segment.capture(file)
  nics.a.say(nics.b, 'first')
  await nics.b.heardUntil('first')
  const second = segment.capture(file)
  nics.a.say(nics.b, 'second')
  await nics.b.heardUntil('second')
  expect(await second.stop()).toMatchObject({ frames: 1 })
  expect(await first.stop()).toMatchObject({ frames: 1 })
  expect(readFileSync(file, 'latin1').match(/first|second/g)).toEqual(['second'])
  await segment.capture(file).stop()
})

test('wrong options of a capture are refused before anything is written', async () => {
  const { segment } = await pis(['a', 'b'])
  const file = join(scratchDir(), 'no.pcap')
  expect(() => segment.capture({ file, port: 'd' })).toThrow(
    'capture() of the network pxe names d, which has no port there.\n  Ports are: a, b.',
  )
  expect(() => segment.capture({ file, maxBytes: 1 })).toThrow(/called wrongly:\n.*\n {2}→ at maxBytes$/)
  expect(() => segment.saveRecent(file, { port: 'd' })).toThrow('names d')
  expect(existsSync(file)).toBe(false)
})
