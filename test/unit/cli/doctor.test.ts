import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { type DoctorOptions, doctor } from '../../../src/cli/doctor.ts'
import type { HostContext } from '../../../src/host/context.ts'
import { fakeHost } from '../host/fake-host.ts'

async function run(options: DoctorOptions, context: HostContext) {
  const out: string[] = []
  const err: string[] = []
  const exitCode = await doctor(options, context, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  })
  return { exitCode, out: stripVTControlCharacters(out.join('\n')), err }
}

test('on a host that has everything, each thing has one line and the exit code is 0', async () => {
  const { context } = fakeHost()
  const { exitCode, out } = await run({}, context)
  expect(exitCode).toBe(0)
  expect(out).toMatch(
    /^Debian GNU\/Linux 12 \(bookworm\), x64, packages by apt\n\nTo run tests\n {2}ok {7}qemu-system-aarch64 /,
  )
  expect(out.match(/^ {2}ok /gm)).toHaveLength(24)
  expect(out).toMatch(/\nNothing is missing\.$/)
})

test('what is missing is counted, and --fix is offered where it would help', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/ansible-playbook')
  remove('/usr/bin/mmdebstrap')
  const { exitCode, out } = await run({}, context)
  expect(exitCode).toBe(1)
  expect(out).toMatch(/2 things are lacking\. `npx vitest-raspi doctor --fix` installs what it can/)
  expect(await run({ for: 'run' }, context)).toMatchObject({ out: expect.not.stringContaining('mmdebstrap') })
})

test('where Pis run in containers, a host without QEMU lacks nothing', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/qemu-system-aarch64')
  const told = { ...context, env: { ...context.env, VITEST_RASPI_ENGINE: 'docker' } }
  const { exitCode, out } = await run({ for: 'run' }, told)
  expect(exitCode).toBe(0)
  expect(out).not.toContain('qemu')
  expect(await run({ for: 'run' }, context)).toMatchObject({ exitCode: 1 })
})

test('--fix is not offered for what it cannot install', async () => {
  const { context } = fakeHost({ freeSpace: async () => 0 })
  const { out } = await run({ for: 'run' }, context)
  expect(out).toMatch(/One thing is lacking\. The arrows \(→\) tell what to do by hand\.$/)
})

test('a warning is shown, but nothing is lacking by it', async () => {
  const { context } = fakeHost({ cores: 1 })
  const { exitCode, out } = await run({}, context)
  expect(out).toMatch(/^ {2}warning {2}cores /m)
  expect(exitCode).toBe(0)
})

test('--fix installs, looks again and tells what the host has then', async () => {
  const { context, remove, script, root } = fakeHost()
  remove('/usr/bin/ssh')
  script(
    '/usr/bin/env',
    `printf '#!/bin/sh\\necho OpenSSH_9.6p1\\n' > "${root}/usr/bin/ssh"; /bin/chmod +x "${root}/usr/bin/ssh"`,
  )
  const { exitCode, out, err } = await run({ fix: true, json: true }, context)
  expect(exitCode).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ ok: true })
  expect(err).toEqual(['$ apt-get update', expect.stringContaining('openssh-client')])
})

test('--json gives the same findings as data, without colours', async () => {
  const { context, remove, root } = fakeHost()
  remove('/usr/bin/qemu-img')
  const { exitCode, out } = await run({ json: true, for: 'run' }, context)
  const report = JSON.parse(out)
  expect(exitCode).toBe(1)
  expect(report).toMatchObject({ ok: false, system: 'Debian GNU/Linux 12 (bookworm)', packageManager: 'apt' })
  expect(report.checks[0]).toEqual({
    name: 'qemu-system-aarch64',
    group: 'run',
    status: 'ok',
    found: `8.2.2, ${root}/usr/bin/qemu-system-aarch64`,
    path: `${root}/usr/bin/qemu-system-aarch64`,
    version: '8.2.2',
  })
  expect(report.checks[1]).toMatchObject({ name: 'qemu-img', status: 'missing', packages: ['qemu-utils'] })
})

test('what BMCs need is looked at only when that is asked for', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/ipmi_sim')
  expect(await run({}, context)).toMatchObject({ exitCode: 0, out: expect.not.stringContaining('ipmi_sim') })
  const { exitCode, out } = await run({ for: 'bmc' }, context)
  expect(exitCode).toBe(1)
  expect(out).toMatch(/\n {2}missing {2}ipmi_sim .*→ apt-get install openipmi\n/)
})
