import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, type Server } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import ssh2, { type Connection } from 'ssh2'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { DockerEngine } from '../../../../src/engine/docker/docker-engine.ts'
import { fakeDocker } from '../../../support/fake-docker.ts'
import { hasProgram } from '../../../support/programs.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

const home = vi.hoisted(() => ({ dir: '' }))
vi.mock('node:os', async (original) => ({ ...(await original<object>()), homedir: () => home.dir }))
afterEach(() => void vi.unstubAllEnvs())

/** Which QEMU an engine has: to tell, a container is started there, and a command in it. */
async function qemuOn(address: string): Promise<string> {
  const context = { address, image: 'x', cacheDir: scratchDir(), log: () => {} }
  const engine = await DockerEngine.connect({ ...context, signal: new AbortController().signal })
  return engine.qemuVersion
}

async function portOf(server: Pick<Server, 'address'> & NodeJS.EventEmitter): Promise<number> {
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('an engine is used by ssh, and no log-in is left open', async () => {
  const { socket } = await fakeDocker()
  home.dir = scratchDir()
  mkdirSync(join(home.dir, '.ssh'))
  const hostKey = join(home.dir, 'host_key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKey])
  vi.stubEnv('SSH_AUTH_SOCK', '')
  const asked = new Set<string>()
  const clients = new Set<Connection>()
  // Does what `docker system dial-stdio` does.
  const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
    clients.add(client)
    client.on('close', () => clients.delete(client)).on('error', () => {})
    client.on('authentication', (attempt) => attempt.accept())
    client.on('session', (accept) =>
      accept().on('exec', (accept, _, { command }) => {
        asked.add(command)
        const channel = accept()
        const engine = connect({ path: socket, allowHalfOpen: true }).on('error', () => {})
        channel.on('error', () => {}).on('close', () => engine.destroy())
        channel.pipe(engine).pipe(channel, { end: false })
        engine.on('end', () => {
          channel.exit(0)
          channel.end()
        })
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  const port = await portOf(server)
  const [type, key] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ')
  writeFileSync(join(home.dir, '.ssh/known_hosts'), `[127.0.0.1]:${port} ${type} ${key}\n`)
  expect(await qemuOn(`ssh://pi@127.0.0.1:${port}`)).toBe('10.0.3')
  expect([...asked]).toEqual(['docker system dial-stdio'])
  await expect.poll(() => clients.size).toBe(0)
})

/** A directory with a CA, and with a certificate of it for this host and for who connects. */
function certificates() {
  const dir = scratchDir()
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const key = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.pem`]
  openssl('req', '-x509', ...key('ca-key'), '-subj', '/CN=A CA', '-days', '1', '-out', 'ca.pem')
  openssl('req', ...key('key'), '-subj', '/CN=127.0.0.1', '-out', 'request.pem')
  writeFileSync(join(dir, 'names'), 'subjectAltName=IP:127.0.0.1')
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '1', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'request.pem', ...by, '-out', 'cert.pem')
  const read = (name: string) => readFileSync(join(dir, `${name}.pem`))
  return { dir, ca: read('ca'), cert: read('cert'), key: read('key') }
}

test.runIf(hasProgram('openssl'))('one is used by TLS, and shows a certificate that is trusted', async () => {
  const { dir, ca, cert, key } = certificates()
  const { socket } = await fakeDocker()
  // As Docker does, it goes on to tell where the other side has no more to say.
  const options = { ca, cert, key, requestCert: true, allowHalfOpen: true }
  const server = createTlsServer(options, (client) => {
    const engine = connect({ path: socket, allowHalfOpen: true }).on('error', () => {})
    client.on('error', () => {}).on('close', () => engine.destroy())
    client.pipe(engine).pipe(client)
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  const address = `tcp://127.0.0.1:${await portOf(server)}`
  vi.stubEnv('DOCKER_TLS_VERIFY', '1')
  vi.stubEnv('DOCKER_CERT_PATH', dir)
  expect(await qemuOn(address)).toBe('10.0.3')
  vi.stubEnv('DOCKER_CERT_PATH', certificates().dir)
  await expect(qemuOn(address)).rejects.toThrow(/does not answer: .*(certificate|signature)/)
})
