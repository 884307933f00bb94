import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type Conversation, converse } from '../../../../src/pi/conversation.ts'
import { probe } from '../../../../src/pi/probes/probe.ts'
import type { Query } from '../../../../src/pi/probes/queries.ts'
import { localTarget } from './local-target.ts'

const hostname: Query<'texts'> = { kind: 'texts', patterns: ['/proc/sys/kernel/ostype'] }
const isLinux = [{ texts: { '/proc/sys/kernel/ostype': 'Linux\n' } }]

test('what is asked again is answered by the process that is there already', async () => {
  const pi = standingTarget()
  for (let round = 0; round < 3; round++) expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([1, 0])
})

test('any text comes through unharmed, both ways', async () => {
  const pi = standingTarget()
  const text = '"\'\\\n\r\u2028\u0085ü😀 $(id)'
  for (let round = 0; round < 2; round++) {
    const [found] = await probe(pi, [{ kind: 'command', command: ['printf', '%s', text] }])
    // Python's text streams know one kind of line only.
    expect(found.stdout).toBe(text.replace('\r', '\n'))
  }
  expect(pi.roundTrips).toBe(0)
})

test('where the process has ended a command of its own answers, and the next question starts another', async () => {
  const pi = standingTarget()
  await probe(pi, [hostname])
  pi.started[0]?.close()
  expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([1, 1])
  expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([2, 1])
})

test('a process that never answers is not started again', async () => {
  const pi = standingTarget(() => 'exit 1')
  for (let round = 0; round < 2; round++) expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([1, 2])
})

test.for([
  ['cannot be reached', 'exit 255'],
  ['is lost in the middle of its answer', `printf '{"root": true, "answers": [{"te'`],
] as const)('a process on a Pi that %s is started again', async ([, first]) => {
  const pi = standingTarget((command) => (pi.started.length === 0 ? first : `exec ${command}`))
  for (let round = 0; round < 2; round++) expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([2, 1])
})

test('who asks while another is answered does not wait', async () => {
  const pi = standingTarget()
  await probe(pi, [hostname])
  const slow = probe(pi, [{ kind: 'command', command: ['sleep', '0.5'] }])
  // What is asked in one tick goes together.
  await setImmediate()
  expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([1, 1])
  expect(await slow).toMatchObject([{ exitCode: 0 }])
})

test('what the process cannot answer is asked anew, before it counts', async () => {
  const pi = standingTarget()
  const impossible = probe(pi, [{ kind: 'command', command: ['no-such-command'] }])
  await expect(impossible).rejects.toThrow('there is no command no-such-command')
  expect([pi.started.length, pi.roundTrips]).toEqual([1, 1])
  expect(await probe(pi, [hostname])).toMatchObject(isLinux)
  expect([pi.started.length, pi.roundTrips]).toEqual([2, 1])
})

test('only what it cannot answer is asked anew: a request is not made twice', async () => {
  const seen: string[] = []
  const server = createServer(({ method }, response) => {
    seen.push(method ?? '')
    response.end('x'.repeat((1 << 20) + 1))
  })
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  onTestFinished(() => void server.close())
  await listening
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const post = { kind: 'http', url, method: 'POST', headers: {}, timeout: 5, insecure: false } as const
  const pi = standingTarget()
  const [answered, impossible, tooLong] = await Promise.allSettled([
    probe(pi, [post]),
    probe(pi, [{ kind: 'command', command: ['no-such-command'] }]),
    probe(pi, [{ ...post, content: true }]),
  ])
  expect(answered).toMatchObject({ value: [{ status: 200 }] })
  expect(impossible).toMatchObject({ reason: expect.objectContaining({ kind: 'ssh' }) })
  expect(tooLong).toMatchObject({
    reason: expect.objectContaining({
      message: expect.stringContaining('its body is larger than the 1048576 bytes that are compared'),
    }),
  })
  expect(seen).toEqual(['POST', 'POST'])
  expect(pi.roundTrips).toBe(1)
})

/** This machine in a Pi's place, on which processes stay until the test ends. */
function standingTarget(as: (command: string) => string = (command) => `exec ${command}`) {
  const over = new AbortController()
  onTestFinished(() => over.abort())
  const started: Conversation[] = []
  return Object.assign(localTarget(), {
    started,
    converse(command: string) {
      const conversation = converse('sh', ['-c', as(command)], over.signal)
      started.push(conversation)
      return conversation
    },
  })
}
