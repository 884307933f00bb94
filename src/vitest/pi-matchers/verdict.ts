import type { MatcherState } from 'vitest'

/** A text that is expected: exactly this string, or anything the expression matches. */
export type Pattern = string | RegExp

/** One property of a subject: what was expected of it, what it is, and whether that will do. */
export interface Check {
  expected: string
  received: string
  pass: boolean
}

/** More to show below a failure, made only when it is shown. */
export type Detail = (utils: MatcherState['utils']) => string

/** The thing a matcher is about, before any of its properties. */
export interface Subject {
  /** Whether it is there at all. */
  there: boolean
  /** What is expected where no property is: 'a file'. */
  wanted: string
  /** What is there: 'a directory'; or what is instead: 'no such file'. */
  found: string
  /** What `.not` without properties expects: 'no such file'. */
  none: string
}

/** What a matcher found, in words. */
export interface Verdict {
  pass: boolean
  expected: string
  /** What is expected where the matcher is negated. */
  unexpected: string
  received: string
  details: Detail[]
}

/** Judges a subject by its properties; those of a subject that isn't there don't count. */
export function judge(subject: Subject, properties: (Check | undefined)[], details: Detail[] = []): Verdict {
  const checks = properties.filter((check) => check !== undefined)
  const expected = checks.map((check) => check.expected).join(', ') || subject.wanted
  const seen = checks.map((check) => check.received).join(', ') || subject.found
  return {
    pass: subject.there && checks.every((check) => check.pass),
    expected,
    unexpected:
      checks.length === 0
        ? subject.none
        : checks.length === 1
          ? `not ${expected}`
          : `not all of: ${expected}`,
    received: subject.there ? seen : subject.found,
    details,
  }
}

/** Of several candidates for the same subject, the verdict on the one that comes nearest. */
export function judgeNearest<T>(
  candidates: readonly T[],
  subject: Subject,
  properties: (candidate: T) => (Check | undefined)[],
  details: Detail[] = [],
): Verdict {
  const failures = (candidate: T) => properties(candidate).filter((check) => check && !check.pass).length
  const [nearest] = candidates.toSorted((a, b) => failures(a) - failures(b))
  // Without a candidate the properties are still expected, but nothing is received.
  return judge(subject, nearest === undefined ? properties({} as T) : properties(nearest), details)
}

/** Tells whether `text` is what `pattern` expects. */
export function matches(pattern: Pattern | number, text: string | number | undefined): boolean {
  if (text === undefined) return false
  // search() and not test(): it ignores the position that a global expression keeps.
  return pattern instanceof RegExp ? String(text).search(pattern) >= 0 : String(pattern) === String(text)
}

/** A property with a value: `mode 0644`. None where nothing is expected of it. */
export function value(
  label: string,
  wanted: Pattern | number | undefined,
  got?: string | number,
): Check | undefined {
  if (wanted === undefined) return undefined
  return {
    expected: `${label} ${wanted instanceof RegExp ? `matching ${wanted}` : wanted}`,
    received: `${label} ${got === undefined || got === '' ? '(none)' : got}`,
    pass: matches(wanted, got),
  }
}

/** A property that holds or doesn't: `running`, `not running`. `seen` tells more of it: `not running (failed)`. */
export function flag(label: string, wanted: boolean | undefined, got: boolean, seen = ''): Check | undefined {
  if (wanted === undefined) return undefined
  const words = (holds: boolean) => (holds ? label : `not ${label}`)
  return { expected: words(wanted), received: words(got) + (seen && ` (${seen})`), pass: wanted === got }
}

/** A property with many values, of which at least the wanted ones are expected: `groups sudo, video`. */
export function including(label: string, wanted: readonly string[] | undefined, got: readonly string[] = []) {
  if (wanted === undefined) return undefined
  return {
    expected: `${label} ${wanted.join(', ')}`,
    received: `${label} ${got.join(', ') || '(none)'}`,
    pass: wanted.every((one) => got.includes(one)),
  }
}

/** A heading and a list of what is there instead; nothing where that is empty. */
export function list(heading: string, items: readonly string[] | undefined): Detail[] {
  return items?.length ? [() => [`${heading}:`, ...items.map((item) => `  ${item}`)].join('\n')] : []
}
