import { type Check, type Detail, matches, type Pattern } from './verdict.ts'

/** What may be expected of a text: of a file's content, of an answer's body. */
export interface TextExpectation {
  whole: Pattern | undefined
  contains: string | undefined
}

// Longer texts stay out of the message: logs of tests are read by many, and may be kept for long.
const shownBytes = 2_048
const shownLines = 60

/** Judges a text as a whole and by a part; the details show the text, or where it differs, if it is short. */
export function textChecks(label: string, { whole, contains }: TextExpectation, text: string | undefined) {
  const checks: Check[] = []
  const size = text === undefined ? `no ${label}` : `${label} of ${lengthOf(text)}`
  if (whole !== undefined) {
    const expected =
      typeof whole === 'string' ? `${label} of ${lengthOf(whole)}` : `${label} matching ${whole}`
    const pass = matches(whole, text)
    checks.push({ expected, received: pass || typeof whole !== 'string' ? size : `other ${size}`, pass })
  }
  if (contains !== undefined) {
    const received = whole === undefined ? `${size} without it` : 'without it'
    const pass = text?.includes(contains) ?? false
    checks.push({
      expected: `${label} with ${JSON.stringify(contains)}`,
      received: pass ? size : received,
      pass,
    })
  }
  return checks
}

/** Shows the text, or how it differs from the one expected. Long texts and private keys aren't shown. */
export function textDetails(
  label: string,
  { whole, contains }: TextExpectation,
  text: string | undefined,
): Detail[] {
  if (text === undefined) return []
  if (typeof whole === 'string' && whole !== text) {
    if (isShown(whole) && isShown(text))
      return [({ diff }) => shorten(diff(whole, text, { contextLines: 3, expand: false }) ?? '')]
    return [() => `The ${label} is not shown: ${hiddenBecause(whole, text)}. ${firstDifference(whole, text)}`]
  }
  if (whole === undefined && contains === undefined) return []
  if (!isShown(text)) return [() => `The ${label} is not shown: ${hiddenBecause(text)}.`]
  return [
    ({ DIM_COLOR }) =>
      `${capital(label)}:\n${shorten(text.trimEnd().replace(/^/gm, `  ${DIM_COLOR('|')} `))}`,
  ]
}

const lengthOf = (text: string) =>
  Buffer.byteLength(text) === 1 ? '1 byte' : `${Buffer.byteLength(text)} bytes`
const isLong = (text: string) => Buffer.byteLength(text) > shownBytes
const isSecret = (text: string) => text.includes('PRIVATE KEY-----')
const isShown = (text: string) => !isLong(text) && !isSecret(text)
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function hiddenBecause(...texts: string[]): string {
  return texts.some(isSecret) ? 'it has a private key' : 'it is longer than 2 KB'
}

function shorten(text: string): string {
  const lines = text.split('\n')
  if (lines.length <= shownLines) return text
  return [...lines.slice(0, shownLines), `… ${lines.length - shownLines} more lines`].join('\n')
}

function firstDifference(a: string, b: string): string {
  const others = b.split('\n')
  const index = a.split('\n').findIndex((line, index) => line !== others[index])
  return `The first difference is in line ${(index < 0 ? a.split('\n').length : index) + 1}.`
}
