import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConsoleBridge } from '../../../src/bmc/console-bridge.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

/** A Pi's console on a unix socket, for one client. */
async function fakeConsole(path: string) {
  const server = createServer()
  const clients: Socket[] = []
  let heard = ''
  server.on('connection', (client) => {
    clients.push(client)
    client.on('data', (bytes) => {
      heard += bytes
    })
    client.on('error', () => {})
  })
  server.listen(path)
  await once(server, 'listening')
  const off = async () => {
    for (const client of clients) client.destroy()
    if (server.listening) await new Promise((done) => server.close(done))
    if (existsSync(path)) rmSync(path)
  }
  onTestFinished(off)
  return {
    heard: () => heard,
    clients: () => clients.length,
    waiting: () => clients.at(-1)?.writableLength,
    say: (text: string | Buffer) => clients.at(-1)?.write(text),
    off,
  }
}

async function bridged(consoleSocket: () => string | undefined) {
  const bridge = await ConsoleBridge.open(async () => {
    const path = consoleSocket()
    return path === undefined ? undefined : connect(path)
  })
  onTestFinished(() => bridge.close())
  const sim = connect(bridge.port, '127.0.0.1')
  let heard = ''
  sim.on('data', (bytes) => {
    heard += bytes
  })
  sim.on('error', () => {})
  await once(sim, 'connect')
  onTestFinished(() => {
    sim.destroy()
  })
  return { bridge, sim, heard: () => heard }
}

test('bytes go both ways, also those of a console that comes later, goes, and comes back elsewhere', async () => {
  const dir = scratchDir()
  let path: string | undefined
  const { sim, heard } = await bridged(() => {
    if (!path) throw new Error('there is no Pi yet')
    return path
  })
  sim.write('lost, as the Pi is off')
  path = join(dir, 'first')
  const first = await fakeConsole(path)
  await expect.poll(() => first.clients()).toBe(1)
  first.say('login: ')
  await expect.poll(() => heard()).toBe('login: ')
  sim.write('pi\r')
  await expect.poll(() => first.heard()).toBe('pi\r')

  await first.off()
  path = join(dir, 'second')
  const second = await fakeConsole(path)
  await expect.poll(() => second.clients()).toBe(1)
  sim.write('root\r')
  second.say(Buffer.from([0xff, 0, 0xfe]))
  await expect.poll(() => second.heard()).toBe('root\r')
  expect(sim.destroyed).toBe(false)
})

test('a second one is sent away, and the first stays', async () => {
  const path = join(scratchDir(), 'console')
  const console = await fakeConsole(path)
  const { bridge, heard } = await bridged(() => path)
  await expect.poll(() => console.clients()).toBe(1)
  const second = connect(bridge.port, '127.0.0.1')
  const [error] = await once(second, 'error')
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  console.say('still here')
  await expect.poll(() => heard()).toBe('still here')
})

test('a side that does not read loses bytes, and keeps the other from nothing', async () => {
  const path = join(scratchDir(), 'console')
  const console = await fakeConsole(path)
  const { sim } = await bridged(() => path)
  await expect.poll(() => console.clients()).toBe(1)
  sim.pause()
  const chunk = Buffer.alloc(64 * 1024, 'x')
  // More than the buffers of all sockets hold: who waited for the reader would wait for ever.
  for (let sent = 0; sent < 32 * 1024 * 1024; sent += chunk.length) console.say(chunk)
  await expect.poll(() => console.waiting()).toBe(0)
  sim.write('still heard')
  await expect.poll(() => console.heard()).toBe('still heard')
})

test('its end, or that of ipmi_sim, ends both connections', async () => {
  const path = join(scratchDir(), 'console')
  const console = await fakeConsole(path)
  const first = await bridged(() => path)
  await expect.poll(() => console.clients()).toBe(1)
  first.bridge.close()
  await expect.poll(() => first.sim.destroyed).toBe(true)

  const second = await bridged(() => path)
  await expect.poll(() => console.clients()).toBe(2)
  second.sim.destroy()
  await new Promise((done) => setTimeout(done, 600))
  expect(console.clients()).toBe(2)
})
