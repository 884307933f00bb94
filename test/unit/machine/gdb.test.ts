import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { Gdb } from '../../../src/machine/gdb.ts'

/** A stub whose answers come in pieces, all in one moment. */
function place(answers: Record<string, string>) {
  const [ours, theirs] = duplexPair()
  const asked: string[] = []
  theirs.on('data', (data) => {
    const [, command] = /\$([^#]*)#/.exec(String(data)) ?? []
    if (command === undefined) return
    asked.push(command)
    const answer = answers[command] ?? 'OK'
    for (const piece of ['+', `$${answer.slice(0, 3)}`, `${answer.slice(3)}#00`]) theirs.write(piece)
  })
  return { dir: '/pi', connect: async () => ours, asked }
}

test('an answer may come in pieces', async () => {
  const stub = place({ 'm3f200010,4': '78563412' })
  const gdb = await Gdb.connect(stub)
  expect(await gdb.readWord(0x3f200010)).toBe(0x12345678)
  await gdb.writeWord(0x3f200010, 1)
  expect(stub.asked).toEqual(['Qqemu.PhyMemMode:1', 'm3f200010,4', 'M3f200010,4:01000000'])
})

test('a refusal is an error with what was asked', async () => {
  const gdb = await Gdb.connect(place({ 'm0,4': 'E14' }))
  await expect(gdb.readWord(0)).rejects.toThrow("QEMU's gdb stub refused m0,4: E14")
})

test('that the machine has been paused meanwhile is no answer', async () => {
  const gdb = await Gdb.connect(place({ 'm0,4': 'T02thread:01;#00$78563412' }))
  expect(await gdb.readWord(0)).toBe(0x12345678)
})
