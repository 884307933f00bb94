import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2, { type ConnectConfig } from 'ssh2'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connectDocker } from '../../../../src/engine/docker/client.ts'
import { knownHost } from '../../../../src/engine/docker/known-host.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'
import { openSshDoor } from '../../../support/ssh-door.ts'

const home = vi.hoisted(() => ({ dir: '' }))
vi.mock('node:os', async (original) => ({ ...(await original<object>()), homedir: () => home.dir }))

/** A host, with the file in which its key is known. */
async function host() {
  const dir = scratchDir()
  const { connection, close } = await openSshDoor(dir)
  onTestFinished(close)
  const { port, knownHostsFile, privateKeyFile } = connection
  return { dir, port, file: knownHostsFile, privateKey: readFileSync(privateKeyFile) }
}

/** Logs in with what is known of a host. */
async function logIn({ port, privateKey }: { port: number; privateKey: Buffer }, known: ConnectConfig) {
  const client = new ssh2.Client()
  onTestFinished(() => void client.end())
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject)
    client.connect({ ...known, host: '127.0.0.1', port, username: 'pi', privateKey })
  })
}

/** The public part of a new key, as files of known hosts have it. */
function newKey(dir: string, type: string): string {
  const file = join(dir, `other_${type}`)
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file])
  return readFileSync(`${file}.pub`, 'utf8')
}

test('a host is taken by its key, among other keys of it and other hosts', async () => {
  const it = await host()
  appendFileSync(it.file, `[127.0.0.1]:${it.port} ${newKey(it.dir, 'ecdsa')}anemoi ${newKey(it.dir, 'rsa')}`)
  await logIn(it, knownHost('127.0.0.1', it.port, { files: ['/nowhere', it.file], logIn: 'ssh anemoi' }))
})

test('names may be hashed', async () => {
  const it = await host()
  execFileSync('ssh-keygen', ['-q', '-H', '-f', it.file], { stdio: 'ignore' })
  expect(readFileSync(it.file, 'utf8')).not.toContain('127.0.0.1')
  await logIn(it, knownHost('127.0.0.1', it.port, { files: [it.file], logIn: 'ssh anemoi' }))
})

test.for(['ed25519', 'ecdsa'])(
  'one that shows another key than the known one, of %s, is refused',
  async (type) => {
    const it = await host()
    home.dir = it.dir
    mkdirSync(join(it.dir, '.ssh'))
    writeFileSync(join(it.dir, '.ssh/known_hosts'), `[127.0.0.1]:${it.port} ${newKey(it.dir, type)}`)
    const address = `ssh://pi@127.0.0.1:${it.port}`
    await expect(connectDocker(address)).rejects.toThrow(
      `Pis cannot run on the Docker engine ${address}: its host has another key than is known of it.`,
    )
  },
)

test('where no log-in serves, the hint says whose it is', async () => {
  const it = await host()
  home.dir = it.dir
  mkdirSync(join(it.dir, '.ssh'))
  writeFileSync(join(it.dir, '.ssh/known_hosts'), readFileSync(it.file))
  vi.stubEnv('SSH_AUTH_SOCK', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(connectDocker(`ssh://pi@127.0.0.1:${it.port}`)).rejects.toThrow(
    /does not answer: .*\n.* The log-in by ssh is that of an agent: `ssh-add -l` lists what it has\.$/,
  )
})

test('one that is not known, at that port, is refused before anything is sent, with what to do', async () => {
  const it = await host()
  expect(() => knownHost('127.0.0.1', 22, { files: [it.file], logIn: 'ssh anemoi' })).toThrow(
    'The host key of 127.0.0.1 is not known, so that anybody could answer in its place.\n  Log in there once, and accept its key: ssh anemoi',
  )
  expect(() => knownHost('127.0.0.1', it.port + 1, { files: [it.file], logIn: 'ssh anemoi' })).toThrow(
    'is not known',
  )
})

test('a key that was revoked is not known', async () => {
  const it = await host()
  appendFileSync(it.file, `@revoked * ${readFileSync(it.file, 'utf8').split(' ').slice(1).join(' ')}`)
  expect(() => knownHost('127.0.0.1', it.port, { files: [it.file], logIn: 'ssh anemoi' })).toThrow(
    'is not known',
  )
})
