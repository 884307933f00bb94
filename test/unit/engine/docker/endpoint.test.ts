import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { dockerode } from '../../../../src/engine/docker/client.ts'
import { dockerOptions, endpointOf } from '../../../../src/engine/docker/endpoint.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

const verified = { hostVerifier: () => true }
vi.mock('../../../../src/engine/docker/known-host.ts', () => ({ knownHost: () => verified }))
// What this host's ssh is configured for is none of this test's.
vi.mock('../../../../src/engine/docker/ssh-config.ts', () => ({ sshTarget: (target: object) => target }))
afterEach(() => void vi.unstubAllEnvs())

/** A directory of Docker's configuration with a context `anemoi`. */
function config({ current, tls = false }: { current?: string; tls?: boolean } = {}) {
  const dir = scratchDir()
  const id = createHash('sha256').update('anemoi').digest('hex')
  mkdirSync(join(dir, 'contexts/meta', id), { recursive: true })
  const meta = { Name: 'anemoi', Endpoints: { docker: { Host: 'tcp://anemoi:2376' } } }
  writeFileSync(join(dir, 'contexts/meta', id, 'meta.json'), JSON.stringify(meta))
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ currentContext: current }))
  if (tls) {
    const certificates = join(dir, 'contexts/tls', id, 'docker')
    mkdirSync(certificates, { recursive: true })
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(certificates, `${name}.pem`), name)
  }
  return dir
}

test('an address is taken as it is, before all else', () => {
  const env = { DOCKER_HOST: 'unix:///elsewhere', DOCKER_CONFIG: config({ current: 'anemoi' }) }
  expect(endpointOf('unix:///run/d.sock', env)).toEqual({
    url: 'unix:///run/d.sock',
    name: 'unix:///run/d.sock',
  })
})

test('without one it is what Docker’s own programs take', () => {
  const dir = config({ current: 'anemoi' })
  const host = { DOCKER_HOST: 'unix:///d', DOCKER_CONFIG: dir }
  expect(endpointOf(undefined, host)?.url).toBe('unix:///d')
  expect(endpointOf(undefined, { DOCKER_CONFIG: dir })?.url).toBe('tcp://anemoi:2376')
  expect(endpointOf(undefined, { DOCKER_CONFIG: config(), DOCKER_CONTEXT: 'anemoi' })?.name).toBe('anemoi')
  expect(endpointOf(undefined, { DOCKER_CONFIG: config({ current: 'default' }) })).toBeUndefined()
  expect(endpointOf(undefined, { DOCKER_CONFIG: scratchDir() })).toBeUndefined()
})

test('the context default is what DOCKER_HOST names, or nothing, whatever the current one is', () => {
  const env = { DOCKER_CONFIG: config({ current: 'anemoi' }), DOCKER_CONTEXT: 'anemoi' }
  expect(endpointOf('default', env)).toBeUndefined()
  expect(endpointOf('default', { ...env, DOCKER_HOST: 'unix:///d' })?.url).toBe('unix:///d')
})

test('a name is a context; one that is not there is an error', () => {
  const env = { DOCKER_CONFIG: config() }
  expect(endpointOf('anemoi', env)).toEqual({ url: 'tcp://anemoi:2376', name: 'anemoi' })
  expect(() => endpointOf('boreas', env)).toThrow(
    'Docker has no context boreas, and it is no address either.',
  )
})

test('an engine is reached by its socket, by ssh, or by TCP, with TLS where there are certificates', () => {
  expect(dockerOptions({ url: 'unix:///run/d.sock', name: '' })).toEqual({
    ...{ protocol: 'http', socketPath: '/run/d.sock' },
  })
  expect(dockerOptions({ url: 'ssh://pi@anemoi', name: '' }, { SSH_AUTH_SOCK: '/agent' })).toEqual({
    ...{ protocol: 'ssh', host: 'anemoi', port: 22, username: 'pi' },
    sshOptions: { ...verified, agent: '/agent', keepaliveInterval: 10_000, keepaliveCountMax: 3 },
  })
  expect(dockerOptions({ url: 'tcp://anemoi', name: '' })).toEqual({
    ...{ protocol: 'http', host: 'anemoi', port: 2375 },
  })
  const endpoint = endpointOf('anemoi', { DOCKER_CONFIG: config({ tls: true }) })
  expect(endpoint && dockerOptions(endpoint)).toMatchObject({
    ...{ protocol: 'https', host: 'anemoi', port: 2376 },
    ...{ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') },
  })
})

test('DOCKER_TLS_VERIFY alone means TLS, with the certificates beside Docker’s configuration', () => {
  const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CONFIG: '/docker' }
  expect(endpointOf('tcp://anemoi', env)?.certificates).toBe('/docker')
  expect(endpointOf('tcp://anemoi', { ...env, DOCKER_CERT_PATH: '/certs' })?.certificates).toBe('/certs')
  expect(endpointOf('tcp://anemoi', { ...env, DOCKER_TLS_VERIFY: '' })?.certificates).toBeUndefined()
})

test('an address is what it says, whatever DOCKER_HOST names', () => {
  vi.stubEnv('DOCKER_HOST', 'ssh://boreas@zephyr:2222')
  const modemFor = (url: string) => new (dockerode())(dockerOptions({ url, name: '' })).modem
  expect(modemFor('unix:///run/d.sock')).toMatchObject({
    ...{ protocol: 'http', host: undefined, port: undefined, socketPath: '/run/d.sock' },
  })
  expect(modemFor('ssh://anemoi')).toMatchObject({
    ...{ protocol: 'ssh', host: 'anemoi', port: 22, username: userInfo().username },
  })
  expect(modemFor('tcp://anemoi')).toMatchObject({ protocol: 'http', host: 'anemoi', port: 2375 })
})

test.for(['/home/jürgen/.docker/run/docker.sock', '/srv/my sockets/50%.sock'])(
  'the socket %s is taken as it is written',
  (socketPath) => {
    expect(dockerOptions({ url: `unix://${socketPath}`, name: '' })).toMatchObject({ socketPath })
  },
)

test('a user whose name has a % by itself is refused, with how that is written', () => {
  expect(() => dockerOptions({ url: 'ssh://50%@anemoi', name: '' })).toThrow(
    'ssh://50%@anemoi is no address of a Docker engine.\n  A % in the name of its user is written %25.',
  )
})

test.for(['ftp://anemoi', 'no address://'])('%s is refused', (url) => {
  expect(() => dockerOptions({ url, name: '' })).toThrow(`${url} is no address of a Docker engine.`)
})
