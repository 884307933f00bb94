import { expect, test } from 'vitest'
import { inventoryHosts, parseInventory } from '../../../src/ansible/inventory-hosts.ts'

test('hosts come in the order of the inventory, with their groups and variables', () => {
  const list = {
    _meta: { hostvars: { boreas: { direction: 'north' }, eurus: { direction: 'east' } } },
    all: { children: ['ungrouped', 'winds'] },
    ungrouped: { hosts: ['anemoi'] },
    winds: { children: ['warm'], hosts: ['boreas'] },
    warm: { hosts: ['eurus'] },
  }
  expect(parseInventory(JSON.stringify(list), ['eurus', 'boreas', 'anemoi'])).toEqual({
    hosts: [
      { name: 'eurus', groups: ['warm'], vars: { direction: 'east' } },
      { name: 'boreas', groups: ['winds'], vars: { direction: 'north' } },
      { name: 'anemoi', groups: [], vars: {} },
    ],
    groupChildren: { winds: ['warm'] },
  })
})

test('an inventory that is not there is refused before Ansible is asked', async () => {
  await expect(inventoryHosts('/nowhere/hosts.ini', { cwd: '/', env: { PATH: '' } })).rejects.toThrow(
    'The inventory /nowhere/hosts.ini does not exist.',
  )
})
