import { expect, test } from 'vitest'
import { recipeOf } from '../../../src/image/catalogue.ts'
import { recipeId } from '../../../src/image/recipe.ts'
import { withSteps } from '../../../src/image/steps.ts'

const debian = () => recipeOf('debian-12-arm64', 'ssh-ed25519 AAAA test')

test('the same recipe has the same id, of 64 hexadecimal digits', () => {
  expect(recipeId(debian())).toMatch(/^[0-9a-f]{64}$/)
  expect(recipeId(debian())).toBe(recipeId(debian()))
})

test.each([
  ['a package', { packages: ['systemd'] }],
  ['a file', { files: [] }],
  ['a script', { finish: 'true\n' }],
  ['the layout', { layout: { ...debian().layout, bootBytes: 512 * 1024 * 1024 } }],
])('%s more or less makes another image', (_, change) => {
  expect(recipeId({ ...debian(), ...change })).not.toBe(recipeId(debian()))
})

test('without security updates it is another image, with them it is the same as by default', () => {
  expect(recipeId(withSteps(debian(), { securityUpdates: false }))).not.toBe(recipeId(debian()))
  expect(recipeId(withSteps(debian(), { securityUpdates: true }))).toBe(recipeId(debian()))
})

test('another key makes another image', () => {
  expect(recipeId(recipeOf('debian-12-arm64', 'ssh-ed25519 BBBB test'))).not.toBe(recipeId(debian()))
})

test('an unknown image is refused with the names there are', () => {
  expect(() => recipeOf('debian-13-arm64', '')).toThrow(
    'Image "debian-13-arm64" is not known.\n  There is: debian-12-arm64, debian-12-armhf.',
  )
})

test('fstab and the command line name the parts of the disk id', () => {
  const { files, layout } = debian()
  const text = (path: string) => files.find((file) => file.path === path)?.text
  expect(text('/etc/fstab')).toContain(`PARTUUID=${layout.diskId}-01  /boot/firmware`)
  expect(text('/boot/firmware/cmdline.txt')).toContain(` root=PARTUUID=${layout.diskId}-02 `)
})

test('the kernel command line is a single line', () => {
  const cmdline = debian().files.find(({ path }) => path === '/boot/firmware/cmdline.txt')?.text
  expect(cmdline?.trimEnd().split('\n')).toHaveLength(1)
})

test('the card is a power of two in size, as QEMU wants it', () => {
  expect(Math.log2(debian().layout.cardBytes) % 1).toBe(0)
})
