import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { processId } from '../../../src/host/process.ts'
import { claim, freePorts } from '../../../src/standing/claim.ts'
import { type LabEntry, Registry, thisProcess } from '../../../src/standing/registry.ts'
import { entryOf } from './entries.ts'

let registry: Registry
const firstPort = 42_622

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'claim-'))
  registry = new Registry(dir)
  onTestFinished(() => rmSync(dir, { recursive: true }))
})

test('names and ports are new ones beside those of living labs, and written down', async () => {
  // The process that has started this one lives at least as long.
  registry.write(
    entryOf(registry.dir, {
      process: { pid: process.ppid, startTime: startTimeOf(process.ppid) },
      pis: [{ name: 'boreas', sshPort: firstPort }],
    }),
  )
  registry.write(
    entryOf(registry.dir, {
      process: { pid: 1, startTime: 'long ago' },
      pis: [{ name: 'zephyrus', sshPort: firstPort + 1 }],
    }),
  )
  const entry = entryOf(registry.dir, { process: thisProcess() })
  const claimed = await claim({ pis: 2, firstPort }, registry, entry)
  expect(claimed.map(({ name }) => name)).toEqual(['zephyrus', 'notus'])
  expect(claimed[0]?.sshPort).toBeGreaterThan(firstPort)
  expect(claimed[1]?.sshPort).toBeGreaterThan(claimed[0]?.sshPort ?? 0)
  expect(registry.entries().find(({ process: { pid } }) => pid === process.pid)?.pis).toEqual(
    claimed.map(({ name, sshPort }) => ({ name, sshPort })),
  )
})

test('a name that is up is refused, and nothing is written', async () => {
  const entry = entryOf(registry.dir, { process: thisProcess() })
  await claim({ pis: 1, firstPort }, registry, entry)
  const again = { name: 'boreas', hostname: 'boreas', groups: [], vars: {} }
  const other = entryOf(registry.dir, { process: { pid: 1, startTime: '' } })
  await expect(claim({ pis: [again], firstPort }, registry, other)).rejects.toThrow(
    'boreas is up already.\n  `vitest-raspi reset boreas` makes it fresh, `vitest-raspi down boreas` ends it.',
  )
  expect(registry.entries()).toHaveLength(1)
})

test('what Ansible and ssh would read of labs that were killed is gone, and they are still known', async () => {
  const [living, dead, unknown] = [
    { pid: process.ppid, startTime: startTimeOf(process.ppid) },
    { pid: 1, startTime: 'long ago' },
    { pid: 2, startTime: 'longer ago' },
  ].map((process) =>
    entryOf(registry.dir, { process, pis: [{ name: `of-${process.pid}`, sshPort: firstPort }] }),
  ) as [LabEntry, LabEntry, LabEntry]
  for (const lab of [living, dead]) registry.write(lab)
  // Of a version that writes other entries.
  const other = entryOf(registry.dir, { process: { pid: 3, startTime: '' } })
  registry.write(other)
  const [file = ''] = readdirSync(registry.dir).filter((name) => name.startsWith('lab-3'))
  writeFileSync(join(registry.dir, file), '{}')
  for (const lab of [living, dead, unknown, other]) {
    registry.writePart('inventory', lab, '{}')
    registry.writePart('ssh', lab, '')
  }
  await claim({ pis: 1, firstPort }, registry, entryOf(registry.dir, { process: thisProcess() }))
  expect(readdirSync(registry.inventoryDir)).toEqual(
    expect.arrayContaining([living, other].map((lab) => expect.stringContaining(`lab-${lab.process.pid}-`))),
  )
  expect(readdirSync(registry.inventoryDir)).toHaveLength(2)
  expect(readdirSync(join(registry.dir, 'ssh'))).toHaveLength(2)
  expect(registry.entries().map((lab) => lab.process)).toContainEqual(dead.process)
})

test('a port on which somebody listens is passed over', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  expect(await freePorts(1, port, new Set())).not.toContain(port)
})

test('there are no ports beyond the last', async () => {
  await expect(freePorts(2, 65_535, new Set())).rejects.toThrow(/Only [01] of 2 ports from 65535 on are free/)
})

function startTimeOf(pid: number): string {
  return processId(pid)?.startTime ?? ''
}
