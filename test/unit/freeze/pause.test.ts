import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pauseBetweenInterrupts } from '../../../src/freeze/pause.ts'
import { machineFiles } from '../../../src/machine/command-line.ts'
import type { Machine } from '../../../src/machine/machine.ts'

/** Pauses a machine in which, at each pause, these interrupts are pending for its four cores. Gives what was asked of it. */
async function pause(pendings: number[][], board = 'raspi3b') {
  const dir = mkdtempSync(join(tmpdir(), 'raspi-pause-'))
  const asked: string[] = []
  let pauses = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const [, command = ''] = /\$([^#]*)#/.exec(String(data)) ?? []
      const [, core] = /^m4000006([048c]),4/.exec(command) ?? []
      if (core) asked.push(core)
      if (!command) return
      const word = Buffer.alloc(4)
      word.writeUInt32LE(pendings[pauses - 1]?.[Number.parseInt(core ?? '0', 16) / 4] ?? 0)
      socket.write(`+$${core ? word.toString('hex') : 'OK'}#00`)
    })
  })
  server.listen(join(dir, machineFiles.gdb))
  await once(server, 'listening')
  const machine = {
    spec: { board: { name: board } },
    place: { dir, connect: async (path: string) => connect(path) },
    pause: async () => void pauses++,
    resume: async () => void asked.push('resume'),
  }
  try {
    await pauseBetweenInterrupts(machine as unknown as Machine)
  } finally {
    server.close()
    rmSync(dir, { recursive: true })
  }
  return { pauses, asked: asked.join(' ') }
}

test('a machine without a pending interrupt stays paused', async () => {
  expect(await pause([[0, 0, 0, 0]])).toEqual({ pauses: 1, asked: '0 4 8 c' })
})

test('one in which a core waits for its timer goes on for a moment', async () => {
  const pendings = [
    [0, 0, 8, 0],
    [0x100, 0, 0, 0],
    [0, 0, 0, 0],
  ]
  expect(await pause(pendings)).toEqual({ pauses: 3, asked: '0 4 8 c resume 0 4 8 c resume 0 4 8 c' })
})

test('a board without such a controller is just paused', async () => {
  expect(await pause([[8, 0, 0, 0]], 'virt')).toEqual({ pauses: 1, asked: '' })
})
