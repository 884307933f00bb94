import { expect, test } from 'vitest'
import { Processor } from '../../../scripts/scale/processor.ts'

/** When jobs of so much work on so many cores are done, on `cores`. */
function ends(cores: number, jobs: readonly { work: number; cores: number }[]): number[] {
  const processor = new Processor(cores)
  const times = jobs.map(() => 0)
  for (const [index, job] of jobs.entries()) {
    const done = () => {
      times[index] = now
    }
    processor.add({ left: job.work, cores: job.cores, done })
  }
  let now = 0
  while (Number.isFinite(processor.next())) {
    now = processor.next()
    processor.advance(now)
  }
  expect(processor.busy).toBeCloseTo(jobs.reduce((sum, { work }) => sum + work, 0))
  return times.map((time) => Number(time.toFixed(3)))
}

test('a job uses as many cores as it can, and no more than there are', () => {
  expect(ends(4, [{ work: 8, cores: 2 }])).toEqual([4])
  expect(ends(4, [{ work: 8, cores: 16 }])).toEqual([2])
})

test('jobs share, and what one does not need the others get', () => {
  expect(
    ends(2, [
      { work: 4, cores: 2 },
      { work: 4, cores: 2 },
    ]),
  ).toEqual([4, 4])
  expect(
    ends(4, [
      { work: 4, cores: 1 },
      { work: 12, cores: 4 },
    ]),
  ).toEqual([4, 4])
})

test('when one is done, the rest are faster', () => {
  // One core each for 2 s; then the second has both for what is left of it.
  expect(
    ends(2, [
      { work: 2, cores: 2 },
      { work: 6, cores: 2 },
    ]),
  ).toEqual([2, 4])
})
