import { expect, test } from 'vitest'
import { missing } from '../../../src/image/host-tools.ts'

test('only tools that are nowhere in the search path are missing', async () => {
  expect(await missing(['sh', 'no-such-tool', 'no such tool'])).toEqual(['no-such-tool', 'no such tool'])
  expect(await missing(['ls'], '/nowhere')).toEqual(['ls'])
})
