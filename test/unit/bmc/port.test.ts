import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { askGuid, giveBack, portsFrom, takePort } from '../../../src/bmc/port.ts'

/** Somebody on a port who answers the nth request with `answers[n]`. */
async function answering(port: number, answers: readonly Buffer[]) {
  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  const requests: string[] = []
  socket.on('message', (request, from) => {
    const answer = answers[requests.length]
    requests.push(request.toString('hex'))
    if (answer) socket.send(answer, from.port)
  })
  return requests
}

const guid = '00112233445566778899aabbccddeeff'
/** As ipmi_sim 2.0.33 gives it. */
const answer = (code: string) =>
  Buffer.from(`0600ff07000000000000000000${'18'}811c63200037${code}${guid}b1`, 'hex')

test('a BMC is asked until it answers, and what is no answer is passed over', async () => {
  const port = await takePort()
  const asked = askGuid(port, AbortSignal.timeout(10_000))
  const requests = await answering(port, [Buffer.alloc(0), Buffer.from('hello'), answer('c1'), answer('00')])
  expect(await asked).toBe(guid)
  expect(requests).toEqual(Array(4).fill('0600ff0700000000000000000007' + '2018c881003748'))
  giveBack(port)
})

test('a port on which nobody answers is asked until that is given up', async () => {
  const port = await takePort()
  await expect(askGuid(port, AbortSignal.timeout(200))).rejects.toThrow(/timeout/)
  await answering(port, [])
  await expect(askGuid(port, AbortSignal.timeout(200))).rejects.toThrow(/timeout/)
  await expect(askGuid(port, AbortSignal.abort(new Error('not wanted any more')))).rejects.toThrow(
    /not wanted/,
  )
  giveBack(port)
})

test('ports are free, and none is given twice', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, takePort))
  expect(new Set(ports).size).toBe(100)
  for (const port of ports) giveBack(port)
})

test('the port of an earlier BMC comes first, unless another one of this process has it', async () => {
  const port = await takePort()
  expect(await portsFrom(port)()).not.toBe(port)
  giveBack(port)
  const next = portsFrom(port)
  expect(await next()).toBe(port)
  // It is taken now, and whoever could not use it gets another.
  expect(await portsFrom(port)()).not.toBe(port)
  expect(await next()).not.toBe(port)
  expect(await portsFrom(undefined)()).toBeGreaterThan(0)
})
