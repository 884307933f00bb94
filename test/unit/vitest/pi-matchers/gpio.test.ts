import { expect, test } from 'vitest'
import type { GpioPin } from '../../../../src/machine/gpio.ts'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const pi = (pin: Partial<GpioPin>) => {
  const pins = Array.from({ length: 54 }, (_, gpio) => ({ gpio, function: 'input', level: 'low', ...pin }))
  return { ...answeringTarget(), gpio: async () => pins }
}

test('toHaveGpio judges level and function of a pin that is driven', async () => {
  await expectPi(pi({ function: 'output', level: 'high' })).toHaveGpio(17, {
    level: 'high',
    function: 'output',
  })
  await expectPi(pi({ function: 'output' })).not.toHaveGpio(17, { level: 'high' })
  await expectPi(pi({})).not.toHaveGpio(17)
  await expectPi(pi({})).toHaveGpio(17, { function: 'input' })
  expect(await failure(() => expectPi(pi({})).toHaveGpio(17, { level: 'high' }))).toContain(
    'Expected:  level high\nReceived:  input, low',
  )
})

test('toHaveGpio refuses a pin that there is not, and what is no Pi of the run', () => {
  expect(() => expectPi(pi({})).toHaveGpio(54)).toThrow('there is no GPIO 54')
  expect(() => expectPi(answeringTarget()).toHaveGpio(17)).toThrow('only Pis of this run have pins')
})
