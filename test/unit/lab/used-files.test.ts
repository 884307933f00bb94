import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { expect, test } from 'vitest'
import { noteUse, testFilesUsing, whenUsed } from '../../../src/lab/used-files.ts'

test('a file leads to all test files that have used it or its directory, in whichever run', () => {
  noteUse('/r/a.test.ts', { files: ['/r/site.yml'], dirs: ['/r/roles/web'] })
  noteUse('/r/a.test.ts', { files: ['/r/more.yml'], dirs: [] })
  noteUse('/r/b.test.ts', { files: [], dirs: ['/r/roles'] })
  expect(testFilesUsing('/r/site.yml')).toEqual(['/r/a.test.ts'])
  expect(testFilesUsing('/r/more.yml')).toEqual(['/r/a.test.ts'])
  expect(testFilesUsing('/r/roles/web/templates/new.j2')).toEqual(['/r/a.test.ts', '/r/b.test.ts'])
  expect(testFilesUsing('/r/roles/website/tasks/main.yml')).toEqual(['/r/b.test.ts'])
  expect(testFilesUsing('/r/README.md')).toEqual([])
})

test('Ansible tells where links lead to, Vite where they are', async () => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  mkdirSync(join(path, 'real'))
  writeFileSync(join(path, 'real/site.yml'), '')
  symlinkSync(join(path, 'real'), join(path, 'link'))
  noteUse('/r/c.test.ts', { files: [join(path, 'real/site.yml')], dirs: [] })
  expect(testFilesUsing(join(path, 'link/site.yml'))).toEqual(['/r/c.test.ts'])
  await cleanup()
})

test('who wants to watch more is told of every use', () => {
  const told: unknown[] = []
  whenUsed((sources) => told.push(sources))
  const sources = { files: ['/elsewhere/site.yml'], dirs: [] }
  noteUse('/r/d.test.ts', sources)
  expect(told).toEqual([sources])
})
