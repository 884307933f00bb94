import { expect, test } from 'vitest'
import { argumentsOf } from '../../../src/ansible/arguments.ts'
import { vaultArguments } from '../../../src/ansible/vault.ts'
import { commandLine } from '../../../src/host/quote.ts'

test('every option becomes an argument, the playbook comes last', () => {
  const options = {
    tags: ['web', 'db'],
    skipTags: 'slow',
    limit: ['pi', '!pi2'],
    check: true,
    diff: true,
    args: ['-vvv', '--start-at-task', 'Install nginx'],
  }
  expect(argumentsOf('site.yml', options, { inventories: ['/run/i.yml'], extraVars: '/run/v.json' })).toEqual(
    [
      '--inventory=/run/i.yml',
      '--extra-vars=@/run/v.json',
      '--tags=web,db',
      '--skip-tags=slow',
      '--limit=pi,!pi2',
      '--check',
      '--diff',
      '-vvv',
      '--start-at-task',
      'Install nginx',
      'site.yml',
    ],
  )
})

test('what is not asked for is left to ansible.cfg', () => {
  expect(argumentsOf('site.yml', { diff: false, tags: [] }, { inventories: ['/i'] })).toEqual([
    '--inventory=/i',
    'site.yml',
  ])
})

test.for(['-c', '-clocal', '-bc', '-vvvclocal', '--connection=local', '--conn', '--co=local'])(
  'no argument leads away from the Pis by another connection: %s',
  (arg) => {
    expect(() => argumentsOf('site.yml', { args: [arg] }, { inventories: [] })).toThrow(
      `The argument ${arg} cannot be given to ansible-playbook here: another connection would lead to other machines`,
    )
  },
)

test.for([
  ['-kK', 'nobody to ask'],
  ['-bK', 'nobody to ask'],
  ['--ask-become', 'nobody to ask'],
  ['-vi', 'an inventory of its own'],
  ['-Clweb', 'limited by the option'],
] as const)('what stands behind other short options is known as well: %s', ([arg, why]) => {
  expect(() => argumentsOf('site.yml', { args: [arg] }, { inventories: [] })).toThrow(why)
})

test('what only looks like a refused argument is given', () => {
  const args = ['-C', '--check', '-tclock', '-eck=1', '-f2', '-vvv', '--conn-pass-file=p', '--list-hosts']
  expect(argumentsOf('site.yml', { args }, { inventories: [] })).toEqual([...args, 'site.yml'])
})

test('a command line can be pasted into a shell', () => {
  expect(commandLine('ansible-playbook', ['--limit=!pi', "it's.yml"])).toBe(
    `ansible-playbook '--limit=!pi' 'it'\\''s.yml'`,
  )
})

test('vaults are opened by files, in the order in which they are named', () => {
  expect(
    vaultArguments({ vaultPasswordFile: 'pass.sh', vaultIds: ['dev@dev.txt', 'prod@prod.txt'] }),
  ).toEqual(['--vault-password-file=pass.sh', '--vault-id=dev@dev.txt', '--vault-id=prod@prod.txt'])
  expect(() => vaultArguments({ vaultIds: 'dev@prompt' })).toThrow('a test has nobody to ask')
})
