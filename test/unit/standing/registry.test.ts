import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  defaultRegistryDir,
  isStanding,
  type LabEntry,
  Registry,
  thisProcess,
} from '../../../src/standing/registry.ts'
import { entryOf } from './entries.ts'

let dir: string

beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'registry-'))
  dir = join(parent, 'vitest-raspi')
  onTestFinished(() => rmSync(parent, { recursive: true }))
})

test('it lies where the user has a directory of its own', () => {
  expect(defaultRegistryDir({ XDG_RUNTIME_DIR: '/run/user/7' })).toBe('/run/user/7/vitest-raspi')
  expect(defaultRegistryDir({})).toBe(join(tmpdir(), `raspi-labs-${process.getuid?.()}`))
})

test('what is written is read again, the oldest first, and can be forgotten', () => {
  const registry = new Registry(dir)
  const mine = entryOf(dir, { process: thisProcess(), since: '2026-11-02T00:00:00.000Z' })
  const older = entryOf(dir, { process: { pid: 1, startTime: 'never' }, since: '2026-11-01T00:00:00.000Z' })
  registry.write(mine)
  registry.write(older)
  writeFileSync(join(dir, 'lab-77.json'), 'no JSON')
  expect(new Registry(dir).entries()).toEqual([older, mine])
  expect([isStanding(older), isStanding(mine)]).toEqual([false, true])
  registry.remove(older)
  expect(registry.entries()).toEqual([mine])
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  const [file = ''] = readdirSync(dir).filter((name) => name.startsWith(`lab-${process.pid}-`))
  expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600)
})

test('a lab has its part in the inventory and in the ssh configuration until it is forgotten', () => {
  const registry = new Registry(dir)
  const entry = entryOf(dir, { process: thisProcess() })
  registry.writePart('inventory', entry, '{}')
  registry.writePart('ssh', entry, 'Host boreas\n')
  expect(registry.readInventory(entry)).toBe('{}')
  expect(statSync(registry.sshConfig).isFile()).toBe(true)
  registry.remove(entry)
  expect(() => registry.readInventory(entry)).toThrow(/ENOENT/)
})

test('labs of one process, as projects of Vitest have them, do not replace each other', () => {
  const registry = new Registry(dir)
  const labs = ['one', 'two'].map((name) => entryOf(join(dir, name), { process: thisProcess() }))
  for (const lab of labs) {
    registry.write(lab)
    registry.writePart('inventory', lab, lab.socket)
    registry.writePart('ssh', lab, '')
  }
  expect(registry.entries()).toHaveLength(2)
  expect(labs.map((lab) => registry.readInventory(lab))).toEqual(labs.map(({ socket }) => socket))
  const [one, two] = labs as [LabEntry, LabEntry]
  registry.remove(one)
  expect(registry.entries()).toEqual([two])
  expect([registry.has(one), registry.has(two)]).toEqual([false, true])
})

test('a lab of an earlier version, whose files have no more than the process in their names, is one too', () => {
  const registry = new Registry(dir)
  const [living, dead] = [thisProcess(), { pid: 1, startTime: 'never' }].map((process) =>
    entryOf(dir, { process }),
  ) as [LabEntry, LabEntry]
  mkdirSync(registry.inventoryDir)
  for (const lab of [living, dead]) {
    writeFileSync(join(dir, `lab-${lab.process.pid}.json`), JSON.stringify(lab))
    writeFileSync(join(registry.inventoryDir, `lab-${lab.process.pid}.yml`), 'theirs')
  }
  registry.removeDeadParts()
  expect(registry.entries()).toHaveLength(2)
  expect(registry.readInventory(living)).toBe('theirs')
  expect(readdirSync(registry.inventoryDir)).toEqual([`lab-${process.pid}.yml`])
  for (const lab of [living, dead]) registry.remove(lab)
  expect(registry.entries()).toEqual([])
  expect(readdirSync(registry.inventoryDir)).toEqual([])
})

test.for([
  ['others may look into it', () => chmodSync(dir, 0o755)],
  [
    'it is no directory',
    () => {
      rmSync(dir, { recursive: true })
      symlinkSync(tmpdir(), dir)
    },
  ],
] as const)('a directory is refused where %s', ([why, spoil]) => {
  mkdirSync(dir, { mode: 0o700 })
  spoil()
  expect(() => new Registry(dir)).toThrow(`is not used, because ${why}.`)
})

test.skipIf(process.getuid?.() !== 0)('a directory of another user is refused', () => {
  mkdirSync(dir, { mode: 0o700 })
  chownSync(dir, 4_321, 4_321)
  expect(() => new Registry(dir)).toThrow('is not used, because it belongs to another user.')
})

test('a directory that cannot be made is refused in a sentence, too', () => {
  writeFileSync(dir, '')
  expect(() => new Registry(dir)).toThrow('because it is no directory.')
  expect(() => new Registry(join(dir, 'below'))).toThrow(
    'because it cannot be made or looked into (ENOTDIR).',
  )
})
