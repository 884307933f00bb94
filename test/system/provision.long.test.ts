import { expect, raspiTest } from 'vitest-raspi'

const test = raspiTest({ hosts: { compute00: { state: 'enrolled' } } })

test('a node is deployed with another image than its own', { timeout: 1_200_000 }, async ({
  pi,
  ansible,
}) => {
  await pi.provision.provide()
  const image = { name: 'debian-12-arm64', files: { '/etc/flavour': 'another\n' } }
  await pi.provision.deploy({ image })
  await expect(pi).toHaveFile('/etc/flavour', { content: 'another\n' })
  expect(await ansible.module('ping')).toSucceed()
  await pi.provision.clean()
  await pi.provision.deploy()
  await expect(pi).not.toHaveFile('/etc/flavour')
  expect(await ansible.module('ping')).toSucceed()
})
