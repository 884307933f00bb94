import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { FaultsAtWork } from '../../../src/pi/fault.ts'
import { PiFaults } from '../../../src/pi/faults.ts'
import type { CommandOptions } from '../../../src/pi/ssh.ts'

test('a fault is mended once, be it by undo, by its block, or with all others, the last first', async () => {
  const mended: string[] = []
  const faults = new FaultsAtWork()
  const add = (name: string) => faults.add(name, async () => mended.push(name))
  const first = add('first')
  {
    await using second = add('second')
    expect(second.description).toBe('second')
  }
  add('third')
  add('fourth')
  await first.undo()
  await faults.clear()
  await first.undo()
  await faults.clear()
  expect(mended).toEqual(['second', 'first', 'fourth', 'third'])
})

test('one that cannot be mended keeps no other from being mended, and is tried again', async () => {
  const mended: string[] = []
  const faults = new FaultsAtWork()
  faults.add('first', async () => mended.push('first'))
  let isOff = true
  const mendSecond = async () => {
    if (isOff) throw new Error('the Pi is off')
    mended.push('second')
  }
  const second = faults.add('second', mendSecond)
  faults.add('third', async () => mended.push('third'))
  await expect(faults.clear()).rejects.toThrow('the Pi is off')
  expect(mended).toEqual(['third', 'first'])
  await expect(second.undo()).rejects.toThrow('the Pi is off')
  isOff = false
  await Promise.all([faults.clear(), second.undo()])
  expect(mended).toEqual(['third', 'first', 'second'])
})

test('one that cannot be mended twice is left to undo(): each test that follows would wait for it', async () => {
  let tries = 0
  const faults = new FaultsAtWork()
  const fault = faults.add('silent', async () => {
    if (++tries < 4) throw new Error('it does not answer')
  })
  for (let turn = 0; turn < 2; turn++) await expect(faults.clear()).rejects.toThrow('it does not answer')
  await faults.clear()
  expect(tries).toBe(2)
  await expect(fault.undo()).rejects.toThrow('it does not answer')
  await fault.undo()
  await fault.undo()
  expect(tries).toBe(4)
})

test('memory that a boot has given back, or that there was none of, counts as given back', async () => {
  const scripts: string[] = []
  const run = async (_: string, { input }: CommandOptions = {}) => {
    scripts.push(String(input))
    return { exitCode: 0, stdout: '', stderr: '' }
  }
  const fault = await new PiFaults({ run, machine: async () => {} }).memoryPressure({ leaveMiB: 16 })
  await fault.undo()
  // Here nothing is mounted there, either.
  expect(spawnSync('bash', ['-s'], { input: scripts[1] }).status).toBe(0)
})
