import { expect, raspiTest } from 'vitest-raspi'

// The first run builds an image of its own, from Debian's mirror, for five minutes or more: only who asks for it has it.
// VITEST_RASPI_TEST_ARMHF=no-security is for mirrors whose security updates for armhf are out of step.
const wanted = process.env.VITEST_RASPI_TEST_ARMHF

const site = 'test/fixtures/system/site.yml'
const test = raspiTest({
  image: { name: 'debian-12-armhf', securityUpdates: wanted !== 'no-security' },
})

test.skipIf(!wanted)(
  'a Pi with 32-bit programs on its 64-bit kernel runs a playbook, and boots cold',
  {
    timeout: 1_800_000,
  },
  async ({ pi, ansible }) => {
    const { stdout } = await pi.run('uname -m; dpkg --print-architecture; getconf LONG_BIT')
    expect(stdout).toBe('aarch64\narmhf\n32\n')
    expect(await ansible.playbook(site)).toSucceed()
    await expect(pi).toHaveNoFailedUnits()
    await pi.reboot({ timeoutMs: 600_000 })
    await expect(pi).toHaveHostname(pi.hostname)
    expect(await ansible.playbook(site)).toBeIdempotent()
  },
)
