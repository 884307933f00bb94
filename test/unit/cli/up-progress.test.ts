import { expect, test } from 'vitest'
import { showProgress } from '../../../src/cli/up-progress.ts'

test('the list that moves is done when all is, also where a Pi was taken down meanwhile', async () => {
  const output = { out: () => {}, err: () => {} }
  const shown = showProgress(output, true, async ({ claimed, up }) => {
    claimed(['boreas', 'zephyrus'])
    up('zephyrus', 4_000)
    return 'up'
  })
  expect(await shown).toBe('up')
})
