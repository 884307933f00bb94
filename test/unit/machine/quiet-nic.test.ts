import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import type { Machine } from '../../../src/machine/machine.ts'
import { quietNic } from '../../../src/machine/quiet-nic.ts'
import { Stillness } from '../../../src/machine/stillness.ts'

const startOfFrame = 8

/** A machine whose guest wants the interrupt as `wants` says, until somebody has kept it from that. */
function machine(wants: (look: number) => { wanted: number; pending: number }) {
  const [ours, theirs] = duplexPair()
  let look = 0
  let masked = false
  const calls: string[] = []
  theirs.on('data', (data) => {
    const [, command = ''] = /\$([^#]*)#/.exec(String(data)) ?? []
    if (!command) return
    const { wanted, pending } = wants(look)
    const word = (value: number) => Buffer.from(new Uint32Array([value]).buffer).toString('hex')
    if (command.startsWith('M3f980018')) masked = true
    const answers: Record<string, string> = {
      'm3f980018,4': word(0xf3000806 | (masked ? 0 : wanted)),
      'm3f980014,4': word(0x04000021 | pending),
    }
    calls.push(command)
    theirs.write(`+$${answers[command] ?? 'OK'}#00`)
  })
  const stillness = new Stillness({
    async stop() {
      look++
      calls.push('pause')
    },
    async go() {
      calls.push('resume')
    },
  })
  const fake = {
    place: { dir: '/pi', connect: async () => ours },
    whileStill: stillness.during.bind(stillness),
  }
  return { fake: fake as unknown as Machine, calls, isMasked: () => masked }
}

test('keeps the guest from an interrupt that it wants and that is not on its way', async () => {
  const { fake, calls, isMasked } = machine((look) => ({
    wanted: startOfFrame,
    pending: look < 4 ? startOfFrame : 0,
  }))
  expect(await quietNic(fake)).toBe(true)
  expect(isMasked()).toBe(true)
  expect(calls).toContain('M3f980018,4:060800f3')
  expect(calls.at(-1)).toBe('resume')
})

test('leaves alone what is quiet, which one look does not show', async () => {
  const { fake, isMasked } = machine((look) => ({
    wanted: look === 2 ? startOfFrame : 0,
    pending: startOfFrame,
  }))
  expect(await quietNic(fake)).toBe(true)
  expect(isMasked()).toBe(false)
})

test('gives up where there is no moment for it, and lets the guest run', async () => {
  const { fake, calls, isMasked } = machine(() => ({ wanted: startOfFrame, pending: startOfFrame }))
  expect(await quietNic(fake)).toBe(false)
  expect(isMasked()).toBe(false)
  expect(calls.at(-1)).toBe('resume')
})

test('a machine that has gone is no reason to fail', async () => {
  const gone = { whileStill: () => Promise.reject(new Error('gone')) } as unknown as Machine
  expect(await quietNic(gone)).toBe(false)
})
