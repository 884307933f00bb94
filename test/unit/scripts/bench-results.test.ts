import { expect, test } from 'vitest'
import { besides, figuresOf, type Results } from '../../../scripts/bench/results.ts'

const results = (samples: Results['samples']): Results => ({ host: '2 cores', samples, spans: {} })

test('what a run has not measured stays as an earlier one did, and ratios are of one run', () => {
  const first = besides(
    undefined,
    results({ coldBoot: [60_000], thaw: [5_000], switch: [4e6] }),
    '2026-01-01T00:00:00Z',
  )
  expect(figuresOf(first)).toMatchObject({ coldBootMs: 60_000, thawMs: 5_000, thawRatio: 12 })

  const now = '2026-01-02T00:00:00Z'
  const second = besides(first, results({ thaw: [4_000], switch: [5e6], piNetwork: [5e4] }), now)
  expect(second.measured).toEqual({
    ...{ coldBoot: '2026-01-01T00:00:00Z', thaw: now, switch: now, piNetwork: now },
  })
  const figures = figuresOf(second)
  expect(figures).toMatchObject({ coldBootMs: 60_000, thawMs: 4_000, switchRatio: 100 })
  expect(figures.thawRatio).toBeUndefined()
})
