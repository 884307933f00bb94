import { stripVTControlCharacters, styleText } from 'node:util'
import { placeOf } from '../ansible/run.ts'
import { duration } from '../host/progress.ts'
import { shownPath } from '../host/shown-path.ts'
import type { FailureSummary, FailureTask } from './meta.ts'
import { paintDiff } from './text.ts'

/**
 * What the other reporters do not tell of a failed test: the task with its place and its diff and the end of each
 * console, as far as `errors`, the messages of the test's errors, do not tell it already; and where the evidence is.
 */
export function failureBlock(
  test: string,
  { dir, consoles, tasks }: FailureSummary,
  errors: readonly string[],
  cwd: string,
): string {
  const told = stripVTControlCharacters(errors.join('\n'))
  const lines = tasks.filter((task) => !task.told).flatMap((task) => taskLines(task, cwd))
  for (const { pi, lines: console } of consoles) {
    const last = console.at(-1)
    if (last === undefined || told.includes(last.trim())) continue
    lines.push(`Console of ${pi}, its last lines:`, ...console.map((line) => styleText('dim', `  ${line}`)))
  }
  lines.push(`Evidence: ${shownPath(dir, cwd)}`)
  return [`${styleText('red', ' × ')}${test}`, ...lines.map((line) => `   ${line}`)].join('\n')
}

function taskLines(
  { what, title, host, path, line, durationMs, message, diff }: FailureTask,
  cwd: string,
): string[] {
  const place = placeOf({ ...(path ? { path: shownPath(path, cwd) } : {}), ...(line ? { line } : {}) })
  const outcome =
    what === 'at work' ? `still at work after ${duration(durationMs)}` : `${what}${host ? ` on ${host}` : ''}`
  const indented = [...message.split('\n').filter(Boolean), ...diff.map(paintDiff)].map((text) => `  ${text}`)
  return [`${title} ${outcome}${place ? ` (${place})` : ''}`, ...indented]
}
