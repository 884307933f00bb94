import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest-raspi'

const makePackage = fileURLToPath(new URL('../fixtures/system/make-kernel-package.py', import.meta.url))

test('a second kernel that apt installs is the one that runs after the reboot, with its own device tree', {
  timeout: 900_000,
}, async ({ pi }) => {
  const run = async (command: string) =>
    (await pi.run(command, { sudo: true, timeoutMs: 600_000 })).stdout.trim()
  const release = await run('uname -r')
  await pi.writeFile('/root/make-kernel-package.py', await readFile(makePackage))
  const [version = '', file] = (await run('python3 /root/make-kernel-package.py')).split(' ')
  expect(version).not.toBe(release)
  await run(`DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${file}`)
  await expect(pi).toHavePackage(`linux-image-${version}`)
  // Not before the reboot.
  expect(await run('uname -r')).toBe(release)

  await pi.reboot({ timeoutMs: 600_000 })
  expect(await run('uname -r')).toBe(version)
  expect(await pi.readFile('/proc/device-tree/model')).toContain('Raspberry Pi 3 Model N')
  expect(await run('modinfo -n ext4')).toBe(`/lib/modules/${version}/kernel/fs/ext4/ext4.ko`)
  await expect(pi).toHaveKernelModule('ext4')
})
