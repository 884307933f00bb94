import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** What Vitest's JSON report of one suite holds, as far as it is read here. */
interface JsonReport {
  numPassedTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] | null }[]
  }[]
}

/**
 * What a suite came to by its JSON report: how many tests passed, and each that failed by its file, its name and the
 * beginning of its error. A file that failed with none of its tests failing counts as one. A report that is missing or
 * broken tells of nothing.
 */
export function readSuite(path: string, root: string): { passed: number; failed: string[] } {
  let report: JsonReport
  try {
    report = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { passed: 0, failed: [] }
  }
  const failed = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name)
    const tests = assertionResults.filter((test) => test.status === 'failed')
    if (tests.length === 0) return status === 'failed' ? [told(file, message)] : []
    return tests.map((test) => told(`${file} > ${test.fullName}`, test.failureMessages?.[0] ?? ''))
  })
  return { passed: report.numPassedTests, failed }
}

// A message of an error in a report goes on with its stack.
const shownLines = 12

function told(what: string, message: string): string {
  const lines = stripVTControlCharacters(message).trim().split('\n').slice(0, shownLines)
  return [what, ...lines.map((line) => `    ${line}`)].join('\n')
}
