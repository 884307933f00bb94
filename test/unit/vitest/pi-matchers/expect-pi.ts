import { stripVTControlCharacters } from 'node:util'
import { expect } from 'vitest'
import type { ProbeTarget } from '../../../../src/pi/probes/target.ts'
import { type PiMatchers, piMatchers } from '../../../../src/vitest/pi-matchers/pi-matchers.ts'

expect.extend(piMatchers)

type PiAssertion = PiMatchers & { not: PiMatchers }

/** `expect` with the matchers under test, which nothing has declared globally. */
export const expectPi = (pi: unknown, message?: string) => expect(pi, message) as unknown as PiAssertion

/** `expect.poll` with the matchers under test. */
export const pollPi = (pi: () => ProbeTarget, options?: { timeout?: number; interval?: number }) =>
  expect.poll(pi, options) as unknown as PiAssertion

/** The message with which an assertion fails, without colours. Throws where it does not fail. */
export async function failure(assertion: () => Promise<unknown>): Promise<string> {
  try {
    await assertion()
  } catch (error) {
    return stripVTControlCharacters((error as Error).message)
  }
  throw new Error('The assertion did not fail.')
}
