import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConsoleLog } from '../../../src/machine/console-log.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

// In latin1 the second byte of ě is a control character that begins a sequence.
const line = 'Grüße ěA…, \x1b[32mready\x1b[0m'

test('what a Pi shows is UTF-8, without the colours', async () => {
  const log = new ConsoleLog(join(scratchDir(), 'console.log'))
  writeFileSync(log.file, `${line}\r\n`)
  expect(await log.text()).toBe('Grüße ěA…, ready\n')
  expect(await log.tail()).toBe('Grüße ěA…, ready')
  expect(await log.waitFor({ it: /Grüße ěA…, ready/ }, AbortSignal.timeout(10_000))).toBe('it')
})

test('a letter that comes in two parts is waited for', async () => {
  const log = new ConsoleLog(join(scratchDir(), 'console.log'))
  const bytes = Buffer.from(`${line}\n`)
  writeFileSync(log.file, bytes.subarray(0, 3))
  const seen = log.waitFor({ it: /Grüße ěA…/ }, AbortSignal.timeout(10_000), { everyMs: 5 })
  setTimeout(() => appendFileSync(log.file, bytes.subarray(3)), 50)
  expect(await seen).toBe('it')
})
