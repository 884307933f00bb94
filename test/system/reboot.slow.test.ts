import { expect, test } from 'vitest-raspi'
import { onVirt } from '../support/board.ts'
import { blobOf } from '../unit/firmware/trees.ts'

const playbook = 'test/fixtures/system/reboot.yml'

/** An overlay that adds a node to the tree's root. */
const overlay = blobOf({
  compatible: 'brcm,bcm2835',
  'fragment@0': { 'target-path': '/', __overlay__: { 'vitest-raspi-tested': { status: 'okay' } } },
})

// QEMU makes the device tree of `virt`, which knows nothing of config.txt; boards.long.test.ts has its reboot.
test.skipIf(onVirt)(
  'a playbook changes cmdline.txt and config.txt, and what it changes counts from its reboot on',
  {
    timeout: 900_000,
  },
  async ({ pi, ansible }) => {
    const statusOf = (node: string) => `tr -d '\\0' < /proc/device-tree/soc/${node}/status; echo`
    // Mainline's device tree has I2C on already, as this one is; SPI it has off.
    const look = [
      'cat /proc/sys/kernel/random/boot_id',
      statusOf('spi@7e204000'),
      statusOf('i2c@7e804000'),
    ].join('; ')
    const boot = async () => (await pi.run(look)).stdout.trim().split('\n')
    await pi.run('mkdir -p /boot/firmware/overlays', { sudo: true })
    await pi.writeFile('/boot/firmware/overlays/tested.dtbo', overlay)
    const [before] = await boot()

    // A test that forgets the reboot fails.
    expect(await ansible.playbook(playbook, { skipTags: 'reboot' })).toSucceed()
    await expect(pi).toHaveBootConfig('dtparam=i2c_arm=on')
    await expect(pi).not.toHaveKernelParameter('cgroup_memory=1')
    await expect(pi).not.toHaveFile('/proc/device-tree/vitest-raspi-tested')
    expect(await boot()).toEqual([before, 'disabled', 'okay'])
    await expect(expect(pi).toHaveKernelParameter('cgroup_memory=1')).rejects.toThrow()

    const run = await ansible.playbook(playbook)
    expect(run).toSucceed()
    expect(run).toHaveChanged(1)
    expect(run).toHaveRunTask('Boot with it', { status: 'changed' })
    await expect(pi).toHaveKernelParameter('cgroup_memory=1')
    await expect(pi).toHaveKernelParameter('cgroup_enable=memory')
    await expect(pi).toHaveFile('/proc/device-tree/vitest-raspi-tested', { type: 'directory' })
    const [after, ...statuses] = await boot()
    expect(after).not.toBe(before)
    expect(statuses).toEqual(['okay', 'okay'])
    await expect(pi).toHaveHostname(pi.hostname)

    // The connection may break before the command has told that it went well.
    await pi.run('systemctl --no-block poweroff', { sudo: true }).catch(() => {})
    const off = new RegExp(`^RaspiError: Pi ${pi.hostname} is off: its system was shut down\\.$`)
    // Until it is off it may still take a command.
    await expect.poll(() => pi.run('true').then(String, String), { timeout: 90_000 }).toMatch(off)
    await expect(ansible.playbook(playbook)).rejects.toThrow(
      `Pi ${pi.hostname} is off: its system was shut down`,
    )
  },
)

test('a Pi whose card has no kernel any more does not come back from its reboot, and says so', {
  timeout: 300_000,
}, async ({ pi }) => {
  await pi.run('mv /boot/firmware/kernel8.img /boot/firmware/kernel8.old', { sudo: true })
  await expect(pi.reboot()).rejects.toThrow(
    `The card's boot part has no kernel for the board ${onVirt ? 'virt' : 'raspi3b'}, kernel8.img; it has`,
  )
})
