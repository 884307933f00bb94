import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { networksScript } from '../../../src/freeze/guest-networks.ts'

const networks = {
  nics: [
    { network: 'mgmt', mac: 'dc:a6:32:00:00:01', interface: 'eth1', address: '10.77.1.11/24' },
    { network: 'pxe', mac: 'dc:a6:32:00:00:02', interface: 'eth2' },
  ],
  hosts: ['10.77.1.12 compute00 compute00.mgmt'],
}
const script = networksScript(networks, 'b8:27:eb:00:00:01')

test('the script is bash, and no line is longer than a tty takes', () => {
  expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  })
  expect(Math.max(...script.split('\n').map((line) => Buffer.byteLength(line)))).toBeLessThan(4_000)
})

test('NICs have the names of their places, and addresses where they are given some', () => {
  expect(script).toContain('wanted=(b8:27:eb:00:00:01=eth0 dc:a6:32:00:00:01=eth1 dc:a6:32:00:00:02=eth2)')
  expect(script).toContain('address add 10.77.1.11/24 dev eth1')
  expect(script).not.toContain('address add  dev')
  expect(script).toMatch(/'MACAddress=dc:a6:32:00:00:02'.*'DHCP=yes'/)
  // One that comes by DHCP is known, and not set.
  const [mgmt] = networks.nics
  if (!mgmt) throw new Error('no NIC')
  const asked = networksScript({ ...networks, nics: [{ ...mgmt, dhcp: true }] }, 'b8:27:eb:00:00:01')
  expect(asked).not.toContain('10.77.1.11')
  expect(asked).toMatch(/'MACAddress=dc:a6:32:00:00:01'.*'DHCP=yes'/)
})
