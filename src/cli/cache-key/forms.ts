import { isAbsolute, relative } from 'node:path'
import { RaspiError } from '../../errors.ts'
import type { CacheKey } from './key.ts'

/** A key with the paths that are to be cached under it. */
export type CacheAnswer = CacheKey & { paths: string[] }

/** The CIs whose own words the command knows. */
export const forms = ['github', 'gitlab'] as const
export type Form = (typeof forms)[number]

/** For people. */
export function forPeople({ key, restoreKeys, paths }: CacheAnswer): string[] {
  const rows: [string, string][] = [
    ['Key', key],
    ...restoreKeys.map((begin, index): [string, string] => [index === 0 ? 'Else' : '', `${begin}…`]),
    ...paths.map((path, index): [string, string] => [index === 0 ? 'Paths' : '', path]),
  ]
  return rows.map(([label, text]) => `${label.padEnd(6)} ${text}`)
}

/**
 * Outputs of a step, to be appended to `$GITHUB_OUTPUT`: `key`, `restore-keys` and `path`, as actions/cache takes them.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
 */
export function forGithub({ key, restoreKeys, paths }: CacheAnswer): string[] {
  const lines = (name: string, values: readonly string[]) => [
    `${name}<<end-of-${name}`,
    ...values,
    `end-of-${name}`,
  ]
  return [`key=${key}`, ...lines('restore-keys', restoreKeys), ...lines('path', paths)]
}

/**
 * A hidden job to be extended, for a configuration that is included or generated: a runner reads keys before it runs
 * anything. GitLab caches only what lies in the project; throws a `RaspiError` for anything else.
 * https://docs.gitlab.com/ci/yaml/#cache
 */
export function forGitlab({ key, restoreKeys, paths }: CacheAnswer, projectDir: string): string[] {
  const inside = paths.map((path) => relative(projectDir, path))
  if (inside.some((path) => path.startsWith('..') || isAbsolute(path)))
    throw new RaspiError(
      'options',
      `GitLab caches only what lies in the project, and ${paths[0]} does not.`,
      {
        hint: 'Set VITEST_RASPI_CACHE to $CI_PROJECT_DIR/.cache/vitest-raspi, or give that by --cache-dir.',
      },
    )
  const list = (values: readonly string[]) => values.map((value) => `      - ${JSON.stringify(value)}`)
  return [
    ...['.vitest-raspi-cache:', '  cache:', `    key: ${JSON.stringify(key)}`, '    fallback_keys:'],
    ...list(restoreKeys),
    '    paths:',
    ...list(inside),
  ]
}
