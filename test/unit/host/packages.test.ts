import { expect, test } from 'vitest'
import {
  installByHand,
  installCommand,
  packageManager,
  refreshCommands,
  shown,
  systemName,
} from '../../../src/host/packages.ts'
import { fakeHost } from './fake-host.ts'

test.for([
  ['ID=ubuntu\nID_LIKE=debian', 'apt-get', 'apt'],
  ['ID=fedora', 'dnf', 'dnf'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'dnf', 'dnf'],
  ['ID=arch', 'pacman', 'pacman'],
  ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', 'zypper', 'zypper'],
] as const)('%j is served by %s, though apt is there too', async ([release, program, manager]) => {
  const host = fakeHost()
  host.file('/etc/os-release', release)
  host.program(`/usr/bin/${program}`, '')
  expect(await packageManager(host.context)).toBe(manager)
})

test('an unknown system is served by what it has, or by nothing', async () => {
  const host = fakeHost({ platform: 'darwin' })
  host.remove('/etc/os-release')
  host.remove('/usr/bin/apt-get')
  expect(await packageManager(host.context)).toBeUndefined()
  host.program('/usr/bin/brew', '')
  expect(await packageManager(host.context)).toBe('brew')
  expect(systemName(host.context)).toBe('macOS')
})

test.for([
  ['apt', 'sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends a b'],
  ['dnf', 'sudo dnf install -y a b'],
  ['pacman', 'sudo pacman -S --needed --noconfirm a b'],
  ['zypper', 'sudo zypper --non-interactive install --no-recommends a b'],
  ['brew', 'brew install a b'],
] as const)('%s asks no questions, and root needs no sudo', ([manager, command]) => {
  const { context } = fakeHost({ uid: 1000 })
  expect(shown(installCommand(manager, ['a', 'b'], context))).toBe(command)
  expect(shown(installCommand(manager, ['a', 'b'], { ...context, uid: 0 }))).toBe(
    command.replace('sudo ', ''),
  )
})

test.for([
  ['apt', 'sudo apt-get install a'],
  ['pacman', 'sudo pacman -S a'],
  ['brew', 'brew install a'],
] as const)('by hand %s needs fewer words', ([manager, command]) => {
  expect(installByHand(manager, ['a'], fakeHost({ uid: 1000 }).context)).toBe(command)
})

test('only apt has its lists refreshed first', () => {
  const { context } = fakeHost()
  expect(refreshCommands('apt', context)).toEqual([['apt-get', 'update']])
  expect(refreshCommands('dnf', context)).toEqual([])
})

test('a command is shown as a shell takes it', () => {
  expect(shown(['sh', '-c', "echo 'x' > y"])).toBe(`sh -c 'echo '\\''x'\\'' > y'`)
})
