import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Relay } from '../../../src/control-node/relay.ts'
import { startRemote } from './remote.ts'

async function server(handle: (socket: Socket) => void): Promise<number> {
  const listening = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    handle(socket)
  })
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  onTestFinished(() => void listening.close())
  return (listening.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

/** A relay on this host: a port that is free leads to `port`, as the same port in a container would. */
async function relayTo(port: number) {
  const remote = startRemote()
  const options = { host: '127.0.0.1', port, allowHalfOpen: true }
  const relay = new Relay(remote, () => connect(options))
  const there = await freePort()
  await relay.listen(there)
  const dial = () => {
    const socket = connect({ host: '127.0.0.1', port: there, allowHalfOpen: true })
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    return socket
  }
  return { relay, there, dial, remote }
}

async function read(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Waits until no more is taken of what is written to `socket`: sooner or later all buffers on its way are full. */
async function standstill(socket: Socket): Promise<void> {
  const taken = () => socket.bytesWritten - socket.writableLength
  for (let before = 0; taken() === 0 || taken() !== before; ) {
    before = taken()
    // Those of the kernel are some MB at each of the four sockets.
    expect(before).toBeLessThan(256e6)
    await delay(500)
  }
}

test('the end of one direction passes through, and the other one goes on', async () => {
  const port = await server(async (socket) => {
    const heard = await read(socket)
    await delay(100)
    socket.end(`heard ${heard.length}`)
  })
  const { dial } = await relayTo(port)
  const socket = dial()
  socket.end(Buffer.alloc(3_000_000, 'x'))
  expect(String(await read(socket))).toBe('heard 3000000')
})

test('many connections have their own streams, and one that is not read holds no other up', async () => {
  const port = await server((socket) => socket.pipe(socket))
  const { dial } = await relayTo(port)
  const stuck = dial()
  stuck.pause()
  const flood = setInterval(() => stuck.writableLength < 1e6 && stuck.write(Buffer.alloc(100_000)), 1)
  onTestFinished(() => clearInterval(flood))
  await standstill(stuck)
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(700_000))
  const heard = await Promise.all(
    texts.map((text) => {
      const socket = dial()
      socket.end(text)
      return read(socket)
    }),
  )
  expect(heard.map(String)).toEqual(texts)
})

test('where nobody listens here, the connection there breaks', async () => {
  const { dial } = await relayTo(await freePort())
  const socket = dial().resume()
  await new Promise((resolve) => socket.once('close', resolve))
  expect(socket.bytesRead).toBe(0)
})

test('a connection that breaks there breaks here', async () => {
  const broken = Promise.withResolvers<void>()
  const port = await server((socket) => {
    socket.write('hello')
    socket.resume().once('error', () => broken.resolve())
  })
  const { dial } = await relayTo(port)
  const socket = dial()
  await once(socket, 'data')
  socket.resetAndDestroy()
  await broken.promise
})

test('a port is asked for once, and one that is taken there is an error', async () => {
  const port = await server(() => {})
  const { relay, there } = await relayTo(port)
  await relay.listen(there)
  await expect(relay.listen(port)).rejects.toThrow(
    new RegExp(`A Pi's port ${port} cannot be had in Ansible's container: .*in use`),
  )
})

test('where it has ended, no port can be had', async () => {
  const { relay, remote } = await relayTo(1)
  const asked = relay.listen(2)
  remote.leave()
  process.kill(remote.pid, 'SIGKILL')
  await asked.catch(() => {})
  await remote.exited
  await expect(relay.listen(3)).rejects.toThrow('The container that Ansible runs in is gone.')
})
