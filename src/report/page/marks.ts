import type { PageMark, PageStatus } from './data.ts'

/** The worst first: what a line is marked by. */
const severity: readonly PageStatus[] = [
  ...(['failed', 'unreachable', 'at work', 'rescued', 'ignored', 'changed', 'ok', 'skipped'] as const),
]

/**
 * What became of the tasks of a file: `ended` holds their first lines and how each of their runs ended, `known` the first
 * lines of tasks that are there, whether they ran or not. A task goes on to the last line that is indented deeper than
 * its dash.
 */
export function marksOf(
  text: string,
  ended: readonly { line: number; status: PageStatus }[],
  known: readonly number[] = [],
): PageMark[] {
  const lines = text.split('\n')
  const byLine = new Map<number, PageMark['counts']>(known.map((line) => [line, {}]))
  for (const { line, status } of ended) {
    const counts = byLine.get(line) ?? {}
    counts[status] = (counts[status] ?? 0) + 1
    byLine.set(line, counts)
  }
  return [...byLine]
    .map(
      ([line, counts]): PageMark => ({
        line,
        end: endOf(lines, line),
        status: severity.find((status) => counts[status]) ?? 'missed',
        counts,
      }),
    )
    .toSorted((a, b) => a.line - b.line)
}

function endOf(lines: readonly string[], line: number): number {
  const indent = indentOf(lines[line - 1] ?? '')
  let end = line
  for (let next = line + 1; next <= lines.length; next++) {
    const text = lines[next - 1] ?? ''
    if (!text.trim()) continue
    if (indentOf(text) <= indent) break
    end = next
  }
  return end
}

const indentOf = (line: string) => line.length - line.trimStart().length
