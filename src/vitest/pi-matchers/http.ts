import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { type TextExpectation, textChecks, textDetails } from './text.ts'
import { type Check, judge, type Pattern, value } from './verdict.ts'

/** What `toAnswerHttp` may expect of an answer, and how it asks. */
export interface HttpExpectation {
  /** @default any from 200 to 299 */
  status?: number
  /** The whole body, or an expression that matches it. */
  body?: Pattern
  /** Something the body holds. */
  contains?: string
  /** Headers of the answer, by name in any case. */
  headers?: Record<string, Pattern>
  /** What is asked. */
  request?: {
    /** @default 'GET' */
    method?: string
    headers?: Record<string, string>
    body?: string
  }
  /** Take any certificate for good. @default false */
  insecure?: boolean
  /** How long an answer may take, in ms. @default 10_000 */
  timeout?: number
}

const name = 'toAnswerHttp'

export const toAnswerHttp = piMatcher(name, {
  options: ['status', 'body', 'contains', 'headers', 'request', 'insecure', 'timeout'],
  queries: (url: string, expected: HttpExpectation = {}) => {
    const { request = {}, insecure = false, timeout = 10_000 } = expected
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      throw wrongArgument(name, `"${url}" is no URL`, 'Give it whole: "http://localhost:8080/".')
    }
    const { method = 'GET', headers = {}, body } = request
    const sent = body === undefined ? {} : { body }
    const content = expected.body !== undefined || expected.contains !== undefined
    return [
      {
        ...{ kind: 'http', url: new URL(url).href, method, headers, ...sent },
        ...{ insecure, content, timeout: timeout / 1_000 },
      },
    ]
  },
  judge: ([answer], _url, expected: HttpExpectation = {}) => {
    const text: TextExpectation = { whole: expected.body, contains: expected.contains }
    const { failure, headers = {} } = answer
    const got = Object.entries(expected.headers ?? {}).map(([key, wanted]) =>
      value(`${key}:`, wanted, headers[key.toLowerCase()]),
    )
    return judge(
      { there: failure === undefined, wanted: 'an answer', found: failure ?? 'an answer', none: 'no answer' },
      [status(expected.status, answer.status), ...got, ...textChecks('body', text, answer.body)],
      textDetails(
        'body',
        { ...text, contains: text.contains ?? (text.whole === undefined ? '' : undefined) },
        answer.body,
      ),
    )
  },
})

function status(wanted: number | undefined, got = 0): Check {
  const pass = wanted === undefined ? got >= 200 && got < 300 : got === wanted
  return { expected: `status ${wanted ?? '2xx'}`, received: `status ${got}`, pass }
}
