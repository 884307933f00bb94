import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isLacking } from '../../../src/host/check.ts'
import { fix } from '../../../src/host/fix.ts'
import { check } from '../../../src/host/requirements.ts'
import { fakeHost } from './fake-host.ts'

test('one command installs all that is missing, each package once, and is shown before it runs', async () => {
  const host = fakeHost()
  const calls = join(host.root, 'calls')
  host.script('/usr/bin/apt-get', `echo "$@" >> "${calls}"`)
  host.script('/usr/bin/env', 'shift; exec "$@"')
  host.remove('/usr/bin/qemu-img')
  host.remove('/usr/bin/mcopy')
  const lacking = (await check(['qemu', 'qemuImg', 'mcopy', 'mcopy'], host.context)).filter(isLacking)
  const lines: string[] = []
  await fix(lacking, host.context, (line) => lines.push(line))
  expect(lines).toEqual([
    '$ apt-get update',
    '$ env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-utils mtools',
  ])
  expect(readFileSync(calls, 'utf8')).toBe('update\ninstall -y --no-install-recommends qemu-utils mtools\n')
})

test('the entry for arm64 is registered after its package has brought it', async () => {
  const host = fakeHost()
  const conf = '/usr/lib/binfmt.d/qemu-aarch64.conf'
  host.remove('/usr/bin/qemu-aarch64-static')
  host.remove('/proc/sys/fs/binfmt_misc/qemu-aarch64')
  host.remove(conf)
  host.script('/usr/bin/env', `echo :qemu-aarch64: > "${join(host.root, conf)}"`)
  host.script('/usr/bin/sh', `echo "$@" >> "${join(host.root, 'calls')}"`)
  const lacking = (await check(['qemuUser', 'binfmt'], host.context)).filter(isLacking)
  expect(lacking).toHaveLength(2)
  await fix(lacking, host.context, () => {})
  expect(readFileSync(join(host.root, 'calls'), 'utf8')).toBe(
    `-c grep ^: ${conf} > /proc/sys/fs/binfmt_misc/register\n`,
  )
})

test('a command that fails is named with its exit code', async () => {
  const host = fakeHost()
  host.remove('/usr/bin/ssh')
  host.script('/usr/bin/apt-get', 'exit 100')
  const lacking = await check(['ssh'], host.context)
  await expect(fix(lacking, host.context, () => {})).rejects.toThrow(/`apt-get update` failed: exit code 100/)
})

test('whoever is not root and has no sudo is told so', async () => {
  const host = fakeHost({ uid: 1000 })
  host.remove('/usr/bin/ssh')
  const lacking = await check(['ssh'], host.context)
  await expect(fix(lacking, host.context, () => {})).rejects.toThrow(
    '`sudo apt-get update` could not be run: there is no sudo on this host.\n  Run the doctor as root',
  )
})

test('where the kernel does not let itself be told, as in a container, the host is named as the place', async () => {
  const host = fakeHost()
  host.remove('/proc/sys/fs/binfmt_misc/qemu-aarch64')
  host.script('/usr/bin/sh', 'exit 1')
  const lacking = await check(['binfmt'], host.context)
  await expect(fix(lacking, host.context, () => {})).rejects.toThrow(
    /exit code 1\..*do it on its host: docker run/s,
  )
})
