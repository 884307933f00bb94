import { expect, test } from 'vitest-raspi'
import { onVirt } from '../support/board.ts'

test('a playbook runs on a fresh Pi', async ({ pi, ansible }) => {
  const compatible = (await pi.readFile('/proc/device-tree/compatible')).split('\0')
  expect(compatible).toContain(onVirt ? 'linux,dummy-virt' : 'raspberrypi,3-model-b')
  const run = await ansible.playbook('test/fixtures/system/site.yml', { diff: true })
  expect(run).toSucceed()
  await expect(pi).toHaveFile('/etc/motd', { contains: 'tested' })
  expect(await ansible.playbook('test/fixtures/system/site.yml')).toBeIdempotent()
})

test('the next test has another Pi', async ({ pi }) => {
  await expect(pi).not.toHaveFile('/etc/motd', { contains: 'tested' })
})
