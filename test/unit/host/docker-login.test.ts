import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { dockerLogin } from '../../../src/host/docker-login.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const test = base.extend('dir', () => scratchDir())

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The environment of somebody with this configuration of Docker's. */
function envWith(dir: string, config: object): NodeJS.ProcessEnv {
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  return { DOCKER_CONFIG: dir, PATH: `${dir}:${process.env.PATH}` }
}

/** A credential helper that answers with `answer`, and keeps what it was asked. */
function helper(dir: string, name: string, answer: string, code = 0) {
  const file = join(dir, `docker-credential-${name}`)
  writeFileSync(file, `#!/bin/sh\ncat > ${dir}/asked\necho '${answer}'\nexit ${code}\n`)
  chmodSync(file, 0o755)
}

test('a log-in stands in config.json, by the host or by a URL', async ({ dir }) => {
  const env = envWith(dir, {
    auths: {
      'registry.example:5000': { auth: base64('me:a:b') },
      'https://old.example/v1/': { username: 'me', password: 'secret' },
      'azure.example': { auth: base64('me:'), identitytoken: 'identity' },
      'https://index.docker.io/v1/': { auth: base64('hub:secret') },
      'kept.example': {},
    },
  })
  expect(await dockerLogin('registry.example:5000', env)).toEqual({ username: 'me', password: 'a:b' })
  expect(await dockerLogin('old.example', env)).toEqual({ username: 'me', password: 'secret' })
  expect(await dockerLogin('azure.example', env)).toEqual({ identityToken: 'identity' })
  expect(await dockerLogin('docker.io', env)).toEqual({ username: 'hub', password: 'secret' })
  expect(await dockerLogin('kept.example', env)).toBeUndefined()
  expect(await dockerLogin('registry.example', env)).toBeUndefined()
})

test('without a configuration, or with none that is understood, there is none', async ({ dir }) => {
  expect(await dockerLogin('a.example', { DOCKER_CONFIG: join(dir, 'none') })).toBeUndefined()
  expect(await dockerLogin('a.example', envWith(dir, { auths: 1 }))).toBeUndefined()
})

test('DOCKER_AUTH_CONFIG stands for the file', async ({ dir }) => {
  const env = envWith(dir, { auths: { 'a.example': { auth: base64('me:file') } } })
  const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'a.example': { auth: base64('me:environment') } } })
  expect(await dockerLogin('a.example', { ...env, DOCKER_AUTH_CONFIG })).toMatchObject({
    password: 'environment',
  })
})

test('a credential helper is asked for its registry; one that has none leaves it to the file', async ({
  dir,
}) => {
  helper(dir, 'own', '{ "ServerURL": "a.example", "Username": "me", "Secret": "kept" }')
  helper(dir, 'token', '{ "Username": "<token>", "Secret": "identity" }')
  helper(dir, 'empty', 'credentials not found in native keychain', 1)
  const env = envWith(dir, {
    credsStore: 'empty',
    credHelpers: { 'a.example': 'own', 'b.example': 'token' },
    auths: { 'c.example': { auth: base64('me:file') } },
  })
  expect(await dockerLogin('a.example', env)).toEqual({ username: 'me', password: 'kept' })
  expect(await dockerLogin('b.example', env)).toEqual({ identityToken: 'identity' })
  expect(await dockerLogin('c.example', env)).toEqual({ username: 'me', password: 'file' })
  expect(await dockerLogin('d.example', env)).toBeUndefined()
})

test('a helper that fails, is not there, or gives nothing is told by its name', async ({ dir }) => {
  helper(dir, 'locked', 'the keychain is locked', 1)
  helper(dir, 'odd', 'hello')
  const told = (name: string) => dockerLogin('a.example', envWith(dir, { credsStore: name }))
  await expect(told('locked')).rejects.toThrow(
    "docker-credential-locked, which Docker's configuration names for a.example, fails: the keychain is locked",
  )
  await expect(told('none')).rejects.toThrow(/docker-credential-none.*ENOENT/)
  await expect(told('odd')).rejects.toThrow('gives no log-in')
})
