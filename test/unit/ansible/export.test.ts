import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Exported, exportedTargets, exportInventory } from '../../../src/ansible/export.ts'
import type { AnsibleTarget } from '../../../src/ansible/inventory.ts'

const bmc = { host: '127.0.0.1', port: 40_623, user: 'uabc', password: 'pabc' }
const nic = (mac: string, address?: string) => ({ mac, interface: 'eth1', ...(address ? { address } : {}) })
const lab: Exported = {
  hosts: {
    controller00: { ansible_host: '127.0.0.1', ansible_port: 2222, note: "it's 10 %" },
    compute00: {
      ...{ ansible_host: '127.0.0.1', ansible_port: 2223, raspi_bmc: bmc },
      raspi_networks: { pxe: nic('dc:a6:32:00:00:01'), mgmt: nic('dc:a6:32:00:00:02', '10.77.2.12') },
    },
  },
  groups: {
    compute: { hosts: ['compute00'], children: [] },
    nodes: { hosts: [], children: ['compute'] },
  },
  hardware: { compute00: { cpus: 4, memoryMiB: 1024, diskGiB: 4 } },
}

test('an INI inventory has all variables beside the hosts, as Python reads them', () => {
  expect(exportInventory(lab, 'ini')).toMatchInlineSnapshot(`
    "controller00 ansible_host=127.0.0.1 ansible_port=2222 note='"it'\\''s 10 %"'
    compute00 ansible_host=127.0.0.1 ansible_port=2223 raspi_bmc='{"host": "127.0.0.1", "port": 40623, "user": "uabc", "password": "pabc"}' raspi_networks='{"pxe": {"mac": "dc:a6:32:00:00:01", "interface": "eth1"}, "mgmt": {"mac": "dc:a6:32:00:00:02", "interface": "eth1", "address": "10.77.2.12"}}'

    [compute]
    compute00

    [nodes:children]
    compute
    "
  `)
})

test('in INI a text stays a text, and what is none stays what it is', () => {
  const vars = {
    ...{ text: '8080', number: 8080, yes: true, word: 'True', none: null, list: ['a', 1, false] },
    ...{ path: '/a/b c', hash: '# no comment', line: 'a\nb', empty: '' },
  }
  const [line = ''] = exportInventory({ hosts: { pi: vars }, groups: {}, hardware: {} }, 'ini').split('\n')
  expect(line).toBe(
    `pi text='"8080"' number=8080 yes='True' word='"True"' none='None' list='["a", 1, False]'` +
      ` path='"/a/b c"' hash='"# no comment"' line='"a\\nb"' empty='""'`,
  )
})

test('YAML and JSON say the same, for Ansible', () => {
  const json = JSON.parse(exportInventory(lab, 'json'))
  expect(parse(exportInventory(lab, 'yaml'))).toEqual(json)
  // As YAML 1.1 has it, which Ansible reads.
  const words = exportInventory({ hosts: { pi: { on: 'yes' } }, groups: {}, hardware: {} }, 'yaml')
  expect(words).toContain('"on": "yes"')
  expect(json).toEqual({
    all: {
      hosts: lab.hosts,
      children: { compute: { hosts: { compute00: {} } }, nodes: { children: { compute: {} } } },
    },
  })
})

test("Bifrost's baremetal.json has the nodes with a BMC, filled in", () => {
  expect(JSON.parse(exportInventory(lab, 'bifrost'))).toEqual({
    compute00: {
      ...{ name: 'compute00', driver: 'ipmi' },
      driver_info: {
        power: {
          ...{ ipmi_address: '127.0.0.1', ipmi_port: 40_623, ipmi_username: 'uabc', ipmi_password: 'pabc' },
          ipmi_cipher_suite: '3',
        },
      },
      nics: [{ mac: 'dc:a6:32:00:00:01' }, { mac: 'dc:a6:32:00:00:02' }],
      ipv4_address: '10.77.2.12',
      properties: { cpu_arch: 'aarch64', cpus: '4', ram: '1024', disk_size: '4' },
      host_groups: ['compute'],
    },
  })
})

test('where no Pi has a BMC there is nothing to tell Bifrost', () => {
  const { controller00 = {} } = lab.hosts
  expect(() => exportInventory({ ...lab, hosts: { controller00 } }, 'bifrost')).toThrow(
    'There is nothing to tell Bifrost, because no Pi has a BMC.',
  )
})

test('of an inventory of the user groups and variables are kept, and the connection is ours', () => {
  const connection = { host: '127.0.0.1', port: 2222, user: 'pi', privateKeyFile: '/k', knownHostsFile: '/h' }
  const targets: AnsibleTarget[] = [{ ...connection, name: 'boreas', vars: { raspi_bmc: bmc } }]
  const own = {
    ...{ sources: ['hosts.ini'], hosts: ['boreas', 'eurus'] },
    groups: {
      cold: { hosts: ['boreas'], children: [] },
      warm: { hosts: ['eurus'], children: [] },
      winds: { hosts: [], children: ['cold', 'warm'] },
    },
    vars: {
      boreas: { direction: 'north', ansible_host: '192.168.1.20', ansible_ssh_pass: 'secret' },
      eurus: {},
    },
  }
  const { hosts, groups } = exportedTargets(targets, '/run', own)
  expect(hosts.boreas).toMatchObject({ direction: 'north', ansible_host: '127.0.0.1', raspi_bmc: bmc })
  expect(hosts.boreas).not.toHaveProperty('ansible_ssh_pass')
  expect(Object.keys(hosts)).toEqual(['boreas'])
  expect(groups).toEqual({
    cold: { hosts: ['boreas'], children: [] },
    warm: { hosts: [], children: [] },
    winds: { hosts: [], children: ['cold', 'warm'] },
  })
  const made = exportedTargets([{ ...connection, name: 'web', groups: ['webservers'] }], '/run')
  expect(made.groups).toEqual({ webservers: { hosts: ['web'], children: [] } })
})
