import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import type { PiConnection } from '../../src/pi/connection.ts'

/** An ssh server on 127.0.0.1 that runs commands on this host, in the place of a Pi; its keys are in `dir`. */
export async function openSshDoor(
  dir: string,
): Promise<{ connection: PiConnection; connections: () => number; close(): void }> {
  const key = (name: string) => {
    const file = join(dir, name)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
    return file
  }
  const [hostKey, privateKeyFile] = [key('host_key'), key('id')]
  let connections = 0
  const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
    connections++
    client.on('error', () => {})
    client.on('authentication', (context) =>
      context.method === 'publickey' ? context.accept() : context.reject(['publickey']),
    )
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _, { command }) => {
        const channel = acceptExec()
        const child = spawn('sh', ['-c', command], { stdio: 'pipe' })
        channel.pipe(child.stdin)
        child.stdin.on('error', () => {})
        child.stdout.pipe(channel, { end: false })
        child.stderr.pipe(channel.stderr, { end: false })
        channel.once('close', () => child.kill('SIGKILL'))
        child.once('close', (code) => {
          channel.exit(code ?? 255)
          channel.end()
        })
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const knownHostsFile = join(dir, 'known_hosts')
  writeFileSync(knownHostsFile, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`)
  return {
    connection: { host: '127.0.0.1', port, user: userInfo().username, privateKeyFile, knownHostsFile },
    connections: () => connections,
    close: () => server.close(),
  }
}
