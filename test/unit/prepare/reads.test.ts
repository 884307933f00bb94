import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { readsOf } from '../../../src/prepare/reads.ts'
import { test } from './project.ts'

test('what lies elsewhere counts, what Ansible looks at anyway and what is ours does not', async ({
  repository: { root, dir, write },
}) => {
  write({ 'odd/note.txt': '', 'roles/a/tasks/main.yml': '', '../shared/base.yml': '' })
  await delay(20)
  const since = Date.now()
  await delay(20)
  write({ 'files/fetched': '', '../tmp/run/inventory.yml': '', '../made.txt': '' })
  const file = join(root, 'reads')
  const seen = [
    ['f', 'odd/note.txt'],
    ['d', 'odd'],
    ['f', 'odd/note.txt'],
    ['f', 'roles/a/tasks/main.yml'],
    ['d', 'roles/a'],
    ['f', 'prepare.yml'],
    ['f', '../shared/base.yml'],
    ['f', '../tmp/run/inventory.yml'],
    ['n', '../made.txt'],
    ['f', 'files/fetched'],
    ['f', 'gone'],
  ].map(([kind, path = '']) => `${kind}\t${join(dir, path)}`)
  writeFileSync(file, `${seen.join('\n')}\nnonsense\n`)
  // A copied or unpacked file has an old mtime; only its ctime tells when it came.
  utimesSync(join(dir, 'files/fetched'), 0, 0)
  const places = { dirs: [join(dir, 'roles')], files: [join(dir, 'prepare.yml')] }
  const scratch = [join(root, 'tmp')]
  expect(await readsOf(file, { places, projectDir: dir, scratch, since })).toEqual({
    names: [join(root, 'shared/base.yml'), 'gone', 'odd/', 'odd/note.txt'],
    unsure: ['files/fetched'],
  })
})

test('what a role hands on counts also where nobody looks for it: below names that are ignored', async ({
  repository: { root, dir, write },
}) => {
  const seen = ['node_modules/a/index.js', '.git/HEAD', 'site.retry', 'note~', 'plain'].map((path) =>
    join('roles/web/files/bundle', path),
  )
  write(Object.fromEntries(seen.map((path) => [path, ''])))
  const file = join(root, 'reads')
  writeFileSync(file, seen.map((path) => `f\t${join(dir, path)}\n`).join(''))
  const places = { dirs: [join(dir, 'roles')], files: [] }
  const since = Date.now() + 60_000
  expect(await readsOf(file, { places, projectDir: dir, scratch: [], since })).toEqual({
    names: seen.filter((path) => !path.endsWith('plain')).sort(),
    unsure: [],
  })
})

test.for<[string, string, boolean]>([
  ['is written to', 'f', false],
  ['is written to before it is read', 'n', false],
  ['is replaced by another', 'f', true],
])(
  'a file elsewhere that %s meanwhile may have been read as it was',
  async ([, kind, anew], { repository: { root, dir, write } }) => {
    write({ '../shared/base.yml': 'before' })
    await delay(20)
    const since = Date.now()
    await delay(20)
    const path = join(root, 'shared/base.yml')
    if (anew) rmSync(path)
    write({ '../shared/base.yml': 'after' })
    const file = join(root, 'reads')
    writeFileSync(file, `${kind}\t${path}\n`)
    const places = { dirs: [], files: [] }
    expect(await readsOf(file, { places, projectDir: dir, scratch: [], since })).toEqual({
      names: [],
      unsure: [path],
    })
  },
)

test('what the playbook has written elsewhere does not count, in the project nobody knows', async ({
  repository: { root, dir, write },
}) => {
  write({ '../ca.crt': 'before', '../same.crt': '', 'ca.crt': 'before' })
  await delay(20)
  const since = Date.now()
  await delay(20)
  write({ '../ca.crt': 'after', 'ca.crt': 'after' })
  const paths = ['../ca.crt', '../same.crt', 'ca.crt'].map((path) => join(dir, path))
  const file = join(root, 'reads')
  writeFileSync(file, paths.map((path) => `f\t${path}\nw\t${path}\n`).join(''))
  const places = { dirs: [], files: [] }
  expect(await readsOf(file, { places, projectDir: dir, scratch: [], since })).toEqual({
    names: [],
    unsure: ['ca.crt'],
  })
})

test('where nothing was noted, nothing was read', async ({ repository: { root, dir } }) => {
  const places = { dirs: [], files: [] }
  expect(await readsOf(join(root, 'none'), { places, projectDir: dir, scratch: [], since: 0 })).toEqual({
    names: [],
    unsure: [],
  })
})
