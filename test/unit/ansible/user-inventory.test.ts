import { expect, test } from 'vitest'
import { groupsOf, parseInventory, readInventory } from '../../../src/ansible/user-inventory.ts'

const listed = {
  _meta: { hostvars: { boreas: { direction: 'north' }, eurus: { direction: 'east' } } },
  all: { children: ['ungrouped', 'winds'] },
  ungrouped: { hosts: ['anemoi'] },
  winds: { children: ['warm'], hosts: ['boreas'] },
  warm: { hosts: ['eurus'] },
}

test('hosts are read with their variables, and groups with what they name', () => {
  const inventory = { sources: [], ...parseInventory(JSON.stringify(listed)) }
  expect(inventory).toMatchObject({
    hosts: ['anemoi', 'boreas', 'eurus'],
    groups: {
      winds: { hosts: ['boreas'], children: ['warm'] },
      warm: { hosts: ['eurus'], children: [] },
    },
    vars: { anemoi: {}, boreas: { direction: 'north' }, eurus: { direction: 'east' } },
  })
  expect(inventory.hosts.map((host) => groupsOf(inventory, host))).toEqual([[], ['winds'], ['warm']])
})

test('an inventory that is not there is refused before Ansible is asked', async () => {
  await expect(readInventory('hosts.ini', { projectDir: '/nowhere', env: { PATH: '' } })).rejects.toThrow(
    'The inventory hosts.ini does not exist: there is no /nowhere/hosts.ini.\n  Paths are relative to /nowhere.',
  )
})

test('without Ansible it says so', async () => {
  await expect(readInventory('web,', { projectDir: '/', env: { PATH: '' } })).rejects.toThrow(
    'ansible-playbook was not found: Ansible is not installed',
  )
})
