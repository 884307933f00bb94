import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect, onTestFinished, vi } from 'vitest'
import { openShare } from '../../../src/share/open-share.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const test = base.extend('dir', () => scratchDir())

const open = (option: string | undefined, env: NodeJS.ProcessEnv = {}, baseDir = '/none') =>
  openShare(option, { cacheDir: '/none', baseDir, env, log: () => {} })

test('without a word of it there is no share', () => {
  expect(open(undefined)).toBeUndefined()
})

test('the option ranks above the environment, and a relative path begins at the project', async ({ dir }) => {
  const share = openShare('shared', {
    ...{ cacheDir: join(dir, 'cache'), baseDir: dir, log: () => {} },
    env: { VITEST_RASPI_SHARE: '/elsewhere' },
  })
  share?.offer('a', [import.meta.filename])
  await share?.close()
  expect(readdirSync(join(dir, 'shared')).sort()).toEqual(['a.json', 'content'])
})

test('a ~ is the home directory', async ({ dir }) => {
  vi.stubEnv('HOME', dir)
  onTestFinished(() => void vi.unstubAllEnvs())
  const share = openShare('~/pis', { cacheDir: join(dir, 'cache'), baseDir: '/none', log: () => {} })
  share?.offer('a', [import.meta.filename])
  await share?.close()
  expect(readdirSync(join(dir, 'pis')).sort()).toEqual(['a.json', 'content'])
})

test.for(['https://user:p%ss@files.test/pis', 'oci://user:p%ss@registry.test/pis'])(
  '%s is refused, with how its password is written, which is not shown',
  (where) => {
    expect(() => open(where)).toThrow(
      'raspi({ share }) cannot be used: a % in its user or its password is to be written %25.',
    )
    expect(() => open(where)).not.toThrow('p%ss')
  },
)

test('what is neither a directory nor a server is refused by the name it was given', () => {
  expect(() => open('ftp://files.test/pis')).toThrow(
    'raspi({ share }) cannot be used: there is no way to use ftp://',
  )
  expect(() => open(undefined, { VITEST_RASPI_SHARE: 's3://bucket' })).toThrow(
    /^VITEST_RASPI_SHARE cannot be used/,
  )
  expect(() => open('http://')).toThrow('that is no URL')
})

test('a URL with a query is refused, and what is in it not shown', () => {
  for (const where of [
    'https://files.test/pis?sig=SECRET',
    'http://files.test/#SECRET',
    'oci://registry.test/pis?SECRET',
  ]) {
    expect(() => open(where)).toThrow('what follows a ? or a # in it has no place in the URLs of its files')
    expect(() => open(where)).not.toThrow('SECRET')
  }
})

test.for<[where: string, why: string | undefined]>([
  ['oci://registry.test/pis', undefined],
  ['oci://me:secret@registry.test:5000/team/my-pis/', undefined],
  ['oci://registry.test', 'it names no repository of a registry'],
  ['oci://registry.test/pis:1', 'pis:1 is no name of a repository'],
  ['oci://registry.test/Team/Pis', undefined],
  ['oci://registry.test/my pis', 'my%20pis is no name of a repository'],
  ['oci://regi stry/pis', 'that is no URL'],
])('%s is a repository of a registry, or is refused', async ([where, why]) => {
  if (why) expect(() => open(where)).toThrow(`raspi({ share }) cannot be used: ${why}.`)
  else await open(where)?.close()
})
