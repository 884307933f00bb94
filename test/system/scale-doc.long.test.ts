import { expect, test } from 'vitest'
import { quotedRuns, scale } from '../support/scale-doc.ts'

test.for(quotedRuns())(
  'docs/scale.md quotes what scale.ts $args prints',
  { timeout: 300_000 },
  async ({ args, text }) => {
    expect(await scale(args)).toContain(text)
  },
)
