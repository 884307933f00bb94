import { expect, test } from 'vitest'
import { checkBinfmt, registerCommands } from '../../../src/host/binfmt.ts'
import { shown } from '../../../src/host/packages.ts'
import { type FakeHost, fakeHost } from './fake-host.ts'

const entry = '/proc/sys/fs/binfmt_misc/qemu-aarch64'
const commands = ({ context }: FakeHost) => registerCommands(context, 'arm64').map(shown)

test('a registered entry names its interpreter and needs no command', () => {
  const host = fakeHost()
  expect(checkBinfmt(host.context, 'arm64')).toMatchObject({
    status: 'ok',
    found: 'runs /usr/bin/qemu-aarch64-static',
  })
  expect(commands(host)).toEqual([])
})

test('an entry that is disabled is enabled again', () => {
  const host = fakeHost()
  host.file(entry, 'disabled\n')
  expect(checkBinfmt(host.context, 'arm64')).toMatchObject({
    status: 'missing',
    found: `${entry} is disabled`,
  })
  expect(commands(host)).toEqual([`sh -c 'echo 1 > ${entry}'`])
})

test('systemd registers a missing entry where it runs', () => {
  const host = fakeHost({ uid: 1000 })
  host.remove(entry)
  host.file('/run/systemd/system/x', '')
  expect(commands(host)).toEqual(['sudo systemctl restart systemd-binfmt'])
})

test('without systemd the file system is mounted and the line is written, as in a container', () => {
  const host = fakeHost()
  host.remove(entry)
  const register = 'grep ^: /usr/lib/binfmt.d/qemu-aarch64.conf > /proc/sys/fs/binfmt_misc/register'
  expect(commands(host)).toEqual([`sh -c '${register}'`])
  host.remove('/proc/sys/fs/binfmt_misc/register')
  const mount = 'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc'
  // What is there turns out as soon as that is mounted.
  const unlessThere = `sh -c '[ -e ${entry} ] || ${register}'`
  expect(commands(host)).toEqual([mount, unlessThere])
  expect(checkBinfmt(host.context, 'arm64').remedy).toBe(`${mount} && ${unlessThere}`)
})

test('without qemu-user there is nothing to register yet', () => {
  const host = fakeHost()
  host.remove(entry)
  host.remove('/usr/lib/binfmt.d/qemu-aarch64.conf')
  expect(commands(host)).toEqual([])
  expect(checkBinfmt(host.context, 'arm64').remedy).toContain('install qemu-user')
})

test('armhf has an entry of its own', () => {
  const host = fakeHost()
  expect(checkBinfmt(host.context, 'armhf')).toMatchObject({ name: 'binfmt for armhf', status: 'ok' })
  host.remove('/proc/sys/fs/binfmt_misc/qemu-arm')
  expect(checkBinfmt(host.context, 'armhf')).toMatchObject({
    status: 'missing',
    found: '(lets the image builder run armhf programs)',
    remedy: "sh -c 'grep ^: /usr/lib/binfmt.d/qemu-arm.conf > /proc/sys/fs/binfmt_misc/register'",
  })
})
