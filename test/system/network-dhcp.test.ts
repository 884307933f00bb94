import { execa } from 'execa'
import { expect, raspiTest } from 'vitest-raspi'

// Two Pis that get their addresses by DHCP, where this host can serve it.
const test = raspiTest({
  hosts: { controller00: { networks: ['pxe'] }, compute00: { networks: ['pxe'] } },
  networks: { pxe: { dhcp: true } },
})

const hasDhcp = await Promise.all([
  execa('/usr/sbin/dnsmasq', ['--version'], { reject: false }),
  execa('unshare', ['--net', 'ip', 'tuntap', 'add', 'dev', 'lab0', 'mode', 'tap'], { reject: false }),
]).then((results) => results.every(({ exitCode }) => exitCode === 0))

test.runIf(hasDhcp)(
  'Pis have the addresses that they are known by, and reach each other',
  {
    timeout: 300_000,
  },
  async ({ pis }) => {
    for (const pi of Object.values(pis)) {
      const [nic] = pi.nics
      expect(nic).toMatchObject({ interface: 'eth1', dhcp: true })
      await expect
        .poll(async () => (await pi.run('ip -o -4 address show dev eth1')).stdout, { timeout: 60_000 })
        .toContain(`inet ${nic?.address} `)
      // It leads nowhere, and is no way to anywhere.
      expect((await pi.run('ip route show default')).stdout).not.toContain('eth1')
    }
    await pis.controller00.run('ping -n -c 2 compute00.pxe')
  },
)
