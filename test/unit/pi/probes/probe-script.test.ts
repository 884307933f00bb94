import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { probe } from '../../../../src/pi/probes/probe.ts'
import { localTarget } from './local-target.ts'

const folder = mkdtempSync(join(tmpdir(), 'probe-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
const listen = (server: Server) =>
  new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )

describe('probe.py', () => {
  test('describes files of every kind', async () => {
    writeFileSync(at('plain'), 'hello\n')
    chmodSync(at('plain'), 0o4750)
    mkdirSync(at('folder'))
    symlinkSync('plain', at('link'))
    symlinkSync('nowhere', at('dangling'))
    const content = true
    const answers = await probe(localTarget(), [
      { kind: 'file', path: at('plain'), content },
      { kind: 'file', path: at('folder'), content },
      { kind: 'file', path: at('link'), content },
      { kind: 'file', path: at('dangling'), content },
      { kind: 'file', path: at('none/deeper') },
      { kind: 'file', path: at('plain/deeper') },
      { kind: 'file', path: '/dev/null', content },
      { kind: 'file', path: '/proc/sys/kernel/ostype', content },
    ])
    const { uid, gid, username } = userInfo()
    const own = { uid, gid, owner: username }
    const siblings = ['dangling', 'folder/', 'link', 'plain']
    const none = { exists: false, parent: folder, siblings, more: 0 }
    expect(answers).toMatchObject([
      { exists: true, type: 'file', mode: '4750', size: 6, content: 'hello\n', ...own },
      { exists: true, type: 'directory', ...own },
      { exists: true, type: 'link', target: 'plain', mode: '4750', content: 'hello\n' },
      { exists: true, type: 'link', target: 'nowhere', dangling: true },
      none,
      none,
      { exists: true, type: 'character device' },
      { exists: true, type: 'file', content: 'Linux\n' },
    ])
  })

  test('refuses to compare a file of more than 1 MiB', async () => {
    writeFileSync(at('large'), '')
    truncateSync(at('large'), 2 ** 20 + 1)
    const asked = probe(localTarget(), [{ kind: 'file', path: at('large'), content: true }])
    await expect(asked).rejects.toThrow(/large is larger than the 1048576 bytes that are compared/)
  })

  test('tells who listens where', async () => {
    await using server = createTcpServer()
    const port = await listen(server)
    const [found, other] = await probe(localTarget(), [
      { kind: 'port', protocol: 'tcp', port, process: true },
      { kind: 'port', protocol: 'udp', port, process: false },
    ])
    expect(found.listeners).toContainEqual(
      expect.objectContaining({ address: '127.0.0.1', port, processes: expect.arrayContaining(['node']) }),
    )
    expect(other.listeners).not.toContainEqual(expect.objectContaining({ port }))
  })

  test('knows users, groups, packages', async () => {
    const { username, uid, homedir, shell } = userInfo()
    const answers = await probe(localTarget(), [
      { kind: 'user', name: username, keys: true },
      { kind: 'user', name: 'no-such-user' },
      { kind: 'group', name: 'root' },
      { kind: 'group', name: 'no-such-group' },
      { kind: 'group', name: 'daemon' },
    ])
    expect(answers).toMatchObject([
      { exists: true, uid, home: homedir, shell },
      { exists: false, others: expect.any(Array) },
      { exists: true, gid: 0, members: expect.arrayContaining(['root']) },
      { exists: false, others: expect.any(Array) },
      { exists: true, gid: 1 },
    ])
  })

  test('makes an HTTP request itself, and follows no redirect', async () => {
    const seen: (string | undefined)[] = []
    await using server = createServer(({ method, url, headers }: IncomingMessage, response) => {
      seen.push(`${method} ${url} ${headers.host}`)
      response.writeHead(302, { location: '/there', 'X-Twice': ['a', 'b'] }).end('moved')
    })
    const port = await listen(server)
    const request = { kind: 'http', headers: { Host: 'pi.test' }, timeout: 5, insecure: false } as const
    const [moved, refused] = await probe(localTarget(), [
      { ...request, method: 'POST', body: 'x', url: `http://127.0.0.1:${port}/a?b=c` },
      { ...request, method: 'GET', url: 'http://127.0.0.1:1/' },
    ])
    expect(moved).toMatchObject({
      status: 302,
      body: 'moved',
      headers: { location: '/there', 'x-twice': 'a, b' },
    })
    expect(refused.failure).toBe('connection refused')
    expect(seen).toEqual(['POST /a?b=c pi.test'])
  })
})
