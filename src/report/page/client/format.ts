import type { PageStatus } from '../data.ts'

export { duration } from '../../../host/duration.ts'

/** `1 test`, `2 tests`. */
export const counted = (count: number, noun: string) =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`

/** The time of day, in the reader's zone. */
export const clock = (at: number) => new Date(at).toLocaleTimeString('en-GB')

/** A time since the start, as on a stopwatch: `0:00.5`, `3:10`, `1:02:00`. */
export function stopwatch(ms: number): string {
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1_000) % 60].map(Math.floor)
  const two = (value = 0) => String(value).padStart(2, '0')
  const tenths = ms % 1_000 === 0 ? '' : `.${Math.floor((ms % 1_000) / 100)}`
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds)}${tenths}`
}

type Shown = PageStatus | 'missed' | 'passed'

/** A sign for each status, so that no colour is needed to tell them apart. */
const signs: Record<Shown, string> = {
  passed: '✓',
  ok: '✓',
  changed: '●',
  failed: '✕',
  unreachable: '✕',
  skipped: '–',
  rescued: '↺',
  ignored: '!',
  missed: '○',
  'at work': '…',
}

export const sign = (status: Shown) => signs[status]

/** The class by which CSS colours a status. */
export const tone = (status: Shown) => `s-${status.replace(' ', '-')}`
