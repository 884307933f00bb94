import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answeringTarget, localTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const answer = {
  status: 200,
  headers: { 'content-type': 'text/html', server: 'nginx' },
  body: '<h1>Welcome</h1>\n',
}
const pi = answeringTarget(answer)
const url = 'http://localhost:8080/'

describe('toAnswerHttp', () => {
  test('judges status, headers and body', async () => {
    await expectPi(pi).toAnswerHttp(url)
    await expectPi(pi).toAnswerHttp(url, {
      status: 200,
      headers: { 'Content-Type': /html/, Server: 'nginx' },
    })
    await expectPi(pi).toAnswerHttp(url, { contains: 'Welcome', body: /<h1>/ })
    await expectPi(pi).not.toAnswerHttp(url, { body: 'Welcome' })
    await expectPi(pi).not.toAnswerHttp(url, { status: 204 })
    await expectPi(pi).not.toAnswerHttp(url, { headers: { location: /./ } })
    const moved = answeringTarget({ status: 301, headers: { location: 'https://pi.test/' }, body: '' })
    await expectPi(moved).not.toAnswerHttp(url)
    await expectPi(moved).toAnswerHttp(url, { status: 301, headers: { location: 'https://pi.test/' } })
  })

  test('a body that is too long to be compared is neither taken for right nor for wrong', async () => {
    const server = createServer((_, response) => response.end(`${' '.repeat(1 << 20)}Welcome`))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const long = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    await expectPi(localTarget()).toAnswerHttp(long)
    expect(
      await failure(() => expectPi(localTarget()).not.toAnswerHttp(long, { contains: 'Welcome' })),
    ).toMatch('its body is larger than the 1048576 bytes that are compared')
  })

  test('tells what was answered instead', async () => {
    const broken = answeringTarget({ ...answer, status: 502, body: 'Bad Gateway\n' })
    expect(
      await failure(() => expectPi(broken).toAnswerHttp(url, { headers: { location: '/' } })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toAnswerHttp("http://localhost:8080/") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  status 2xx, location: /
      Received:  status 502, location: (none)

      Body:
        | Bad Gateway"
    `)
    expect(await failure(() => expectPi(pi).toAnswerHttp(url, { body: 'Welcome\n' }))).toMatchInlineSnapshot(`
      "expect(pi).toAnswerHttp("http://localhost:8080/") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  status 2xx, body of 8 bytes
      Received:  status 200, other body of 17 bytes

      - Expected
      + Received

      - Welcome
      + <h1>Welcome</h1>
      "
    `)
  })

  test('tells why there was no answer', async () => {
    const refused = answeringTarget({ failure: 'connection refused' })
    expect(await failure(() => expectPi(refused).toAnswerHttp(url, { status: 200 }))).toMatchInlineSnapshot(`
      "expect(pi).toAnswerHttp("http://localhost:8080/") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  status 200
      Received:  connection refused"
    `)
    await expectPi(refused).not.toAnswerHttp(url)
  })

  test('refuses what is no URL', async () => {
    expect(await failure(async () => expectPi(pi).toAnswerHttp('localhost:8080'))).toContain('is no URL')
  })
})
