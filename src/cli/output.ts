import { resolve } from 'node:path'
import { styleText } from 'node:util'
import { Option } from 'commander'
import { expandHome } from '../host/paths.ts'

/** Where a command writes its lines: results to `out`, what it is doing to `err`. */
export interface Output {
  out: (line: string) => void
  err: (line: string) => void
  /** Whether somebody watches: a list may move in the terminal then. @default false */
  watched?: boolean
}

/** What every command is given. */
export interface CommandContext {
  output: Output
  env: NodeJS.ProcessEnv
  /** Where the user is. */
  cwd: string
  /** What the command exits with. @default 0 */
  setExitCode: (code: number) => void
}

/** `rows` in columns under their headings, as wide as what is in them. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [styleText('bold', line(headings)), ...rows.map(line)]
}

/** `value` as JSON for people and machines. */
export const json = (value: unknown) => JSON.stringify(value, undefined, 2)

/**
 * The option --cache-dir, by the sentence that says what is kept there, and how its default is said, if not as usual. What it
 * gives is absolute.
 */
export const cacheDirOption = (sentence: string, byDefault = (usual: string) => `(default: ${usual})`) =>
  new Option(
    '--cache-dir <dir>',
    `${sentence} ${byDefault('$VITEST_RASPI_CACHE, else ~/.cache/vitest-raspi')}`,
  )
    // Some programs take a relative path as one from where they are, or from another file.
    .argParser((dir) => resolve(expandHome(dir)))
