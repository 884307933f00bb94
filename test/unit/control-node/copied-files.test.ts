import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { CopiedFiles } from '../../../src/control-node/copied-files.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { fakeContainer } from './fake-container.ts'

/** A project here, and what a container has of it. */
function copied() {
  const [project, container] = [scratchDir(), scratchDir()]
  const commands: string[][] = []
  const said: string[] = []
  const files = new CopiedFiles(
    fakeContainer((command, input) => {
      commands.push(command)
      for (const path of input.split('\0').filter(Boolean))
        rmSync(container + path, { recursive: true, force: true })
      return {}
    }, container),
    '1:1',
    (line) => said.push(line),
  )
  const write = (name: string, text: string) => {
    mkdirSync(join(project, name, '..'), { recursive: true })
    writeFileSync(join(project, name), text)
  }
  const there = (name: string) => container + join(project, name)
  return { files, project, write, there, commands, said }
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

test('a file of the same size and time as the one before is copied again', async () => {
  const { files, project, write, there } = copied()
  for (const text of ['one', 'two']) {
    write('site.yml', text)
    utimesSync(join(project, 'site.yml'), 1, 1)
    await files.bring([project])
    expect(readFileSync(there('site.yml'), 'utf8')).toBe(text)
  }
})

test('a directory may become a file, and a file a directory', async () => {
  const { files, project, write, there } = copied()
  write('roles/web/main.yml', 'tasks')
  write('vars', 'one')
  await files.bring([project])
  rmSync(join(project, 'roles/web'), { recursive: true })
  write('roles/web', 'a file')
  rmSync(join(project, 'vars'))
  write('vars/main.yml', 'many')
  for (const _ of [1, 2]) await files.bring([project])
  expect(readFileSync(there('roles/web'), 'utf8')).toBe('a file')
  expect(readFileSync(there('vars/main.yml'), 'utf8')).toBe('many')
})

test.skipIf(process.getuid?.() === 0)(
  'what cannot be read is told once, and copied when it can',
  async () => {
    const { files, project, write, there, said } = copied()
    write('site.yml', 'plays')
    write('secret', 'text')
    chmodSync(join(project, 'secret'), 0)
    for (const _ of [1, 2]) await files.bring([project])
    expect(said).toEqual([`Ansible's container has no copy of ${join(project, 'secret')}: it cannot be read`])
    expect(readFileSync(there('site.yml'), 'utf8')).toBe('plays')
    expect(existsSync(there('secret'))).toBe(false)
    chmodSync(join(project, 'secret'), 0o400)
    await files.bring([project])
    expect(readFileSync(there('secret'), 'utf8')).toBe('text')
  },
)

test('a copy that was not made to its end is an error, and made anew', async ({ onTestFinished }) => {
  const { files, project, write, there } = copied()
  write('site.yml', 'plays')
  const bin = scratchDir()
  const tar = `#!/bin/sh\n[ "$1" = -xf ] && PATH=$OWN_PATH exec tar "$@"\necho 'tar: Read error' >&2; exit 2\n`
  writeFileSync(join(bin, 'tar'), tar, { mode: 0o755 })
  vi.stubEnv('OWN_PATH', process.env.PATH)
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(files.bring([project])).rejects.toThrow(
    "The project cannot be copied into Ansible's container: tar: Read error",
  )
  vi.unstubAllEnvs()
  await files.bring([project])
  expect(readFileSync(there('site.yml'), 'utf8')).toBe('plays')
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
