import type { PackageAnswer } from '../../pi/probes/queries.ts'
import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { type Check, judge, list } from './verdict.ts'

/** What `toHavePackage` may expect of a Debian package. */
export interface PackageExpectation {
  /**
   * The version as `dpkg` shows it ('1.22.1-9+deb12u3'), or a range ('>=1.2 <2') with `<`, `<=`, `=`, `>=`, `>`;
   * ordered by Debian's rules.
   */
  version?: string
}

const name = 'toHavePackage'

// https://manpages.debian.org/bookworm/dpkg/dpkg.1.en.html, --compare-versions: plain "<" is obsolete there and means "<=".
const operators: Record<string, string> = { '<': 'lt', '<=': 'le', '=': 'eq', '>=': 'ge', '>': 'gt' }

export const toHavePackage = piMatcher(name, {
  options: ['version'],
  queries: (name: string, expected: PackageExpectation = {}) => [
    { kind: 'package', name, versions: comparisons(expected.version) },
  ],
  judge: ([found], _name, { version }: PackageExpectation = {}) =>
    judge(
      {
        there: found.status === 'installed',
        wanted: 'installed',
        found: describe(found),
        none: 'not installed',
      },
      [version === undefined ? undefined : satisfies(version, found)],
      list('Installed packages with a like name', found.similar),
    ),
})

function describe({ status, version }: PackageAnswer): string {
  if (status === 'installed') return `installed, version ${version}`
  if (status === 'config-files') return 'not installed, only its configuration is left'
  return status === 'not-installed' ? 'not installed' : `not installed (${status})`
}

function satisfies(wanted: string, { version, satisfied = [] }: PackageAnswer): Check {
  return { expected: `version ${wanted}`, received: `version ${version}`, pass: satisfied.every(Boolean) }
}

function comparisons(version: string | undefined): [operator: string, version: string][] {
  if (version === undefined) return []
  const parts = version
    .replace(/([<>=])\s+/g, '$1')
    .trim()
    .split(/\s+/)
  return parts.map((part) => {
    const [, operator = '', wanted = ''] = /^(<=|>=|<|>|=)?((?:\d+:)?\d[\w.+~:-]*)$/.exec(part) ?? []
    if (!wanted || (!operator && parts.length > 1)) {
      const hint = 'Give a whole version, "1.22.1-9", or a range, ">=1.2 <2".'
      throw wrongArgument(name, `"${version}" is no version`, hint)
    }
    return [operators[operator || '='] ?? 'eq', wanted]
  })
}
