import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { test as base, expect } from 'vitest'
import { gatherShards } from '../../../src/report/gather-shards.ts'

const test = base.extend('scratch', async ({}, { onCleanup }) => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  onCleanup(cleanup)
  return path
})

function write(dir: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  return dir
}

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

test('reports go together, evidence to where it would be, and nothing that is made anew', ({ scratch }) => {
  const root = write(join(scratch, 'repo'), {
    '.vitest/raspi/a.test.ts/old/timeline.txt': 'of another run',
    '.vitest/raspi/c.test.ts/kept/timeline.txt': 'of a file that no shard had',
    '.vitest/blob/blob-1-9.json': 'of another run',
  })
  const one = write(join(scratch, 'one'), {
    '.vitest/blob/blob-1-2.json': '1',
    '.vitest/raspi/a.test.ts/works/timeline.txt': 'a',
    '.vitest/raspi/index.html': 'of a part',
    '.vitest/raspi/timings.json': 'by which it was dealt',
    '.vitest/attachments/x.txt': 'x',
  })
  // As a CI keeps the directory `.vitest`: without its name.
  const two = write(join(scratch, 'two'), {
    'blob/blob-2-2.json': '2',
    'raspi/b.test.ts/works/timeline.txt': 'b',
    'raspi/coverage/lcov.info': 'of a part',
    'attachments/y.txt': 'y',
  })
  const blobDir = join(scratch, 'blobs')
  const gathered = gatherShards([one, two], { root, blobDir })
  expect(gathered.reports).toEqual([join(one, '.vitest/blob/blob-1-2.json'), join(two, 'blob/blob-2-2.json')])
  expect(gathered.evidence).toEqual(['.vitest/raspi/a.test.ts', '.vitest/raspi/b.test.ts'])
  expect(
    readdirSync(blobDir)
      .map((name) => read(blobDir, name))
      .sort(),
  ).toEqual(['1', '2'])
  expect(readdirSync(join(root, '.vitest/raspi')).sort()).toEqual([
    'a.test.ts',
    'b.test.ts',
    'c.test.ts',
    'timings.json',
  ])
  expect(read(root, '.vitest/raspi/timings.json')).toBe('by which it was dealt')
  expect(readdirSync(join(root, '.vitest/raspi/a.test.ts'))).toEqual(['works'])
  expect(readdirSync(join(root, '.vitest/attachments')).sort()).toEqual(['x.txt', 'y.txt'])
  expect(read(root, '.vitest/blob/blob-1-9.json')).toBe('of another run')
})

test('evidence that several shards have under one name goes together, and nothing of it is lost', ({
  scratch,
}) => {
  const shard = (name: string, files: Record<string, string>) =>
    write(join(scratch, name), { [`blob/blob-${name}.json`]: name, ...files })
  const root = shard('root', {
    '.vitest/blob/blob-3-3.json': 'root',
    '.vitest/raspi/interrupted/third/pi.console.log': 'third',
    '.vitest/raspi/a.test.ts/works/pi.console.log': 'here',
  })
  const one = shard('1-3', {
    'raspi/interrupted/first/pi.console.log': 'first',
    'raspi/a.test.ts/works/pi.console.log': 'on one',
  })
  const two = shard('2-3', {
    'raspi/interrupted/second/pi.console.log': 'second',
    'raspi/a.test.ts/works/pi.console.log': 'on two',
  })
  const gather = () => gatherShards([one, two, root], { root, blobDir: join(scratch, 'blobs') })
  const { evidence } = gather()
  // Once more is no more.
  expect(gather().evidence).toEqual(evidence)
  expect(evidence).toEqual(['.vitest/raspi/a.test.ts', '.vitest/raspi/interrupted'])
  expect(readdirSync(join(root, '.vitest/raspi/interrupted')).sort()).toEqual(['first', 'second', 'third'])
  const works = join(root, '.vitest/raspi/a.test.ts/works')
  expect(readdirSync(works).sort()).toEqual(['pi.console.2.log', 'pi.console.3.log', 'pi.console.log'])
  expect(readdirSync(works).map((name) => read(works, name))).toEqual(
    expect.arrayContaining(['here', 'on one', 'on two']),
  )
})

test('the root itself may be one of them, and reports may come alone or from Vitest 4', ({ scratch }) => {
  const root = write(join(scratch, 'repo'), {
    '.vitest-reports/blob-1-3.json': '1',
    '.vitest/raspi/a.test.ts/works/timeline.txt': 'a',
  })
  const kept = write(join(scratch, 'kept'), {
    '.vitest-reports/blob-3-3.json': '3',
    '.vitest-attachments/x.txt': 'x',
    '.vitest/raspi/c.test.ts/works/timeline.txt': 'c',
  })
  const alone = write(join(scratch, 'alone'), { 'blob-2-3.json': '2' })
  const { reports } = gatherShards([root, alone, kept], { root, blobDir: join(scratch, 'blobs') })
  expect(reports).toHaveLength(3)
  expect(read(root, '.vitest-attachments/x.txt')).toBe('x')
  expect(read(root, '.vitest/raspi/c.test.ts/works/timeline.txt')).toBe('c')
  expect(read(root, '.vitest/raspi/a.test.ts/works/timeline.txt')).toBe('a')
})

test('a directory without a report, and a shard that is given twice, are refused before anything is copied', ({
  scratch,
}) => {
  const root = write(join(scratch, 'repo'), { 'package.json': '{}' })
  const blobDir = join(scratch, 'blobs')
  const one = write(join(scratch, 'one'), { 'blob/blob-1-2.json': '1', 'raspi/a/timeline.txt': '' })
  const empty = write(join(scratch, 'empty'), { 'raspi/a/timeline.txt': '' })
  const again = write(join(scratch, 'again'), { 'blob/blob-1-2.json': 'another run of it' })
  const same = write(join(scratch, 'same'), { 'blob/blob.json': '1' })
  expect(() => gatherShards([one, join(scratch, 'none')], { root, blobDir })).toThrow(/is no directory/)
  expect(() => gatherShards([one, empty], { root, blobDir })).toThrow(/has no report of a shard/)
  for (const twice of [again, same])
    expect(() => gatherShards([one, twice], { root, blobDir })).toThrow(/are reports of the same shard/)
  expect(readdirSync(root)).toEqual(['package.json'])
})
