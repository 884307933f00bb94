import { expect, raspiTest } from 'vitest-raspi'

// A node that is enrolled beside a Pi that is up, from nothing on its card to a system and back.
const test = raspiTest({
  hosts: {
    controller00: { networks: ['pxe'] },
    compute00: { networks: ['pxe'], state: 'enrolled' },
  },
})

test('a node is enrolled, made available, deployed, cleaned, and deployed afresh', {
  timeout: 600_000,
}, async ({ pis, ansible }) => {
  const { controller00, compute00 } = pis
  const { provision } = compute00
  expect(await provision.state()).toBe('enroll')
  expect(await controller00.provision.state()).toBe('active')
  expect(await compute00.power.state()).toBe('off')
  await expect(compute00.run('true')).rejects.toThrow('is off: nothing is deployed on it')
  await expect(compute00.power.on()).rejects.toThrow('cannot be switched on: nothing is deployed on it')
  await expect(provision.deploy()).rejects.toThrow('its state is "enroll"')

  await provision.provide()
  expect(await provision.deploy()).toMatchObject({ origin: 'thawed' })
  expect(await provision.state()).toBe('active')
  expect(await compute00.power.state()).toBe('on')
  await controller00.run('ping -n -c 2 compute00.pxe')
  expect(await ansible.module('command', { cmd: 'touch /etc/deployed' })).toSucceed()
  await expect(compute00).toHaveFile('/etc/deployed')
  // It boots from the card that it was given.
  await compute00.run('sync')
  await compute00.power.cycle()
  await expect(compute00).toHaveFile('/etc/deployed')
  await expect(provision.deploy()).rejects.toThrow('Wipe its card first')

  await provision.clean()
  expect(await provision.state()).toBe('available')
  expect(await compute00.power.state()).toBe('off')
  await expect(compute00.power.on()).rejects.toThrow('nothing is deployed on it')

  await provision.deploy()
  await expect(compute00).not.toHaveFile('/etc/deployed')
  await expect(controller00).toHaveFile('/etc/deployed')
  await controller00.run('ping -n -c 2 compute00.pxe')
})
