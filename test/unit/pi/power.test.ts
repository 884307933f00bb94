import { expect, test } from 'vitest'
import { Power, type PowerState } from '../../../src/pi/power.ts'

function recorded() {
  const calls: unknown[] = []
  const power = new Power({
    state: async (): Promise<PowerState> => 'off',
    do: async (action, wait) => void calls.push(wait ? action : `${action}, not waited for`),
    up: async (timeoutMs) => void calls.push(`up within ${timeoutMs}`),
  })
  return { calls, power }
}

test('who switches a Pi on waits for it, unless he will not', async () => {
  const { calls, power } = recorded()
  await power.on({ timeoutMs: 5 })
  await power.reset({ wait: false })
  await power.cycle({ timeoutMs: 7 })
  await power.off()
  expect(calls).toEqual(['on', 'up within 5', 'reset, not waited for', 'cut', 'on', 'up within 7', 'off'])
  expect(await power.state()).toBe('off')
})
