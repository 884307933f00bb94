import { expect, test } from 'vitest'
import { detailsOfWarnings, parseError, parseWarnings } from '../../../src/ansible/messages.ts'

test('an error of ansible-core 2.14 comes with its place and the lines in question', () => {
  const stderr = `[WARNING]: No inventory was parsed, only implicit localhost is available
ERROR! conflicting action statements: debug, foo

The error appears to be in '/repo/site.yml': line 3, column 6, but may
be elsewhere in the file depending on the exact syntax problem.

The offending line appears to be:

  tasks:
   - debug: msg=1
     ^ here
`
  expect(parseError(stderr)).toEqual({
    message: 'conflicting action statements: debug, foo',
    path: '/repo/site.yml',
    line: 3,
    column: 6,
    excerpt: '  tasks:\n   - debug: msg=1\n     ^',
  })
})

test('of a YAML error only what the YAML parser says is told', () => {
  const stderr = `ERROR! We were unable to read either as JSON nor YAML, these are the errors we got from each:
JSON: Expecting value: line 1 column 1 (char 0)

Syntax Error while loading YAML.
  found unexpected end of stream

The error appears to be in '/repo/site.yml': line 5, column 1, but may
be elsewhere in the file depending on the exact syntax problem.
`
  expect(parseError(stderr)).toMatchObject({ message: 'found unexpected end of stream', line: 5, column: 1 })
})

test('an error of ansible-core 2.19 comes with its place and the lines in question', () => {
  const stderr = `[ERROR]: YAML parsing failed: Mapping values are not allowed in this context.
Origin: /repo/roles/hello/tasks/main.yml:2:9

1 - copy
2     dest: /tmp/hello
          ^ column 9

`
  expect(parseError(stderr)).toEqual({
    message: 'Mapping values are not allowed in this context.',
    path: '/repo/roles/hello/tasks/main.yml',
    line: 2,
    column: 9,
    excerpt: '1 - copy\n2     dest: /tmp/hello\n          ^',
  })
})

test('an error of a whole file has its path, one of a plugin has none', () => {
  const stderr = '[ERROR]: Attempting to decrypt but no vault secrets found.\nOrigin: /repo/vault.yml\n\n'
  expect(parseError(stderr)).toEqual({
    message: 'Attempting to decrypt but no vault secrets found.',
    path: '/repo/vault.yml',
  })
  expect(parseError(stderr.replace('/repo/vault.yml', '<unknown>'))).toEqual({
    message: 'Attempting to decrypt but no vault secrets found.',
  })
})

test('an error without a place is its words in one line', () => {
  const stderr = 'ERROR! Unable to retrieve file contents\nCould not find or access "nope.yml"\n'
  expect(parseError(stderr)).toEqual({
    message: 'Unable to retrieve file contents Could not find or access "nope.yml"',
  })
})

test('what is no error of Ansible is none', () => {
  expect(parseError('Traceback (most recent call last):\n')).toBeUndefined()
})

test('warnings that Ansible has wrapped are in one line again, with or without colour', () => {
  const stderr = `\u001b[1;35m[WARNING]: Could not match supplied host pattern,
ignoring: web\u001b[0m
[DEPRECATION WARNING]: old
thing. Removed in 2.20.

something else
[WARNING]: second
ERROR! not a warning
`
  expect(parseWarnings(stderr)).toEqual({
    warnings: ['Could not match supplied host pattern, ignoring: web', 'second'],
    deprecations: ['old thing. Removed in 2.20.'],
  })
})

test('what a script says beside the warning of ansible-core 2.19 is told, what is said twice is not', () => {
  const stderr = `[WARNING]: Failed to parse inventory with 'script' plugin: Inventory script returned non-zero exit code 3.

Failed to parse inventory with 'script' plugin.

<<< caused by >>>

Inventory script returned non-zero exit code 3.
Origin: <inventory plugin 'script' with source '/repo/cloud.sh'>

Standard error from inventory script:
no cloud here

[WARNING]: Unable to parse /repo/cloud.sh as an inventory source
`
  expect(detailsOfWarnings(stderr, /Failed to parse/)).toEqual([
    'Standard error from inventory script:',
    'no cloud here',
  ])
  expect(detailsOfWarnings(stderr, /Unable to parse/)).toEqual([])
})
