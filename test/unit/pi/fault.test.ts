import { expect, test } from 'vitest'
import { FaultsAtWork } from '../../../src/pi/fault.ts'

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
