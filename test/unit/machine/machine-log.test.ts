import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { expect, test } from 'vitest'
import { MachineLog, readMachineLog } from '../../../src/machine/machine-log.ts'

test('keeps what QEMU says by lines, without its noise and within bounds', async () => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  const file = join(path, 'qemu.log')
  const log = new MachineLog(file)
  log.note('starts', 'qemu-system-aarch64 -machine raspi3b')
  log.hear('warning: a li')
  log.hear('ne in two\nSlirp: Failed to send packet, ret: -1\n\n')
  log.note('ended', 'QEMU was killed by SIGKILL:\n  no memory')
  const events = readMachineLog(file)
  expect(events.map(({ what, text }) => `${what} ${text}`)).toEqual([
    'starts qemu-system-aarch64 -machine raspi3b',
    'says warning: a line in two',
    'ended QEMU was killed by SIGKILL:; no memory',
  ])
  expect(Date.now() - (events[0]?.at ?? 0)).toBeLessThan(60_000)
  log.hear('again\n'.repeat(10_000))
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(600)
  await cleanup()
})

test('a log that cannot be written or read is none', () => {
  const log = new MachineLog('/nowhere/qemu.log')
  log.note('starts', 'qemu')
  expect(readMachineLog('/nowhere/qemu.log')).toEqual([])
})
