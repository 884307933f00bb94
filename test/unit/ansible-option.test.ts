import { afterEach, expect, test, vi } from 'vitest'
import { ansibleVariable } from '../../src/ansible-option.ts'
import { resolveOptions } from '../../src/options.ts'

afterEach(() => vi.unstubAllEnvs())

test.for([
  ['', undefined],
  ['true', { container: true, paths: [] }],
  ['ansible:2.19', { container: 'ansible:2.19', paths: [] }],
] as const)('with the variable "%s" Ansible is where that says', ([value, expected]) => {
  vi.stubEnv(ansibleVariable, value)
  expect(resolveOptions({}).ansible).toEqual(expected)
})

test('the option is before the variable', () => {
  vi.stubEnv(ansibleVariable, 'other')
  expect(resolveOptions({ ansible: { container: 'mine', docker: 'anemoi' } }).ansible).toEqual({
    ...{ container: 'mine', docker: 'anemoi', paths: [] },
  })
})

test('an engine alone is no container', () => {
  expect(() => resolveOptions({ ansible: { docker: 'anemoi' } as never })).toThrow('→ at ansible.container')
})
