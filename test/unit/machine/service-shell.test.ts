import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { ServiceShell } from '../../../src/machine/service-shell.ts'

test('a shell whose machine ends has finished, and finishes at once where that has happened before', async () => {
  const written: string[] = []
  const socket = new Duplex({
    read() {},
    write(chunk, _, done) {
      written.push(String(chunk))
      done()
    },
  })
  const shell = await ServiceShell.attach({ dir: '/run', connect: async () => socket })
  const finished = shell.finish('true')
  expect(written).toEqual(['true\necho @"done"@\nexit\n'])
  socket.destroy()
  await finished
  await shell.finish('true')
  expect(written).toHaveLength(1)
})
