import { join } from 'node:path'
import type { ParsedStack, TestError } from 'vitest'
import { expect, test } from 'vitest'
import { withoutOwnFrames } from '../../../src/vitest/own-frames.ts'

const root = join(import.meta.dirname, '../../..')
const frame = (file: string): ParsedStack => ({ file, line: 1, column: 1, method: '' })
const raspiError = { name: 'RaspiError', message: 'Pi pi-1 is lost' } as TestError

test('of a RaspiError’s stack only what is not ours is shown', () => {
  const shown = withoutOwnFrames()
  expect(shown(raspiError, frame(join(root, 'src/pi/pi.ts')))).toBe(false)
  expect(shown(raspiError, frame(join(root, 'dist/pi/pi.js')))).toBe(false)
  expect(shown(raspiError, frame('/repo/node_modules/birpc/dist/index.mjs'))).toBe(false)
  expect(shown(raspiError, frame(join(root, 'test/site.test.ts')))).toBeUndefined()
  // A fault of ours keeps its whole stack.
  const fault = { name: 'TypeError', message: 'undefined is no function' } as TestError
  expect(shown(fault, frame(join(root, 'src/pi/pi.ts')))).toBeUndefined()
})

test('the user’s own filter has its say', () => {
  const shown = withoutOwnFrames((_, { file }) => !file.includes('helpers'))
  expect(shown(raspiError, frame('/repo/helpers.ts'))).toBe(false)
  expect(shown(raspiError, frame('/repo/site.test.ts'))).toBe(true)
  expect(shown(raspiError, frame(join(root, 'src/pi/pi.ts')))).toBe(false)
})
