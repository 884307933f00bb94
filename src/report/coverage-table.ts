import { type FileCoverage, type Metric, metrics, percentOf, shareOf } from '../ansible/coverage/coverage.ts'

/** The least percentages of each metric, over all files. */
export type CoverageThresholds = { [M in Metric]?: number | undefined }

/** How many lines that did not run are named of a file. */
const namedLines = 8

/** The coverage as the lines of a table: all files together, then each that is not covered wholly. */
export function coverageTable(files: readonly FileCoverage[]): string[] {
  const partial = files.filter((file) => metrics.some((metric) => !isWhole(metric, [file])))
  const whole = files.length - partial.length
  const rows = [
    ['Playbooks', 'Tasks', 'Handlers', 'Blocks', 'Conditions', 'Not run'],
    ['All files', ...metrics.map((metric) => cell(metric, files)), ''],
    ...partial.map((file) => [
      ` ${file.path}`,
      ...metrics.map((metric) => cell(metric, [file])),
      notRun(file),
    ]),
    ...(whole > 0
      ? [
          [
            ` ${whole} ${partial.length > 0 ? 'other ' : ''}${whole === 1 ? 'file' : 'files'}`,
            ...metrics.map(() => ''),
            '',
          ],
        ]
      : []),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (row: readonly string[]) =>
    row
      .map((text, column) =>
        column > 0 && column <= metrics.length
          ? text.padStart(widths[column] ?? 0)
          : text.padEnd(widths[column] ?? 0),
      )
      .join(' | ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('-|-')
  const [head = [], ...body] = rows
  return [line(head), rule, ...body.map(line)]
}

/** A sentence for each metric that is below its threshold. */
export function missedThresholds(files: readonly FileCoverage[], thresholds: CoverageThresholds): string[] {
  return metrics.flatMap((metric) => {
    const wanted = thresholds[metric]
    const got = percentOf(shareOf(metric, files))
    if (wanted === undefined || got >= wanted) return []
    return [`The coverage of ${metric} is ${got} %, below the threshold of ${wanted} %.`]
  })
}

function isWhole(metric: Metric, files: readonly FileCoverage[]): boolean {
  const { total, covered } = shareOf(metric, files)
  return covered === total
}

function cell(metric: Metric, files: readonly FileCoverage[]): string {
  const share = shareOf(metric, files)
  return share.total === 0 ? '-' : `${percentOf(share)} %`
}

/** The lines of tasks and handlers that did not run: those that follow each other without one that ran, as a range. */
function notRun({ tasks }: FileCoverage): string {
  const ranges: { first: number; last: number }[] = []
  let open = false
  for (const { line, ran } of tasks.toSorted((a, b) => a.line - b.line)) {
    const range = ranges.at(-1)
    if (ran > 0) open = false
    else if (open && range) range.last = line
    else {
      ranges.push({ first: line, last: line })
      open = true
    }
  }
  const more = ranges.length - namedLines
  const shown = ranges
    .slice(0, namedLines)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  return [...shown, ...(more > 0 ? [`… ${more} more`] : [])].join(', ')
}
