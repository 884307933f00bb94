import { expect, raspiTest } from 'vitest-raspi'

const site = 'test/fixtures/system/site.yml'

/** What tells what runs here: the kernel's machine, the programs', the memory in MiB, the cores, the card. */
const nature =
  "uname -m; dpkg --print-architecture; awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo; nproc; findmnt -no SOURCE /"

const virtTest = raspiTest({ board: { name: 'virt', memoryMiB: 2048, cores: 2 } })

virtTest(
  'virt has the memory and the cores that were wished, thaws, runs a playbook and reboots',
  {
    timeout: 900_000,
  },
  async ({ pi, ansible }) => {
    expect(pi.origin).toBe('thawed')
    const [machine, programs, memory, cores, card] = (await pi.run(nature)).stdout.split('\n')
    expect([machine, programs, cores, card]).toEqual(['aarch64', 'arm64', '2', '/dev/vda2'])
    expect(Number(memory)).toBeGreaterThan(1900)
    expect(Number(memory)).toBeLessThan(2048)
    await expect(pi).toHaveHostname(pi.hostname)
    expect(await ansible.playbook(site)).toSucceed()
    await pi.run("sed -i 's/$/ vitest_raspi.tested=1/' /boot/firmware/cmdline.txt", { sudo: true })
    await pi.reboot()
    await expect(pi).toHaveKernelParameter('vitest_raspi.tested=1')
    expect(await ansible.playbook(site)).toBeIdempotent()
  },
)

const smallTest = raspiTest({ board: 'raspi3ap' })

smallTest('a Raspberry Pi 3A+ thaws and runs a playbook', { timeout: 600_000 }, async ({ pi, ansible }) => {
  expect(pi.origin).toBe('thawed')
  expect(await pi.readFile('/proc/device-tree/model')).toContain('Raspberry Pi 3 Model A+')
  const [machine, , memory, cores] = (await pi.run(nature)).stdout.split('\n')
  expect([machine, cores]).toEqual(['aarch64', '4'])
  expect(Number(memory)).toBeLessThan(512)
  expect(await ansible.playbook(site)).toSucceed()
})
