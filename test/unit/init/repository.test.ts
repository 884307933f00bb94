import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hostPatterns, lookAt } from '../../../src/init/repository.ts'
import { ansibleThatKnows, repositoryOf } from './repositories.ts'

const play = (hosts: string) => `- name: A play\n  hosts: ${hosts}\n`
const noAnsible = { PATH: '' }

test('site.yml is the playbook, else the one there is, and no other YAML', async () => {
  const files = { 'a.yml': play('all'), 'vars.yml': 'hosts: no\n', 'playbooks/web.yml': play('web') }
  expect(await lookAt(repositoryOf(files), undefined, noAnsible)).toMatchObject({ playbook: 'a.yml' })
  const more = { ...files, 'playbooks/site.yml': play('web') }
  expect(await lookAt(repositoryOf(more), undefined, noAnsible)).toMatchObject({
    playbook: 'playbooks/site.yml',
  })
  expect(await lookAt(repositoryOf(more), 'a.yml', noAnsible)).toMatchObject({ playbook: 'a.yml' })
})

test('a playbook may be named by its absolute path, or be one of a collection', async () => {
  const dir = repositoryOf({ 'books/site.yml': play('web') })
  expect(await lookAt(dir, join(dir, 'books/site.yml'), noAnsible)).toMatchObject({
    ...{ playbook: 'books/site.yml', hosts: [{ name: 'pi', groups: ['web'] }] },
  })
  expect(await lookAt(dir, 'community.general.site', noAnsible)).toMatchObject({
    ...{ playbook: 'community.general.site', hosts: [{ name: 'pi', groups: [] }] },
  })
})

test('without a playbook, or with one that is not there, it says what to do', async () => {
  const dir = repositoryOf({ 'vars.yml': 'a: 1\n' })
  await expect(lookAt(dir, undefined, noAnsible)).rejects.toThrow(
    `There is no playbook in ${dir}, nor in its playbooks directory.\n  Go to the repository of the playbooks`,
  )
  await expect(lookAt(dir, 'site.yml', noAnsible)).rejects.toThrow('The playbook site.yml does not exist')
})

test('the hosts are those of the inventory that the playbook is for, in all their groups', async () => {
  const dir = repositoryOf({ 'site.yml': play('winds'), 'inventory/hosts.ini': '…' })
  const env = ansibleThatKnows({ boreas: ['cold'], eurus: ['warm'] }, 'winds')
  expect(await lookAt(dir, undefined, env)).toEqual({
    ...{ dir, playbook: 'site.yml', inventory: 'inventory/hosts.ini', furtherHosts: 0, limited: false },
    hosts: [
      { name: 'boreas', groups: ['cold', 'winds'] },
      { name: 'eurus', groups: ['warm', 'winds'] },
    ],
  })
  const warm = repositoryOf({ 'site.yml': play('warm'), hosts: '…' })
  expect(await lookAt(warm, undefined, env)).toMatchObject({
    ...{ inventory: 'hosts', hosts: [{ name: 'eurus' }], limited: true },
  })
})

test('of a large inventory it takes as many as a host bears', async () => {
  const hosts = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`web-${index}`, ['web']]))
  const dir = repositoryOf({ 'site.yml': play('all'), 'hosts.yml': '…' })
  const found = await lookAt(dir, undefined, ansibleThatKnows(hosts, 'site'))
  expect(found.hosts.map(({ name }) => name)).toEqual(['web-0', 'web-1', 'web-2', 'web-3'])
  expect(found).toMatchObject({ furtherHosts: 5, limited: true })
})

test('a host of the inventory that is not reached by ssh gets no Pi', async () => {
  const dir = repositoryOf({ 'site.yml': play('all'), hosts: '…' })
  const groups = { here: ['site'], web: ['site'] }
  const local = { here: { ansible_connection: 'local' } }
  expect(await lookAt(dir, undefined, ansibleThatKnows(groups, 'all_of_it', local))).toMatchObject({
    ...{ inventory: 'hosts', hosts: [{ name: 'web' }], limited: true },
  })
  const alone = ansibleThatKnows({ here: ['site'] }, 'all_of_it', local)
  expect(await lookAt(dir, undefined, alone)).toMatchObject({ hosts: [{ name: 'pi' }], limited: false })
})

test('without an inventory there is one Pi, in the groups that the playbook names', async () => {
  const dir = repositoryOf({ 'site.yml': play('web:db') + play('localhost') })
  expect(await lookAt(dir, undefined, noAnsible)).toMatchObject({
    hosts: [{ name: 'pi', groups: ['web', 'db'] }],
  })
})

test.for([
  [['requirements.yml']],
  [['roles/requirements.yml']],
  [['roles/requirements.yml', 'collections/requirements.yml']],
])('%s are found, with an inventory and without one', async ([requirements = []]) => {
  const needed = requirements.map((file) => [file, 'collections: [community.general]\n'])
  const files = { 'site.yml': play('all'), ...Object.fromEntries(needed) }
  expect(await lookAt(repositoryOf(files), undefined, noAnsible)).toMatchObject({ requirements })
  const env = ansibleThatKnows({ web: ['site'] }, 'all_of_it')
  expect(await lookAt(repositoryOf({ ...files, hosts: '…' }), undefined, env)).toMatchObject({
    ...{ inventory: 'hosts', requirements },
  })
})

test.for([
  ['all', ['all']],
  ['web:&eu  # comment', ['web']],
  ['"web, db"', ['web', 'db']],
  ['[web, db]', ['web', 'db']],
  ['"{{ target }}"', []],
  ['localhost', []],
] as const)('hosts: %s', ([hosts, patterns]) => {
  expect(hostPatterns(play(hosts))).toEqual(patterns)
})
