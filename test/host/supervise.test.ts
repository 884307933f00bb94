import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { quote } from '../../src/host/quote.ts'
import { Terminal } from '../support/terminal.ts'

const supervisor = fileURLToPath(new URL('../../src/host/supervise.py', import.meta.url))

test('what is supervised has no terminal on which it could ask for a password, and wait', async () => {
  using terminal = new Terminal({ PATH: process.env.PATH }, '/')
  const asks = `python3 -c 'open("/dev/tty")'`
  expect(await terminal.run(asks, 30_000)).toMatchObject({ code: 0 })
  expect(await terminal.run(`python3 ${quote(supervisor)} $$ ${asks}`, 30_000)).toMatchObject({
    code: 1,
    shown: expect.stringContaining("No such device or address: '/dev/tty'"),
  })
})
