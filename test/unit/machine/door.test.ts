import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { afterEach, expect, test, vi } from 'vitest'
import { Door } from '../../../src/machine/door.ts'

const open: { close(): unknown }[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const one of open.splice(0)) one.close()
})

async function guest(onVisit: (socket: Socket, number: number) => void): Promise<number> {
  let visits = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onVisit(socket, ++visits)
  })
  open.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const to = (port: number) => () => connect(port, '127.0.0.1')

async function door(target: number | undefined): Promise<Door> {
  const opened = await Door.open({ refusalsMs: 1_500 })
  open.push(opened)
  opened.leadTo(target === undefined ? undefined : to(target))
  return opened
}

test('a visitor is joined to the guest', async () => {
  const port = await guest(
    (socket) => socket.write('SSH-2.0-guest\r\n') && socket.on('data', (data) => socket.write(`<${data}>`)),
  )
  const visitor = connect((await door(port)).port, '127.0.0.1')
  expect(String((await once(visitor, 'data'))[0])).toBe('SSH-2.0-guest\r\n')
  visitor.write('hello')
  expect(String((await once(visitor, 'data'))[0])).toBe('<hello>')
  visitor.destroy()
})

test('a second connection is tried beside a silent one, and the visitor stays joined to the one that greeted', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const greeted = Promise.withResolvers<Socket>()
  const second = Promise.withResolvers<void>()
  const port = await guest((socket, number) => {
    if (number === 1) greeted.resolve(socket)
    if (number === 2) second.resolve()
  })
  const visitor = connect((await door(port)).port, '127.0.0.1')
  const first = await greeted.promise
  vi.advanceTimersByTime(4_000)
  await second.promise
  first.write('SSH-2.0-late\r\n')
  expect(String((await once(visitor, 'data'))[0])).toBe('SSH-2.0-late\r\n')
  // The tries that did not greet are dropped by now; the one that did must not go with them.
  first.on('data', (data) => first.write(`<${data}>`))
  visitor.write('still there?')
  expect(String((await once(visitor, 'data'))[0])).toBe('<still there?>')
  visitor.destroy()
})

test('of many silent connections the oldest are dropped, and the newest may still greet', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const knocks: Socket[] = []
  let knocked = Promise.withResolvers<void>()
  const port = await guest((socket) => {
    knocks.push(socket)
    knocked.resolve()
  })
  const visitor = connect((await door(port)).port, '127.0.0.1')
  for (let count = 1; count <= 10; count++) {
    if (count > 1) vi.advanceTimersToNextTimer()
    await knocked.promise
    knocked = Promise.withResolvers()
  }
  const [first, second] = knocks
  for (const old of [first, second]) if (old && !old.closed) await once(old.resume(), 'close')
  expect(knocks.slice(2).filter((socket) => socket.closed)).toEqual([])
  knocks.at(-1)?.write('SSH-2.0-late\r\n')
  expect(String((await once(visitor, 'data'))[0])).toBe('SSH-2.0-late\r\n')
  visitor.destroy()
})

test('a guest that takes long to greet is not asked ever again meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let knocks = 0
  const greeting = Promise.withResolvers<Socket>()
  const port = await guest((socket, number) => {
    knocks = number
    if (number === 1) greeting.resolve(socket)
  })
  const opened = await door(port)
  const visitor = connect(opened.port, '127.0.0.1')
  const first = await greeting.promise
  for (let second = 0; second < 50; second++) {
    vi.advanceTimersByTime(1_000)
    await delay(5)
  }
  expect(knocks).toBe(5)
  // None was dropped, and the first is as good as any.
  expect(first.closed).toBe(false)
  first.write('SSH-2.0-late\r\n')
  await once(visitor, 'data')

  // Whoever comes now is not the one whose connection is lost.
  const other = connect(opened.port, '127.0.0.1')
  for (let second = 0; second < 25; second++) {
    vi.advanceTimersByTime(1_000)
    await delay(5)
  }
  expect(knocks).toBe(6)
  for (const each of [visitor, other]) each.destroy()
})

test('however many wait for a guest that boots, it has no more at its door than it lets stand there', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const knocks: Socket[] = []
  const port = await guest((socket) => knocks.push(socket))
  const opened = await door(port)
  const visitors = Array.from({ length: 4 }, () => connect(opened.port, '127.0.0.1'))
  for (let second = 0; second < 240; second++) {
    vi.advanceTimersByTime(1_000)
    await delay(2)
  }
  const living = () => knocks.filter((socket) => !socket.closed && !socket.readableEnded)
  for (const socket of knocks) socket.resume()
  await vi.waitFor(() => expect(living()).toHaveLength(8), { timeout: 10_000 })
  // Each has one of its own in the end.
  for (const socket of living()) socket.write('SSH-2.0-late\r\n')
  await Promise.all(visitors.map((visitor) => once(visitor, 'data')))
  await vi.waitFor(() => expect(living()).toHaveLength(4), { timeout: 10_000 })
  for (const visitor of visitors) visitor.destroy()
})

test('who is turned away at a guest that is too busy knocks again', async () => {
  const port = await guest((socket, number) => {
    if (number === 1) socket.end('Exceeded MaxStartups\r\n')
    else socket.write('SSH-2.0-guest\r\n')
  })
  const visitor = connect((await door(port)).port, '127.0.0.1')
  expect(String((await once(visitor, 'data'))[0])).toBe('SSH-2.0-guest\r\n')
  visitor.destroy()
})

test('visitors of a door that leads nowhere wait until it leads somewhere, and none is let in who has left', async () => {
  let visits = 0
  const port = await guest((socket) => {
    visits++
    socket.write('SSH-2.0-guest\r\n')
    socket.on('data', (data) => socket.write(`<${data}>`))
  })
  const opened = await door(undefined)
  const impatient = connect(opened.port, '127.0.0.1')
  impatient.write('SSH-2.0-impatient\r\n')
  await once(impatient, 'connect')
  impatient.destroy()
  const visitor = connect(opened.port, '127.0.0.1')
  visitor.write('SSH-2.0-visitor\r\n')
  await once(visitor, 'connect')
  // What the two have said, and that one has gone, reaches the door a moment later.
  await delay(200)
  opened.leadTo(to(port))
  let heard = ''
  for await (const chunk of visitor) {
    heard += chunk
    if (heard.includes('>')) break
  }
  expect(heard).toBe('SSH-2.0-guest\r\n<SSH-2.0-visitor\r\n>')
  expect(visits).toBe(1)
})

test('a door that refuses tells why, in a way that ssh shows', async () => {
  const opened = await door(undefined)
  opened.refuse('Pi pi-1 is off: its system was shut down')
  const { stderr, exitCode } = await execa(
    'ssh',
    ['-F', 'none', '-o', 'LogLevel=ERROR', '-p', String(opened.port), '127.0.0.1', 'true'],
    { reject: false, stdin: 'ignore' },
  )
  expect(stderr).toMatch(/^Received disconnect from .*: Pi pi-1 is off: its system was shut down$/m)
  expect(exitCode).toBe(255)
})

test('who waits for a greeting when the Pi goes off is told', async () => {
  const knocked = Promise.withResolvers<void>()
  const port = await guest(() => knocked.resolve())
  const opened = await door(port)
  const visitor = connect(opened.port, '127.0.0.1')
  await knocked.promise
  opened.refuse('it is off')
  let heard = ''
  for await (const chunk of visitor) heard += chunk
  expect(heard).toContain('it is off')
})

test('visitors are sent away when the Pi goes off', async () => {
  const port = await guest((socket) => socket.write('SSH-2.0-guest\r\n'))
  const opened = await door(port)
  const visitor = connect(opened.port, '127.0.0.1')
  visitor.on('error', () => {})
  await once(visitor, 'data')
  opened.leadTo(undefined)
  await once(visitor, 'close')
})

test('a guest that refuses at first is asked again, and one that goes on refusing is given up', async () => {
  const port = await guest((socket, number) => {
    if (number < 3) socket.destroy()
    else socket.write('SSH-2.0-at last\r\n')
  })
  const visitor = connect((await door(port)).port, '127.0.0.1')
  expect(String((await once(visitor, 'data'))[0])).toBe('SSH-2.0-at last\r\n')
  visitor.destroy()

  const deaf = await guest((socket, number) => {
    if (number === 1) socket.write('SSH-2.0-for now\r\n')
    else socket.destroy()
  })
  const way = await door(deaf)
  const first = connect(way.port, '127.0.0.1')
  await once(first, 'data')
  const another = connect(way.port, '127.0.0.1')
  another.on('error', () => {})
  await once(another, 'close')
  first.destroy()
})

test('a guest that boots may refuse for longer than one that had an ssh server', async () => {
  const started = performance.now()
  const port = await guest((socket) => {
    if (performance.now() - started < 2_500) socket.destroy()
    else socket.write('SSH-2.0-at last\r\n')
  })
  const visitor = connect((await door(port)).port, '127.0.0.1')
  expect(String((await once(visitor, 'data'))[0])).toBe('SSH-2.0-at last\r\n')
  visitor.destroy()
})
