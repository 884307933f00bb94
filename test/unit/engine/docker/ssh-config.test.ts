import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { dockerOptions } from '../../../../src/engine/docker/endpoint.ts'
import { sshTarget } from '../../../../src/engine/docker/ssh-config.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

/** Has OpenSSH read this configuration in place of the user's. */
function configured(config: string) {
  const [dir, ssh] = [scratchDir(), execFileSync('which', ['ssh'], { encoding: 'utf8' }).trim()]
  writeFileSync(join(dir, 'config'), config)
  writeFileSync(join(dir, 'ssh'), `#!/bin/sh\nexec ${ssh} -F ${dir}/config "$@"\n`)
  chmodSync(join(dir, 'ssh'), 0o755)
  inPath(`${dir}:${process.env.PATH}`)
}

function inPath(path: string) {
  vi.stubEnv('PATH', path)
  onTestFinished(() => void vi.unstubAllEnvs())
}

const anemoi = 'Host anemoi\n HostName 10.0.0.5\n Port 2222\n User pi\n'

test('a host may have another name, a port and a user, but for what an address says itself', () => {
  configured(anemoi)
  expect(sshTarget({ host: 'anemoi' })).toEqual({ host: '10.0.0.5', port: 2222, user: 'pi' })
  expect(sshTarget({ host: 'anemoi', port: 22, user: 'me' })).toEqual({
    ...{ host: '10.0.0.5', port: 22, user: 'me' },
  })
  expect(sshTarget({ host: 'boreas', user: 'me' })).toEqual({ host: 'boreas', port: 22, user: 'me' })
})

test('its key is looked for by the name that OpenSSH notes, and asked for by the one that the user has', () => {
  configured(anemoi)
  expect(() => dockerOptions({ url: 'ssh://anemoi', name: '' })).toThrow(
    /^The host key of 10\.0\.0\.5 is not known, .*\n.*: ssh anemoi$/,
  )
})

test.for(['ProxyJump', 'ProxyCommand'])('one that is reached by a %s is refused with what to do', (way) => {
  configured(`${anemoi} ${way} boreas`)
  expect(() => sshTarget({ host: 'anemoi' })).toThrow(
    `The engine on anemoi cannot be used: ssh gets there by a ${way}.\n  Open a way to it, and name that: ssh -N -L`,
  )
})

test('one whose ProxyCommand is none is reached directly', () => {
  configured(`${anemoi} ProxyCommand none`)
  expect(sshTarget({ host: 'anemoi' }).host).toBe('10.0.0.5')
})

test('what OpenSSH cannot read is told in its words', () => {
  configured('Nonsense yes')
  expect(() => sshTarget({ host: 'anemoi' })).toThrow(/Bad configuration option: nonsense/)
})

test('without OpenSSH an address is taken as it is', () => {
  inPath('/nowhere')
  expect(sshTarget({ host: 'anemoi' })).toEqual({ host: 'anemoi' })
})
