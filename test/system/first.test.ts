import { expect, test } from 'vitest-raspi'

test('a playbook runs on a fresh Pi', async ({ pi, ansible }) => {
  expect(await pi.readFile('/proc/device-tree/model')).toContain('Raspberry Pi 3 Model B')
  const run = await ansible.playbook('test/fixtures/system/site.yml', { diff: true })
  expect(run).toSucceed()
  await expect(pi).toHaveFile('/etc/motd', { contains: 'tested' })
  expect(await ansible.playbook('test/fixtures/system/site.yml')).toBeIdempotent()
})

test('the next test has another Pi', async ({ pi }) => {
  await expect(pi).not.toHaveFile('/etc/motd', { contains: 'tested' })
})
