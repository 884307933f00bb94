import { expect, test } from 'vitest'
import { resolveOptions } from '../../../src/options.ts'
import { withKeepOf } from '../../../src/vitest/keep.ts'

const options = resolveOptions({ keep: 'all' })

test('the environment ranks above the option', () => {
  expect(withKeepOf({}, options).keep).toBe('all')
  expect(withKeepOf({ VITEST_RASPI_KEEP: '' }, options).keep).toBe('all')
  expect(withKeepOf({ VITEST_RASPI_KEEP: 'failed' }, options).keep).toBe('failed')
  expect(resolveOptions({}).keep).toBe('none')
})

test('what it cannot be is refused', () => {
  expect(() => withKeepOf({ VITEST_RASPI_KEEP: 'yes' }, options)).toThrow(
    'VITEST_RASPI_KEEP cannot be "yes".\n  Set it to failed, to all, or to none.',
  )
})
