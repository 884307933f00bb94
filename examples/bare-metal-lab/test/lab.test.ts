import { expect, raspiTest } from 'vitest-raspi'

// A controller that is up, and a node that is there, off, and only reached through its BMC.
const test = raspiTest({
  hosts: {
    controller00: { networks: ['pxe', 'mgmt', 'ext'], groups: ['controllers'] },
    compute00: { networks: ['pxe', 'mgmt'], groups: ['compute'], bmc: true, power: 'off' },
  },
})

test('the node is switched on by its BMC and joins the networks', async ({ pis, ansible, networks }) => {
  const { controller00, compute00 } = pis
  expect(await compute00.power.state()).toBe('off')

  expect(await ansible.playbook('power.yml')).toSucceed()
  expect(await compute00.power.state()).toBe('on')
  expect(await ansible.playbook('power.yml')).toBeIdempotent()

  expect(await ansible.playbook('site.yml')).toSucceed()
  await expect(controller00).toHaveFile('/etc/lab-networks', { contains: 'ext eth3' })
  await expect(compute00).not.toHaveFile('/etc/lab-networks', { contains: 'ext' })

  await controller00.run('ping -n -c 2 compute00.mgmt')
  await controller00.run('ping -n -c 2 compute00.pxe')
  expect(await networks.ext.frames({ protocol: 'icmp' })).toEqual([])
})
