import { expect } from 'vitest'
import { type PiMatchers, piMatchers } from './pi-matchers/pi-matchers.ts'
import { type RunMatchers, runMatchers } from './run-matchers.ts'

expect.extend(runMatchers)
expect.extend(piMatchers)

// Chai's interfaces, because Vitest 4 and 5 give their own `Matchers` different type parameters.
declare global {
  namespace Chai {
    interface Assertion extends RunMatchers<void>, PiMatchers<void> {}
    interface ExpectStatic extends RunMatchers<unknown>, PiMatchers<unknown> {}
  }
}

export { expect }
