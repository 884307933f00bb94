import { existsSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { scratchDir } from '../../support/scratch-dir.ts'
import { broadcast, ethernet, lengthOf, Nic, pis, segment, textOf } from './nic.ts'

test('a frame to a known address goes to its port alone, however many there are', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
  const { nics, segment } = await pis(names)
  for (const [index, from] of names.entries()) {
    const to = names[(index + 3) % names.length] as 'a'
    nics[from].say(nics[to], `from ${from}`)
    expect(textOf((await nics[to].take(1))[0] as Buffer)).toBe(`from ${from}`)
  }
  nics.a.say(broadcast, 'end')
  for (const name of names.slice(1)) expect(await nics[name].heardUntil('end')).toEqual([])
  const { a } = segment.statistics()
  expect(a).toMatchObject({ received: { frames: 3 }, sent: { frames: 8 }, dropped: { queue: 0, storm: 0 } })
  expect(a?.received.bytes).toBe(3 * 14 + 'hello a'.length + 'from a'.length + 'end'.length)
})

test('a frame to an unknown address, or to many, goes to all but its sender', async () => {
  const { nics } = await pis(['a', 'b', 'c'])
  nics.a.say('b8:27:eb:00:00:99', 'who?')
  nics.a.say('01:00:5e:00:00:12', 'vrrp')
  nics.b.say(broadcast, 'end')
  expect(await nics.c.heardUntil('end')).toEqual(['who?', 'vrrp'])
  expect(await nics.a.heardUntil('end')).toEqual([])
})

test('frames keep their order and their bytes when many come at once and in pieces', async () => {
  const { nics } = await pis(['a', 'b', 'c'], { queueBytes: 2 ** 24 })
  const sent = Array.from({ length: 3_000 }, (_, index) =>
    nics.a.frame(index % 3 === 0 ? nics.c : nics.b, `${index} ${'x'.repeat(index % 1_400)}`),
  )
  const stream = Buffer.concat(sent.flatMap((frame) => [lengthOf(frame.length), frame]))
  for (let at = 0; at < stream.length; at += 7_919) nics.a.socket.write(stream.subarray(at, at + 7_919))
  const forB = sent.filter((_, index) => index % 3 !== 0)
  const forC = sent.filter((_, index) => index % 3 === 0)
  expect(Buffer.concat(await nics.b.take(forB.length)).equals(Buffer.concat(forB))).toBe(true)
  expect(Buffer.concat(await nics.c.take(forC.length)).equals(Buffer.concat(forC))).toBe(true)
})

test('an address that has moved is found at its new port', async () => {
  const { nics } = await pis(['a', 'b', 'c'])
  nics.c.send(ethernet(broadcast, nics.b.mac, 0x88b5, Buffer.from('I am b')))
  await nics.a.take(1)
  nics.a.say(nics.b, 'b?')
  expect(await nics.c.heardUntil('b?')).toEqual([])
  nics.a.say(broadcast, 'end')
  expect(await nics.b.heardUntil('end')).toEqual(['I am b'])
})

test('what no switch forwards is not forwarded: link-local control frames, and senders that are no single address', async () => {
  const { nics, segment } = await pis(['a', 'b'])
  nics.a.say('01:80:c2:00:00:01', 'pause')
  nics.a.say('01:80:c2:00:00:0e', 'lldp')
  nics.a.send(ethernet(broadcast, '01:00:5e:00:00:01', 0x88b5, Buffer.from('from many')))
  nics.a.send(ethernet(broadcast, '00:00:00:00:00:00', 0x88b5, Buffer.from('from nobody')))
  nics.a.say('01:80:c2:00:00:00', 'stp')
  nics.a.say(nics.a, 'to myself')
  nics.a.say(nics.b, 'end')
  expect(await nics.b.heardUntil('end')).toEqual(['stp'])
  nics.b.say(nics.a, 'end')
  expect(await nics.a.heardUntil('end')).toEqual([])
  expect(segment.statistics().a?.dropped.filtered).toBe(4)
})

test('a Pi that takes nothing keeps nobody waiting, and costs no more than its queue', async () => {
  const { nics, segment } = await pis(['a', 'stuck', 'b'], { queueBytes: 100_000 })
  nics.stuck.socket.pause()
  for (let turn = 0; turn < 20; turn++) {
    nics.a.say(nics.stuck, ...Array<string>(100).fill('x'.repeat(1_486)))
    nics.a.say(nics.b, `turn ${turn}`)
    await nics.b.heardUntil(`turn ${turn}`)
  }
  const { stuck } = segment.statistics()
  expect(stuck?.dropped.queue).toBeGreaterThan(500)
  // What the kernel's buffer takes comes on top.
  expect(stuck?.sent.bytes).toBeLessThan(1_000_000)
  expect((stuck?.sent.frames ?? 0) + (stuck?.dropped.queue ?? 0)).toBe(2_002)
  nics.stuck.socket.resume()
  const taken = await nics.stuck.take((stuck?.sent.frames as number) - 2)
  expect(new Set(taken.map((frame) => frame.length))).toEqual(new Set([1_500]))
})

test('a broadcast storm is bounded, and does not keep back what is for one Pi', async () => {
  const { nics, segment } = await pis(['a', 'b'], { stormLimit: { perSecond: 1, burst: 50 } })
  nics.a.say(broadcast, ...Array.from({ length: 500 }, (_, index) => `storm ${index}`))
  nics.a.say(nics.b, 'end')
  const heard = await nics.b.heardUntil('end')
  // One was the introduction; a slow host may have earned a few more meanwhile.
  expect(heard.length).toBeGreaterThanOrEqual(49)
  expect(heard.length).toBeLessThan(70)
  expect(segment.statistics().a?.dropped.storm).toBe(500 - heard.length)
})

test.for([
  ['longer than a jumbo frame', 9_235],
  ['shorter than a header', 13],
  ['empty', 0],
  ['absurd', 0xffffffff],
] as const)('a frame that is %s ends its own link, with a message, and no other', async ([, length]) => {
  const { nics, segment, logged } = await pis(['a', 'b', 'c'])
  nics.a.socket.write(lengthOf(length))
  await nics.a.closed
  const sentence = `Port a: its link was ended, because a frame of ${length} bytes came, where 14 to 9234 can be.`
  expect(logged).toEqual([`Network pxe: ${sentence}`])
  nics.b.say(nics.c, 'still here')
  expect(await nics.c.heardUntil('still here')).toEqual([])
  expect(Object.keys(segment.statistics())).toEqual(['a', 'b', 'c'])
})

test('the longest and the shortest frame get through', async () => {
  const { nics } = await pis(['a', 'b'])
  nics.a.send(nics.a.frame(nics.b), nics.a.frame(nics.b, 'x'.repeat(9_220)))
  expect((await nics.b.take(2)).map(({ length }) => length)).toEqual([14, 9_234])
})

test('a machine that is started anew takes its port over, also where the old one is seen to end later', async () => {
  const { nics, segment, logged } = await pis(['a', 'b'])
  const other = await segment.port('c')
  expect(other).toMatchObject({ name: 'c', connected: false, problem: undefined })
  const first = await Nic.connect(other.path, 'b8:27:eb:00:00:03')
  first.say(nics.a, 'first')
  await nics.a.heardUntil('first')
  const second = await Nic.connect(other.path, 'b8:27:eb:00:00:03')
  second.say(nics.a, 'second')
  await wait(100)
  first.socket.destroy()
  expect(await nics.a.heardUntil('second')).toEqual([])
  nics.a.say(second, 'welcome')
  expect(await second.heardUntil('welcome')).toEqual([])
  expect(logged).toEqual([])
})

test('a second machine on a port is refused with a message, and the first stays', async () => {
  const { nics, segment, logged } = await pis(['a', 'b'])
  const port = await segment.port('c')
  const first = await Nic.connect(port.path, 'b8:27:eb:00:00:03')
  const [second, third] = [await Nic.connect(port.path), await Nic.connect(port.path)]
  await Promise.all([second.closed, third.closed])
  const refused = 'Port c: a second machine that connected was refused, because the port has one.'
  expect(logged).toEqual([`Network pxe: ${refused}`, `Network pxe: ${refused}`])
  expect(port).toMatchObject({ connected: true, problem: refused })
  first.say(nics.a, 'still here')
  expect(await nics.a.heardUntil('still here')).toEqual([])
})

test('a machine that sends no more and takes nothing has ended, and is not waited for', async () => {
  const { nics, segment } = await pis(['a', 'b'])
  const port = await segment.port('c')
  const dying = await Nic.connect(port.path, 'b8:27:eb:00:00:03')
  dying.say(nics.a, 'me')
  await nics.a.heardUntil('me')
  dying.socket.pause()
  nics.a.say(dying, ...Array<string>(500).fill('x'.repeat(1_486)))
  await expect.poll(() => port.statistics().dropped.queue).toBeGreaterThan(0)
  dying.socket.end()
  await expect.poll(() => port.connected).toBe(false)
})

test('what was behind a port is forgotten when its machine goes', async () => {
  const { nics } = await pis(['a', 'b', 'c'])
  nics.b.socket.destroy()
  await nics.b.closed
  const heard = () => {
    nics.a.say(nics.b, 'b?')
    nics.a.say(nics.c, 'end')
    return nics.c.heardUntil('end')
  }
  await expect.poll(heard).toEqual(['b?'])
})

test('sockets are open to their owner only, and gone when the segment is closed', async () => {
  const { segment: one, dir } = segment()
  const other = segment({ name: 'mgmt', dir })
  const paths = [await one.port('a'), await one.port('b'), await other.segment.port('a')].map(
    ({ path }) => path,
  )
  expect(new Set(paths).size).toBe(3)
  for (const path of paths) {
    expect(Buffer.byteLength(path)).toBeLessThan(100)
    expect(statSync(path).isSocket()).toBe(true)
  }
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  const nic = await Nic.connect(paths[0] as string)
  await one.close()
  await nic.closed
  expect(readdirSync(dir)).toEqual([paths[2]?.slice(dir.length + 1)])
  await one.close()
  await expect(one.port('c')).rejects.toThrow('The network pxe gets no port c: it is closed.')
})

test('a port that is closed frees its name, and a name that is taken is refused', async () => {
  const { segment: one } = segment()
  const port = await one.port('a')
  await expect(one.port('a')).rejects.toThrow('The network pxe gets no port a: it has one of that name.')
  await port.close()
  expect(existsSync(port.path)).toBe(false)
  expect((await one.port('a')).path).not.toBe(port.path)
})

test('two segments never leak into each other', async () => {
  const { dir } = segment()
  const names = ['a', 'b'] as const
  const [pxe, mgmt] = [await pis(names, { dir }), await pis(names, { dir, name: 'mgmt' })]
  pxe.nics.a.say(broadcast, 'pxe')
  expect(await pxe.nics.b.heardUntil('pxe')).toEqual([])
  mgmt.nics.a.say(broadcast, 'mgmt')
  expect(await mgmt.nics.b.heardUntil('mgmt')).toEqual([])
})

test('a directory with too long a path, and a socket that is there already, are refused', async () => {
  const { segment: long } = segment({ dir: `${scratchDir()}/${'d'.repeat(90)}` })
  await expect(long.port('a')).rejects.toThrow(
    /the path is too long\.\n {2}Use a directory whose path is shorter by \d+ bytes\./,
  )
  const { segment: one, dir } = segment()
  const port = await one.port('a')
  await port.close()
  const next = `${port.path.slice(0, -1)}2`
  const server = createServer().listen(next)
  await new Promise((done) => server.once('listening', done))
  await expect(one.port('a')).rejects.toThrow(/^No socket for a network could be made: .*EADDRINUSE/)
  await new Promise((done) => server.close(done))
  expect((await one.port('a')).path.startsWith(dir)).toBe(true)
})

test('what is said while a port has no machine does not wait for one', async () => {
  const { nics, segment } = await pis(['a', 'b'])
  const port = await segment.port('late')
  nics.a.say(broadcast, 'anyone?')
  expect(await nics.b.heardUntil('anyone?')).toEqual([])
  const late = await Nic.connect(port.path, 'b8:27:eb:00:00:03')
  late.say(nics.a, 'me')
  await nics.a.heardUntil('me')
  nics.a.say(late, 'to late')
  nics.a.say(broadcast, 'end')
  expect(await late.heardUntil('end')).toEqual(['to late'])
  expect(port.statistics()).toMatchObject({ sent: { frames: 2 }, dropped: { queue: 0 } })
})

test('a segment with a machine does not keep the process alive', async () => {
  const script = `
    const { connect } = await import('node:net')
    const { Segment } = await import(${JSON.stringify(new URL('../../../src/network/segment.ts', import.meta.url))})
    const segment = Segment.open({ name: 'pxe', dir: process.argv[1] })
    const port = await segment.port('a')
    const link = connect(port.path)
    await new Promise((done) => link.once('connect', done))
    while (!port.connected) await new Promise(setImmediate)
    const other = connect((await segment.port('b')).path)
    await new Promise((done) => other.once('connect', done))
    while (!segment.statistics().b || !port.connected) await new Promise(setImmediate)
    segment.delay({ ms: 100_000 })
    link.write(Buffer.concat([Buffer.from([0, 0, 0, 14]), Buffer.from('ffffffffffffb827eb00000188b5', 'hex')]))
    while (segment.frames({ to: 'b' }).length === 0) await new Promise(setImmediate)
    link.unref()
    other.unref()
    console.log('idle')`
  const dir = scratchDir()
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script, dir], {
    timeout: 20_000,
  })
  expect(stdout).toBe('idle')
})
