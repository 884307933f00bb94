import type { GpioPin } from '../../machine/gpio.ts'
import { wrongArgument } from '../matcher-arguments.ts'
import { lookingMatcher } from './pi-matcher.ts'
import { judge, value } from './verdict.ts'

/** What `toHaveGpio` may expect of a pin. */
export interface GpioExpectation {
  /** The level that the guest drives. An input has the one that is there, which nothing drives: low. */
  level?: GpioPin['level']
  /** What the pin is set to. */
  function?: GpioPin['function']
}

const name = 'toHaveGpio'

export const toHaveGpio = lookingMatcher(name, {
  options: ['level', 'function'],
  look: (pi, gpio: number, expected: GpioExpectation = {}) => {
    if (!Number.isInteger(gpio) || gpio < 0 || gpio > 53)
      throw wrongArgument(name, `there is no GPIO ${gpio}`, 'Give the number as the SoC counts, 0 to 53.')
    if (!('gpio' in pi) || typeof pi.gpio !== 'function')
      throw wrongArgument(name, 'only Pis of this run have pins', 'Give it the fixture `pi`.')
    return (pi.gpio() as Promise<GpioPin[]>).then((pins) => ({ verdict: judgePin(pins[gpio], expected) }))
  },
})

function judgePin(pin: GpioPin | undefined, expected: GpioExpectation) {
  return judge(
    {
      there: pin !== undefined && (pin.function !== 'input' || expected.function === 'input'),
      wanted: 'a pin that is driven',
      found: pin ? `${pin.function}, ${pin.level}` : 'no such pin',
      none: 'a pin that nobody drives',
    },
    [value('level', expected.level, pin?.level), value('function', expected.function, pin?.function)],
  )
}
