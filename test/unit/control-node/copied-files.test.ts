import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CopiedFiles } from '../../../src/control-node/copied-files.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { fakeContainer } from './fake-container.ts'

/** A project here, and what a container has of it. */
function copied() {
  const [project, container] = [scratchDir(), scratchDir()]
  const commands: string[][] = []
  const files = new CopiedFiles(
    fakeContainer((command, input) => {
      commands.push(command)
      for (const path of input.split('\0').filter(Boolean)) rmSync(container + path, { recursive: true })
      return {}
    }, container),
    '1:1',
  )
  const write = (name: string, text: string) => {
    mkdirSync(join(project, name, '..'), { recursive: true })
    writeFileSync(join(project, name), text)
  }
  const there = (name: string) => container + join(project, name)
  return { files, project, write, there, commands }
}

test('a project is copied to the same paths, without what no playbook reads', async () => {
  const { files, project, write, there } = copied()
  write('site.yml', 'plays')
  write('-odd/a name', 'text')
  write('node_modules/large/file', 'x')
  write('.git/HEAD', 'x')
  mkdirSync(join(project, 'empty'))
  symlinkSync('site.yml', join(project, 'link'))
  await files.bring([project, join(project, 'nowhere')])
  expect(readFileSync(there('site.yml'), 'utf8')).toBe('plays')
  expect(readFileSync(there('-odd/a name'), 'utf8')).toBe('text')
  expect(lstatSync(there('link')).isSymbolicLink()).toBe(true)
  expect(['empty', 'node_modules', '.git'].map((name) => existsSync(there(name)))).toEqual([
    true,
    false,
    false,
  ])
})

test('only what has changed is copied again, and what is gone goes there too; what was made there stays', async () => {
  const { files, project, write, there, commands } = copied()
  write('kept', 'one')
  write('changed', 'one')
  write('gone', 'one')
  await files.bring([project])
  writeFileSync(there('kept'), 'theirs')
  writeFileSync(there('fetched'), 'theirs')
  write('changed', 'another')
  rmSync(join(project, 'gone'))
  await files.bring([project])
  expect(['kept', 'fetched', 'changed'].map((name) => readFileSync(there(name), 'utf8'))).toEqual([
    ...['theirs', 'theirs', 'another'],
  ])
  expect(existsSync(there('gone'))).toBe(false)
  expect(commands).toEqual([['xargs', '-0', 'rm', '-rf', '--']])
})

test('what was made there is fetched to the same path, and what was not is left out', async () => {
  const { files, project, write, there } = copied()
  write('site.yml', 'plays')
  await files.bring([project])
  mkdirSync(there('roles/web'), { recursive: true })
  writeFileSync(there('roles/web/main.yml'), 'tasks')
  await files.take([join(project, 'roles'), join(project, 'nothing')])
  expect(readFileSync(join(project, 'roles/web/main.yml'), 'utf8')).toBe('tasks')
})
