import { totalmem } from 'node:os'
import { beforeEach, expect, test, vi } from 'vitest'
import { availableMemory } from '../../../src/host/memory.ts'
import { fakeHost } from './fake-host.ts'

const MiB = 2 ** 20

beforeEach(() => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(4 * MiB)
  vi.spyOn(process, 'availableMemory').mockReturnValue(MiB)
})

function hostWith(groups: string, stats: Record<string, string>): string {
  const { root, file } = fakeHost()
  file('/proc/self/cgroup', groups)
  for (const [dir, stat] of Object.entries(stats)) file(`/sys/fs/cgroup/${dir}/memory.stat`, stat)
  return root
}

const stat = `anon ${MiB}\nfile ${3 * MiB}\nactive_file ${MiB / 2}\ninactive_file ${MiB}\n`
const legacyStat = `cache 0\ninactive_file 1\ntotal_active_file ${MiB / 2}\ntotal_inactive_file ${MiB}\n`

test.for([
  ['of its cgroup', '0::/ci/job\n', { '.': 'inactive_file 1\n', 'ci/job': stat }],
  ['at the top of a namespace', '0::/\n', { '.': stat }],
  ['of its cgroup of version 1', '4:memory:/ci\n1:cpu:/\n0::/\n', { 'memory/ci': legacyStat, '.': stat }],
  ['seen from the host', '4:memory:/docker/0a\n', { memory: legacyStat }],
] as const)('within a limit what is kept of files counts as available: %s', ([, groups, stats]) => {
  expect(availableMemory(hostWith(groups, stats))).toBe(2.5 * MiB)
})

test('a limit without figures leaves what it leaves', () => {
  expect(availableMemory(hostWith('0::/\n', {}))).toBe(MiB)
})

test('a limit leaves no more than the system has', () => {
  const files = `inactive_file ${2 * totalmem()}\n`
  expect(availableMemory(hostWith('0::/\n', { '.': files }))).toBeLessThanOrEqual(totalmem())
})

test.for([0, 2 ** 63, 2 * totalmem()])('with %d for a limit there is none, and nothing is added', (limit) => {
  vi.mocked(process.constrainedMemory).mockReturnValue(limit)
  expect(availableMemory(hostWith('0::/\n', { '.': stat }))).toBe(MiB)
})
