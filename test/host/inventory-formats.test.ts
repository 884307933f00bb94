import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { type Exported, exportInventory } from '../../src/ansible/export.ts'

// What Ansible itself reads in the files that are exported.

const lab: Exported = {
  hosts: {
    boreas: {
      ...{ ansible_host: '127.0.0.1', ansible_port: 2222, text: '8080', yes: true, no: 'on', none: null },
      ...{ word: 'True', octal: '0644', time: '12:30:45' },
      ...{ quotes: `it's "10 %" # no comment`, lines: 'a\nb', empty: '', umlaut: 'Böe 🌬', tail: 'C:\\' },
      ...{ list: ['pxe', 1, false], raspi_networks: { mgmt: { mac: 'dc:a6:32:00:00:01', address: null } } },
      ansible_ssh_common_args: `-F none -o 'UserKnownHostsFile="/my pis/known_hosts"'`,
    },
    eurus: {},
  },
  groups: {
    cold: { hosts: ['boreas'], children: [] },
    warm: { hosts: [], children: [] },
    winds: { hosts: [], children: ['cold', 'warm'] },
  },
  hardware: {},
}

test.for([
  ['ini', 'hosts.ini'],
  ['yaml', 'hosts.yml'],
  ['json', 'hosts.json'],
] as const)('Ansible reads in %s what was meant', { timeout: 60_000 }, async ([format, name]) => {
  const dir = mkdtempSync(join(tmpdir(), 'formats-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, name), exportInventory(lab, format))
  const { stdout } = await execa('ansible-inventory', ['-i', join(dir, name), '--list'], { cwd: dir })
  const { _meta, winds, cold } = JSON.parse(stdout)
  expect(_meta.hostvars.boreas).toEqual(lab.hosts.boreas)
  expect(winds.children).toEqual(expect.arrayContaining(['cold']))
  expect(cold.hosts).toEqual(['boreas'])
})
