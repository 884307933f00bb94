import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { networksScript, nicsScript, nicsUpScript } from '../../../src/freeze/guest-networks.ts'
import { newIdentity, returnScript } from '../../../src/freeze/identity.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

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

test('as many peers as there may be are told in lines that a tty takes', () => {
  const nics = Array.from({ length: 7 }, (_, index) => ({
    ...{ network: `${index}`.padStart(63, 'n'), mac: `dc:a6:32:00:00:0${index}` },
    ...{ interface: `eth${index + 1}`, address: `10.77.${index}.254/24` },
  }))
  const names = Array.from({ length: 64 }, (_, index) => `${index}`.padStart(63, 'p'))
  const hosts = nics.flatMap(({ network }) => names.map((name) => `10.77.1.254 ${name} ${name}.${network}`))
  const lines = networksScript({ nics, hosts }, 'b8:27:eb:00:00:01').split('\n')
  expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThan(4_000)
  const dir = scratchDir()
  const [write = ''] = /^printf [^>]*>> \/etc\/hosts$/m.exec(lines.join('\n')) ?? []
  spawnSync('bash', ['-c', write.replace('/etc/hosts', join(dir, 'hosts'))])
  expect(readFileSync(join(dir, 'hosts'), 'utf8')).toBe(hosts.map((line) => `${line}\n`).join(''))
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

test('a Pi that comes back from a checkpoint has its NICs named and set up, and writes nothing anew', () => {
  const identity = newIdentity('controller', networks)
  const back = returnScript(identity)
  expect(spawnSync('bash', ['-n'], { input: back, encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  })
  // Before it waits for the NIC that ssh comes by: which one is eth0 is not settled until then.
  expect(back).toMatch(/address add 10\.77\.1\.11\/24 dev eth1\n.*MISSING.*\/sys\/class\/net\/eth0/s)
  expect(back).toContain(nicsScript(networks, identity.mac))
  expect(back).not.toMatch(/> \/etc|\/etc\/(hosts|systemd|NetworkManager)/)
  expect(returnScript(newIdentity('pi-1'))).not.toContain('MISSING')
})

test('waits until all NICs are up, however long each takes', () => {
  const dir = scratchDir()
  const put = (name: string, lines: string[]) =>
    writeFileSync(join(dir, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
  // One more of them is up with each look.
  put('ip', [
    `echo >> ${dir}/looks`,
    `for nic in $(seq $(wc -l < ${dir}/looks)); do echo "$nic: eth$nic: <UP> link/ether dc:a6:32:00:00:0$nic brd ff"; done`,
  ])
  put('sleep', [])
  const wait = (macs: string[]) => {
    writeFileSync(join(dir, 'looks'), '')
    const env = { PATH: `${dir}:${process.env.PATH}` }
    const { status, stderr } = spawnSync('sh', { input: nicsUpScript(macs), env, encoding: 'utf8' })
    return { status, stderr, looks: readFileSync(join(dir, 'looks'), 'utf8').length }
  }
  const [one, three] = ['dc:a6:32:00:00:01', 'dc:a6:32:00:00:03']
  expect(wait([three, one])).toEqual({ status: 0, stderr: '', looks: 3 })
  expect(wait([one, 'dc:a6:32:ff:00:01'])).toEqual({ status: 1, stderr: '', looks: 60 })
})
