import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { answeringTarget, localTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const folder = mkdtempSync(join(tmpdir(), 'matchers-'))
afterAll(() => rmSync(folder, { recursive: true }))

const conf = join(folder, 'nginx.conf')
const link = join(folder, 'link')
const dangling = join(folder, 'dangling')
writeFileSync(conf, 'user www-data;\ngzip on;\n')
chmodSync(conf, 0o640)
symlinkSync('nginx.conf', link)
symlinkSync('nowhere', dangling)

const pi = localTarget()
const { uid, gid, username } = userInfo()
const root = {
  exists: true,
  type: 'file',
  mode: '0600',
  owner: 'root',
  uid: 0,
  group: 'root',
  gid: 0,
  size: 9,
}
const holding = (content: string) => answeringTarget({ ...root, content })

describe('toHaveFile', () => {
  test('accepts a file with all properties that are expected', async () => {
    await Promise.all([
      expectPi(pi).toHaveFile(conf),
      expectPi(pi).toHaveFile(conf, { mode: '0640', owner: username, group: gid, type: 'file' }),
      expectPi(pi).toHaveFile(conf, { mode: '640', owner: String(uid), contains: 'gzip on' }),
      expectPi(pi).toHaveFile(conf, { content: 'user www-data;\ngzip on;\n' }),
      expectPi(pi).toHaveFile(conf, { content: /^gzip (on|off);$/gm }),
      expectPi(pi).toHaveFile(folder, { type: 'directory' }),
      expectPi(pi).toHaveFile(link, { type: 'link', target: 'nginx.conf', mode: '0640' }),
      expectPi(pi).toHaveFile(link, { contains: 'gzip' }),
      expectPi(pi).toHaveFile(dangling, { target: 'nowhere' }),
    ])
  })

  test('accepts, negated, a file that lacks one of the properties', async () => {
    await Promise.all([
      expectPi(pi).not.toHaveFile(join(folder, 'none')),
      expectPi(pi).not.toHaveFile(dangling),
      expectPi(pi).not.toHaveFile(link, { type: 'file' }),
      expectPi(pi).not.toHaveFile(link, { target: 'nowhere' }),
      expectPi(pi).not.toHaveFile(conf, { mode: '0600', owner: username }),
      expectPi(pi).not.toHaveFile(conf, { mode: '0640', owner: 'nobody' }),
      expectPi(pi).not.toHaveFile(conf, { group: gid + 1 }),
      expectPi(pi).not.toHaveFile(conf, { content: 'gzip on;' }),
      expectPi(pi).not.toHaveFile(conf, { content: /brotli/ }),
      expectPi(pi).not.toHaveFile(conf, { contains: 'brotli' }),
      expectPi(pi).not.toHaveFile(folder, { contains: 'gzip' }),
    ])
  })

  test('tells the properties that are there instead', async () => {
    const assertion = () =>
      expectPi(answeringTarget(root)).toHaveFile('/etc/nginx/nginx.conf', { mode: '0644', owner: 'root' })
    expect(await failure(assertion)).toMatchInlineSnapshot(`
      "expect(pi).toHaveFile("/etc/nginx/nginx.conf") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  mode 0644, owner root
      Received:  mode 0600, owner root"
    `)
  })

  test('lists the nearest directory where there is no such file', async () => {
    const none = { exists: false, parent: '/etc/nginx', siblings: ['conf.d/', 'mime.types'], more: 3 }
    const assertion = () =>
      expectPi(answeringTarget(none)).toHaveFile('/etc/nginx/nginx.conf', { mode: '0644' })
    expect(await failure(assertion)).toMatchInlineSnapshot(`
      "expect(pi).toHaveFile("/etc/nginx/nginx.conf") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  mode 0644
      Received:  no such file

      In /etc/nginx:
        conf.d/
        mime.types
        … 3 more"
    `)
  })

  test('tells where a link leads to nothing', async () => {
    const none = { exists: true, type: 'link', target: '/opt/app', dangling: true }
    expect(
      await failure(() => expectPi(answeringTarget(none)).toHaveFile('/srv/app')),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveFile("/srv/app") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  a file
      Received:  a link to /opt/app, where there is nothing"
    `)
  })

  test('shows how the content differs', async () => {
    const assertion = () =>
      expectPi(holding('a\nB\nc\n')).toHaveFile('/etc/abc', { mode: '0600', content: 'a\nb\nc\n' })
    expect(await failure(assertion)).toMatchInlineSnapshot(`
      "expect(pi).toHaveFile("/etc/abc") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  mode 0600, content of 6 bytes
      Received:  mode 0600, other content of 6 bytes

      - Expected
      + Received

        a
      - b
      + B
        c
      "
    `)
  })

  test('shows the content where it holds no match', async () => {
    const assertion = () =>
      expectPi(holding('a\nB\n')).toHaveFile('/etc/abc', { content: /^b$/m, contains: 'x' })
    expect(await failure(assertion)).toMatchInlineSnapshot(`
      "expect(pi).toHaveFile("/etc/abc") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  content matching /^b$/m, content with "x"
      Received:  content of 4 bytes, without it

      Content:
        | a
        | B"
    `)
  })

  test('keeps long contents and private keys to itself', async () => {
    const long = `${'x\n'.repeat(2_000)}password\n`
    const differs = await failure(() => expectPi(holding(long)).toHaveFile('/etc/abc', { content: 'x\nx\n' }))
    expect(differs).toMatchInlineSnapshot(`
      "expect(pi).toHaveFile("/etc/abc") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  content of 4 bytes
      Received:  other content of 4009 bytes

      The content is not shown: it is longer than 2 KB. The first difference is in line 3."
    `)
    const lacks = await failure(() => expectPi(holding(long)).toHaveFile('/etc/abc', { contains: 'secret' }))
    expect(lacks).not.toContain('password')
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n'
    const other = await failure(() => expectPi(holding(key)).toHaveFile('/etc/key', { content: 'x' }))
    expect(other).not.toContain('b3BlbnNzaC1rZXk')
  })

  test.for([
    ['etc/hosts', {}, 'toHaveFile can\'t be used like this: "etc/hosts" is no absolute path'],
    ['/etc/hosts', { mode: 'u=rw' }, 'toHaveFile can\'t be used like this: the mode "u=rw" is not octal'],
    [
      '/etc/hosts',
      { mode: 420 as unknown as string },
      "toHaveFile can't be used like this: the mode 420 is not octal",
    ],
  ] as const)('refuses %j with %j', async ([path, expected, message]) => {
    expect(await failure(async () => expectPi(pi).toHaveFile(path, expected))).toContain(message)
  })
})
