import type { PageData, PageStatus } from '../data.ts'

/** A task on the time line. */
export interface Step {
  task: number
  status: PageStatus
  from: number
  to: number
}

/** Puts things that last from `from` to `to` into as few lanes as hold them without overlap. Gives the lane of each. */
export function lanesOf(spans: readonly { from: number; to: number }[]): number[] {
  const ends: number[] = []
  const lanes = new Array<number>(spans.length).fill(0)
  const order = spans
    .map((_, index) => index)
    .toSorted((a, b) => (spans[a]?.from ?? 0) - (spans[b]?.from ?? 0))
  for (const index of order) {
    const { from, to } = spans[index] ?? { from: 0, to: 0 }
    const free = ends.findIndex((end) => end <= from)
    const lane = free < 0 ? ends.length : free
    ends[lane] = to
    lanes[index] = lane
  }
  return lanes
}

/** The tasks that ran on each Pi, by the Pis' indices, in the order of time. */
export function stepsOf({ pis, tests }: PageData): Step[][] {
  return pis.map(({ name, lentAt, usedUntil, tests: users }) =>
    users
      .flatMap((user) => tests[user]?.runs ?? [])
      // Each attempt of a test has runs and Pis of its own.
      .filter(({ startedAt }) => startedAt >= lentAt - 1_000 && startedAt <= usedUntil)
      .flatMap((run) =>
        run.tasks
          .filter(({ host }) => host === name || host === '')
          .map(({ task, status, endedAfter, durationMs }) => {
            const to = run.startedAt + endedAfter
            return { task, status, from: to - durationMs, to }
          }),
      )
      .toSorted((a, b) => a.from - b.from),
  )
}

/** Round times between `from` and `to`, about `count` of them: from 100 ms to hours apart. */
export function ticksOf(from: number, to: number, count: number): { step: number; at: number[] } {
  const steps = [
    100,
    200,
    500,
    ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600].map((s) => s * 1_000),
  ]
  const step = steps.find((each) => (to - from) / each <= count) ?? 3_600_000
  const at = []
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) at.push(tick)
  return { step, at }
}
