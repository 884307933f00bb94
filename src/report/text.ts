import { diff, styleText } from 'node:util'
import type { TaskDiff } from '../ansible/events.ts'
import type { TaskRun } from '../ansible/run.ts'
import { messageOf } from '../errors.ts'

/** `text` of at most `limit` characters: of a longer one the first quarter, the rest from its end, and what is missing. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text
  const head = Math.floor(limit / 4)
  const omitted = text.length - limit
  return `${text.slice(0, head)}\n… ${omitted} characters left out …\n${text.slice(head + omitted)}`
}

/** The beginning of a line that has more than `limit` characters. */
export const cutLine = (line: string, limit: number) =>
  line.length > limit ? `${line.slice(0, limit)}…` : line

/** The last `count` lines of `text`, each cut to `width` characters. */
export function lastLines(text: string, count: number, width = 200): string[] {
  const lines = text.trimEnd().split('\n')
  return lines.slice(-count).map((line) => cutLine(line, width))
}

/** What an error says first: its message without hint and evidence. */
export const firstLine = (error: unknown) => messageOf(error).split('\n', 1)[0] ?? ''

/** How many lines of each text are compared: the time for it grows with their product. */
const comparedLines = 1_000

/** Ansible's diffs as lines that begin with `-`, `+` or a blank, with `context` lines around what differs. */
export function diffLines(diffs: readonly TaskDiff[], context = 3): string[] {
  return diffs.flatMap(({ before, after, before_header, after_header, prepared }) => {
    if (prepared !== undefined) return prepared.trimEnd().split('\n')
    if (before === undefined && after === undefined) return []
    const lines = compare(linesOf(before), linesOf(after))
    const near = lines.map((_, index) =>
      lines.slice(Math.max(0, index - context), index + context + 1).some((line) => !line.startsWith(' ')),
    )
    const shown = lines.filter((_, index) => near[index])
    return shown.length > 0
      ? [`--- ${before_header ?? 'before'}`, `+++ ${afterOf(before_header, after_header)}`, ...shown]
      : []
  })
}

/** What is there afterwards: not the temporary file in which the `copy` module had it, which nobody will find. */
function afterOf(before: string | undefined, after: string | undefined): string {
  return after && /\/ansible-(local|tmp)-/.test(after) ? (before ?? 'after') : (after ?? 'after')
}

/** The diffs of a task and of its items. */
export function diffOf({ diff, items }: Pick<TaskRun, 'diff' | 'items'>): string[] {
  return diffLines([...diff, ...items.flatMap((item) => item.diff)])
}

/** The diffs of a task and of its items, by `mask` as one text: a secret may have many lines. */
export function maskedDiff(task: Pick<TaskRun, 'diff' | 'items'>, mask: (text: string) => string): string[] {
  const lines = diffOf(task)
  return lines.length > 0 ? mask(lines.join('\n')).split('\n') : []
}

/** A line of a diff for a terminal. */
export function paintDiff(line: string): string {
  if (line.startsWith('-')) return styleText('red', line)
  return line.startsWith('+') ? styleText('green', line) : line
}

function compare(before: string[], after: string[]): string[] {
  return diff(before, after).map(
    ([operation, line]) => `${operation > 0 ? '-' : operation < 0 ? '+' : ' '}${line}`,
  )
}

// Some modules give objects.
function linesOf(value: unknown): string[] {
  if (value === undefined || value === '') return []
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return text.replace(/\n$/, '').split('\n').slice(0, comparedLines)
}
