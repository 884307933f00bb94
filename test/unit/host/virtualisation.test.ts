import { expect, test } from 'vitest'
import { checkVirtualisation } from '../../../src/host/virtualisation.ts'
import { fakeHost } from './fake-host.ts'

test.for([
  ['Virtualization:  AMD-V', 'lscpu shows AMD-V'],
  ['Hypervisor vendor:  KVM', 'lscpu shows neither VT-x nor AMD-V (this is a guest of KVM)'],
] as const)('on x86, what lscpu tells as "%s" is for information', async ([said, found]) => {
  const { context, program } = fakeHost()
  program('/usr/bin/lscpu', said)
  expect(await checkVirtualisation(context)).toEqual({
    name: 'virtualisation',
    group: 'run',
    status: 'ok',
    found: `${found}; Arm is emulated on this host, KVM is not needed`,
  })
})

test('a host without lscpu passes', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/lscpu')
  expect(await checkVirtualisation(context)).toMatchObject({
    status: 'ok',
    found: expect.stringContaining('lscpu is missing'),
  })
})

test('on arm64 it tells whether /dev/kvm opens', async () => {
  const { context, file } = fakeHost({ arch: 'arm64' })
  expect(await checkVirtualisation(context)).toMatchObject({
    status: 'warning',
    found: '/dev/kvm does not open: ENOENT',
  })
  file('/dev/kvm', '')
  expect(await checkVirtualisation(context)).toMatchObject({ status: 'ok', found: '/dev/kvm opens' })
})
