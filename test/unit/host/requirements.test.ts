import { expect, test } from 'vitest'
import { checkLine } from '../../../src/host/check.ts'
import {
  ansiblePrograms,
  assertHost,
  assertNeeds,
  check,
  requirementsFor,
} from '../../../src/host/requirements.ts'
import { fakeHost } from './fake-host.ts'

const everything = (context: Parameters<typeof check>[1]) =>
  check([...requirementsFor('run', context), ...requirementsFor('build', context)], context)

test('a host that has everything passes, and its programs are given by path and version', async () => {
  const { context, root } = fakeHost()
  expect((await everything(context)).map(({ status }) => status)).toEqual(Array(24).fill('ok'))
  expect(await assertHost(['run', 'build'], context)).toEqual({
    qemu: `${root}/usr/bin/qemu-system-aarch64`,
    qemuVersion: '8.2.2',
    qemuImg: `${root}/usr/bin/qemu-img`,
    ssh: `${root}/usr/bin/ssh`,
    ansiblePlaybook: `${root}/usr/bin/ansible-playbook`,
    ansibleVersion: '2.16.3',
  })
})

test('a missing ansible-playbook stops a run with its line and its remedy alone', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/ansible-playbook')
  const error = await assertHost(['run'], context).catch((thrown) => thrown)
  expect(error).toMatchObject({ name: 'RaspiError', kind: 'host' })
  expect(error.message.split('\n')).toEqual([
    'Nothing was started, because this host lacks what it needs: ansible-playbook.',
    '  `npx vitest-raspi doctor --fix` installs what a package manager has; each line tells what else to do.',
    'missing  ansible-playbook        (runs your playbooks) → apt-get install ansible-core',
  ])
})

test('where Ansible runs in a container, a host without is no worse', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/ansible-playbook')
  const without = await assertHost(['run'], context, { without: ansiblePrograms })
  expect(without).toMatchObject({ ansiblePlaybook: '', ansibleVersion: '' })
  const told = { ...context, env: { ...context.env, VITEST_RASPI_ANSIBLE_CONTAINER: 'true' } }
  expect(requirementsFor('run', told)).not.toContain('ansiblePlaybook')
  expect(requirementsFor('run', told)).not.toContain('mitogen')
})

test('of some needs alone, what else is missing stops nothing', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/mmdebstrap')
  expect(await assertNeeds(['xz', 'qemuImg'], context)).toMatchObject([{ name: 'xz' }, { name: 'qemu-img' }])
  remove('/usr/bin/xz')
  await expect(assertNeeds(['xz', 'qemuImg'], context)).rejects.toThrow('lacks what it needs: xz.')
})

test('of two copies of QEMU with the older first on PATH, the message names both and how to take the newer', async () => {
  const { context, program } = fakeHost()
  const old = program(
    '/usr/bin/qemu-system-aarch64',
    'QEMU emulator version 6.2.0 (Debian 1:6.2+dfsg-2ubuntu6)',
  )
  const newer = program('/opt/qemu/bin/qemu-system-aarch64', 'QEMU emulator version 10.0.2')
  const dir = newer.replace(/\/[^/]+$/, '')
  const twoCopies = { ...context, env: { PATH: `${context.env.PATH}:${dir}` } }
  const [qemu] = await check(['qemu'], twoCopies)
  expect(qemu && checkLine(qemu)).toBe(
    `too old  qemu-system-aarch64     6.2.0, ${old}; 7.2 or later is needed → ${newer} is 10.0.2, new enough: ` +
      `put ${dir} first in PATH, or set VITEST_RASPI_QEMU=${newer}`,
  )
  await expect(assertHost(['run'], twoCopies)).rejects.toThrow(
    /lacks what it needs: qemu-system-aarch64\..*6\.2\.0/s,
  )

  const chosen = { ...twoCopies, env: { ...twoCopies.env, VITEST_RASPI_QEMU: newer } }
  expect(await assertHost(['run'], chosen)).toMatchObject({ qemu: newer, qemuVersion: '10.0.2' })
})

test('a QEMU that is too old with no newer copy is to be upgraded', async () => {
  const { context, program } = fakeHost()
  program('/usr/bin/qemu-system-aarch64', 'QEMU emulator version 5.2.0')
  const [qemu] = await check(['qemu'], context)
  expect(qemu).toMatchObject({ status: 'too old', version: '5.2.0', packages: ['qemu-system-arm'] })
  expect(qemu?.remedy).toContain('where that brings no later one: https://www.qemu.org/download/')
})

test.for([
  [
    '/nowhere/qemu-system-aarch64',
    /^missing .* \/nowhere\/qemu-system-aarch64 by VITEST_RASPI_QEMU is not a program → let VITEST_RASPI_QEMU/,
  ],
  [
    '/usr/bin/old-qemu',
    /^too old .* 4\.1\.0, .*old-qemu by VITEST_RASPI_QEMU; 7\.2 or later is needed → let VITEST_RASPI_QEMU/,
  ],
  [
    '/usr/bin/broken-qemu',
    /^missing .*broken-qemu by VITEST_RASPI_QEMU tells no version: libfoo\.so: cannot open → let VITEST_RASPI_QEMU/,
  ],
] as const)('VITEST_RASPI_QEMU=%s is not replaced by the good QEMU on PATH', async ([name, line]) => {
  const { context, program, root } = fakeHost()
  program('/usr/bin/old-qemu', 'QEMU emulator version 4.1.0')
  program('/usr/bin/broken-qemu', 'libfoo.so: cannot open')
  const chosen = name.startsWith('/usr') ? root + name : name
  const [qemu] = await check(['qemu'], { ...context, env: { ...context.env, VITEST_RASPI_QEMU: chosen } })
  expect(qemu && checkLine(qemu)).toMatch(line)
  expect(qemu).not.toHaveProperty('packages')
})

test('an Ansible from before 2.14 is too old, also in its old way to tell its version', async () => {
  const { context, program } = fakeHost()
  program('/usr/bin/ansible-playbook', 'ansible-playbook 2.9.27')
  expect(await check(['ansiblePlaybook'], context)).toMatchObject([{ status: 'too old', version: '2.9.27' }])
})

test('an Ansible that is there but fails is to be repaired, as installing it again would change nothing', async () => {
  const { context, root, script } = fakeHost()
  script('/usr/bin/ansible-playbook', 'echo "ERROR: Unable to create local directories" >&2; exit 5')
  const [ansible] = await check(['ansiblePlaybook'], context)
  const path = `${root}/usr/bin/ansible-playbook`
  expect(ansible).toEqual({
    name: 'ansible-playbook',
    group: 'run',
    status: 'missing',
    found: `${path} tells no version: ERROR: Unable to create local directories`,
    remedy: `make \`${path} --version\` work, or install it anew: apt-get install ansible-core`,
  })
})

test("BusyBox's setpriv does not count", async () => {
  const { context, program } = fakeHost()
  program('/usr/bin/setpriv', 'setpriv: unrecognized option: version')
  expect(await check(['setpriv'], context)).toMatchObject([
    { status: 'missing', found: expect.stringContaining('unrecognized option') },
  ])
})

test('a program that only root has on PATH is found in /usr/sbin', async () => {
  const { context, root, remove, program } = fakeHost()
  remove('/usr/bin/mke2fs')
  program('/usr/sbin/mke2fs', 'mke2fs 1.47.0 (5-Feb-2023)')
  expect(await check(['mke2fs'], context)).toMatchObject([{ status: 'ok', path: `${root}/usr/sbin/mke2fs` }])
})

test("Debian 13's qemu-aarch64 serves in place of qemu-aarch64-static", async () => {
  const { context, remove, program } = fakeHost()
  remove('/usr/bin/qemu-aarch64-static')
  program('/usr/bin/qemu-aarch64', 'qemu-aarch64 version 10.0.8')
  expect(await check(['qemuUser'], context)).toMatchObject([{ status: 'ok', version: '10.0.8' }])
})

test('what only the image builder needs does not keep a run from starting', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/mmdebstrap')
  await expect(assertHost(['run'], context)).resolves.toBeDefined()
  await expect(assertHost(['run', 'build'], context)).rejects.toThrow('lacks what it needs: mmdebstrap.')
})

test('programs of 32 bits are registered for who builds an image of them, and good to have else', async () => {
  const host = fakeHost()
  host.remove('/proc/sys/fs/binfmt_misc/qemu-arm')
  const ofDoctor = await check(requirementsFor('build', host.context), host.context)
  expect(ofDoctor.find(({ name }) => name === 'binfmt for armhf')).toMatchObject({ status: 'warning' })
  await expect(assertHost(['run', 'build'], host.context)).resolves.toBeDefined()
  await expect(assertHost(['run', 'build'], host.context, { architecture: 'armhf' })).rejects.toThrow(
    'lacks what it needs: binfmt for armhf.',
  )
})

test('without fdtoverlay tests run, but the doctor warns', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/fdtoverlay')
  await expect(assertHost(['run'], context)).resolves.toBeDefined()
  expect(await check(['fdtoverlay'], context)).toMatchObject([
    { status: 'warning', packages: ['device-tree-compiler'] },
  ])
})

test('an arm64 host needs no emulation to build, whoever is not root needs what stands in for it', () => {
  const { context } = fakeHost({ arch: 'arm64', uid: 1000 })
  const needs = requirementsFor('build', context)
  expect(needs).toEqual(expect.arrayContaining(['newuidmap', 'unshare']))
  expect(requirementsFor('build', { ...context, uid: 0 })).not.toContain('unshare')
  for (const need of ['qemuUser', 'archTest', 'binfmt']) expect(needs).not.toContain(need)
})

test('a Mac is told where to build the image', async () => {
  const { context } = fakeHost({ platform: 'darwin', arch: 'arm64' })
  expect(requirementsFor('run', context)).not.toContain('setpriv')
  expect(await check(requirementsFor('build', context), context)).toMatchObject([
    { status: 'missing', remedy: expect.stringContaining('build the image on Linux') },
  ])
})

test('ipmi_sim is needed only where Pis are to have BMCs, and the doctor that installs it is named', async () => {
  const { context, remove } = fakeHost()
  await expect(assertHost(['run', 'bmc'], context)).resolves.toBeDefined()
  remove('/usr/bin/ipmi_sim')
  await expect(assertHost(['run', 'build'], context)).resolves.toBeDefined()
  const error = await assertHost(['run', 'bmc'], context).catch((thrown) => thrown)
  expect(error.message.split('\n')).toEqual([
    'Nothing was started, because this host lacks what it needs: ipmi_sim.',
    '  `npx vitest-raspi doctor --for bmc --fix` installs what a package manager has; each line tells what else to do.',
    'missing  ipmi_sim                (is the BMC of a Pi) → apt-get install openipmi',
  ])
  remove('/usr/bin/ssh')
  await expect(assertHost(['run', 'bmc'], context)).rejects.toThrow('`npx vitest-raspi doctor --fix`')
})

test('the version of a program is read whatever language the user speaks', async () => {
  const { context, script } = fakeHost()
  script('/usr/bin/dnsmasq', '[ "$LANGUAGE" = C ] && echo Dnsmasq version 2.90 || echo Dnsmasq, wersja 2.90')
  const polish = { ...context, env: { ...context.env, LANG: 'pl_PL.UTF-8', LANGUAGE: 'pl' } }
  expect(await check(requirementsFor('dhcp', polish), polish)).toMatchObject([
    { status: 'ok', version: '2.90' },
  ])
})

test('dnsmasq is needed only where networks are to have DHCP', async () => {
  const { context, root, remove } = fakeHost()
  expect(await check(requirementsFor('dhcp', context), context)).toMatchObject([
    { name: 'dnsmasq', status: 'ok', version: '2.90', path: `${root}/usr/bin/dnsmasq` },
  ])
  remove('/usr/bin/dnsmasq')
  await expect(assertHost(['run', 'build', 'bmc'], context)).resolves.toBeDefined()
  await expect(assertHost(['run', 'dhcp'], context)).rejects.toThrow(
    /lacks what it needs: dnsmasq\.\n.*doctor --for dhcp --fix.*\nmissing .* apt-get install dnsmasq-base/,
  )
})
