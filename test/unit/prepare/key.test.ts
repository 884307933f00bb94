import { expect, test } from 'vitest'
import type { FrozenPi } from '../../../src/freeze/store.ts'
import { factsOf, layerIds, type Request, recipeKey, requestKey } from '../../../src/prepare/key.ts'

const parent = { id: 'a', cardDigest: '1' } as FrozenPi
const request: Request = {
  projectDir: '/home/me/pis',
  step: { playbook: 'prepare.yml' },
  hosts: [{ name: 'pi' }],
}
const known = {
  request,
  ansible: '2.14.18',
  env: {} as NodeJS.ProcessEnv,
  parents: [parent],
  places: { 'prepare.yml': '1' } as Record<string, string>,
}

const keyOf = ({ request, ansible, env, parents, places }: typeof known) =>
  recipeKey(request, factsOf(ansible, env, parents), places)

test.for<[string, Partial<typeof known>]>([
  ['the playbook', { request: { ...request, step: { playbook: 'other.yml' } } }],
  ['its variables', { request: { ...request, step: { playbook: 'prepare.yml', extraVars: { a: 1 } } } }],
  ['its tags', { request: { ...request, step: { playbook: 'prepare.yml', tags: ['a'] } } }],
  ['its environment', { request: { ...request, step: { playbook: 'prepare.yml', env: { ZONE: 'attic' } } } }],
  ['a host', { request: { ...request, hosts: [{ name: 'other' }] } }],
  ["a host's group", { request: { ...request, hosts: [{ name: 'pi', groups: ['web'] }] } }],
  ["a host's variable", { request: { ...request, hosts: [{ name: 'pi', vars: { a: 1 } }] } }],
  ['ansible-core', { ansible: '2.19.4' }],
  ['a setting in the environment', { env: { ANSIBLE_ROLES_PATH: '/other' } }],
  ['what it starts from', { parents: [{ id: 'b', cardDigest: '1' } as FrozenPi] }],
  // A layer on it would be a file system on blocks that are not the ones it was written on.
  [
    'the card of what it starts from, made again under the same id',
    { parents: [{ id: 'a', cardDigest: '2' } as FrozenPi] },
  ],
  ["a file's content", { places: { 'prepare.yml': '2' } }],
  ["a file's name", { places: { 'other.yml': '1' } }],
])('%s counts', ([, change]) => {
  expect(keyOf({ ...known, ...change } as typeof known)).not.toBe(keyOf(known))
})

test.for<[string, Partial<typeof known>]>([
  ['another directory of the project', { request: { ...request, projectDir: '/srv/ci/pis' } }],
  ['another way to write its path', { request: { ...request, step: { playbook: './prepare.yml' } } }],
  ['an absolute path', { request: { ...request, step: { playbook: '/home/me/pis/prepare.yml' } } }],
  [
    'where the passwords of vaults and the configuration are',
    {
      request: {
        ...request,
        step: {
          ...{
            playbook: 'prepare.yml',
            vaultPasswordFile: '/tmp/job-1/pass',
            vaultIds: 'dev@/tmp/job-1/dev',
          },
          env: { ANSIBLE_CONFIG: '/tmp/job-1/ansible.cfg' },
        },
      },
    },
  ],
  [
    'a password of vaults that the environment names',
    { env: { ANSIBLE_VAULT_PASSWORD_FILE: '/tmp/job-1/pass' } },
  ],
  ['the environment of other programs', { env: { LANG: 'C', ANSIBLE_CONFIG: '/elsewhere/ansible.cfg' } }],
])('%s does not count', ([, change]) => {
  expect(keyOf({ ...known, ...change } as typeof known)).toBe(keyOf(known))
})

test('what the playbook was seen to read, and the host, make the id of a layer', () => {
  const two = { hosts: [{ name: 'web' }, { name: 'db' }] }
  const ids = layerIds('recipe', { odd: '1' }, two)
  expect(
    new Set([...ids, ...layerIds('recipe', { odd: '2' }, two), ...layerIds('other', { odd: '1' }, two)]).size,
  ).toBe(6)
  expect(layerIds('recipe', { odd: '1' }, two)).toEqual(ids)
  expect(requestKey(request)).toMatch(/^[0-9a-f]{64}$/)
})
