import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { defaultRegistryDir, isStanding, Registry, thisProcess } from '../../../src/standing/registry.ts'
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
  registry.remove(older.process)
  expect(registry.entries()).toEqual([mine])
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  expect(statSync(join(dir, `lab-${process.pid}.json`)).mode & 0o777).toBe(0o600)
})

test('a lab has its part in the inventory and in the ssh configuration until it is forgotten', () => {
  const registry = new Registry(dir)
  const entry = entryOf(dir, { process: thisProcess() })
  registry.writePart('inventory', entry.process, '{}')
  registry.writePart('ssh', entry.process, 'Host boreas\n')
  expect(registry.readInventory(entry)).toBe('{}')
  expect(statSync(registry.sshConfig).isFile()).toBe(true)
  registry.remove(entry.process)
  expect(() => registry.readInventory(entry)).toThrow(/ENOENT/)
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
