import type { FileCoverage } from './coverage.ts'

/**
 * The coverage as an lcov tracefile. Tasks and handlers are lines; handlers and blocks' rescue and always are functions,
 * and each `when` is a branch with two ways: taken and skipped.
 * https://man.archlinux.org/man/geninfo.1#TRACEFILE_FORMAT
 */
export function lcovOf(files: readonly FileCoverage[]): string {
  return files.map(record).join('')
}

function record({ path, tasks, parts, conditions }: FileCoverage): string {
  const functions = [
    ...tasks.filter(({ handler }) => handler).map(({ line, name, ran }) => ({ line, name, count: ran })),
    ...parts.map(({ line, kind, entered }) => ({ line, name: `${kind}:${line}`, count: entered })),
  ]
  const names = namesOf(functions)
  const branches = conditions.flatMap(({ line, taken, skipped }) =>
    [taken, skipped].map((count, branch) => ({
      count,
      line: `BRDA:${line},0,${branch},${taken + skipped === 0 ? '-' : count}`,
    })),
  )
  // Two tasks can be in one line; lcov wants each line once.
  const lines = new Map<number, number>()
  for (const { line, ran } of tasks) lines.set(line, Math.max(lines.get(line) ?? 0, ran))
  const hit = (counts: readonly number[]) => counts.filter((count) => count > 0).length
  return [
    'TN:',
    `SF:${path}`,
    ...functions.map(({ line }, index) => `FN:${line},${names[index]}`),
    ...functions.map(({ count }, index) => `FNDA:${count},${names[index]}`),
    `FNF:${functions.length}`,
    `FNH:${hit(functions.map(({ count }) => count))}`,
    ...branches.map(({ line }) => line),
    `BRF:${branches.length}`,
    `BRH:${hit(branches.map(({ count }) => count))}`,
    ...[...lines].sort(([a], [b]) => a - b).map(([line, count]) => `DA:${line},${count}`),
    `LF:${lines.size}`,
    `LH:${hit([...lines.values()])}`,
    'end_of_record\n',
  ].join('\n')
}

// A name ends its line and is found again by it, so it has neither breaks nor a namesake.
function namesOf(functions: readonly { line: number; name: string }[]): string[] {
  const plain = functions.map(({ name }) => name.replace(/[\r\n]+/g, ' '))
  return plain.map((name, index) =>
    plain.indexOf(name) === plain.lastIndexOf(name) ? name : `${name}:${functions[index]?.line}`,
  )
}
