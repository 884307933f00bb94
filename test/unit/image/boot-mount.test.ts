import { expect, test } from 'vitest'
import { bootMountOf, dividedFiles } from '../../../src/image/boot-mount.ts'

test.for([
  ['proc /proc proc defaults 0 0\nPARTUUID=1-01  /boot/firmware  vfat  defaults 0 2\n', '/boot/firmware'],
  ['PARTUUID=1-01  /boot  vfat  defaults  0  2\nPARTUUID=1-02  /  ext4  defaults  0  1\n', '/boot'],
  ['PARTUUID=1-02  /  ext4  defaults  0  1\n#PARTUUID=1-01 /boot vfat\n', '/boot/firmware'],
  [undefined, '/boot/firmware'],
] as const)('the boot part is where fstab has it: %j', ([fstab, mount]) => {
  expect(bootMountOf(fstab)).toBe(mount)
})

test('what is seen below it lies on the boot part, by its path there', () => {
  const files = [
    '/boot/firmware/config.txt',
    '/boot/firmware/overlays/own.dtbo',
    '/boot/other',
    '/etc/motd',
  ].map((path) => ({ path, text: path }))
  expect(dividedFiles(files, '/boot/firmware')).toEqual({
    boot: {
      'config.txt': '/boot/firmware/config.txt',
      'overlays/own.dtbo': '/boot/firmware/overlays/own.dtbo',
    },
    root: [
      { path: '/boot/other', text: '/boot/other' },
      { path: '/etc/motd', text: '/etc/motd' },
    ],
  })
  expect(Object.keys(dividedFiles(files, '/boot').boot)).toEqual([
    ...['firmware/config.txt', 'firmware/overlays/own.dtbo', 'other'],
  ])
})
