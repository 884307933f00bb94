import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { installRequirements } from '../../../src/ansible/galaxy.ts'
import { withoutRepository } from '../../../src/host/git.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

test('what one galaxy gave is not for whoever asks another one, wherever the configuration lies', async () => {
  const dir = scratchDir()
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text, { mode: 0o755 })
  // Called as `role install -r FILE -p DIR`.
  write('ansible-galaxy', '#!/bin/sh\nmkdir "$6"\ncat "$ANSIBLE_CONFIG" > "$6/from"\n')
  write('requirements.yml', 'roles: [web]\n')
  for (const name of ['ours.cfg', 'copy.cfg']) write(name, 'ours')
  write('theirs.cfg', 'theirs')
  const lines: string[] = []
  const install = async (config: string, more: NodeJS.ProcessEnv = {}) => {
    const env = { PATH: `${dir}:${process.env.PATH}`, ANSIBLE_CONFIG: join(dir, config), ...more }
    const log = (line: string) => lines.push(line)
    const { roles } = await installRequirements(true, { projectDir: dir, runDir: dir, env, log })
    return readFileSync(join(roles[0] ?? '', 'from'), 'utf8')
  }
  const installed = () => lines.filter((line) => line.startsWith('Installing') && line.endsWith(' …')).length
  expect(await install('ours.cfg')).toBe('ours')
  expect(await install('theirs.cfg')).toBe('theirs')
  expect(await install('copy.cfg', { LANG: 'C' })).toBe('ours')
  expect(installed()).toBe(2)
  await install('ours.cfg', { ANSIBLE_GALAXY_SERVER: 'https://galaxy.example' })
  expect(installed()).toBe(3)
})

test('all requirements that lie in the usual places are installed, and comments alone ask for nothing', async () => {
  const dir = scratchDir()
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text, { mode: 0o755 })
  }
  // Called as `role install -r FILE -p DIR`.
  write('ansible-galaxy', '#!/bin/sh\nmkdir "$6"\ncp "$4" "$6/from"\n')
  write('requirements.yml', '---\n# none yet\n')
  write('roles/requirements.yml', '- src: geerlingguy.nginx\n')
  write('collections/requirements.yml', 'collections: [community.general]\n')
  const lines: string[] = []
  const install = async (requirements: string | true) => {
    const env = { PATH: `${dir}:${process.env.PATH}` }
    const log = (line: string) => lines.push(line)
    const paths = await installRequirements(requirements, { projectDir: dir, runDir: dir, env, log })
    return Object.values(paths).map((dirs: string[]) =>
      dirs.map((dir) => readFileSync(join(dir, 'from'), 'utf8')),
    )
  }
  expect(await install(true)).toEqual([
    ['- src: geerlingguy.nginx\n'],
    ['collections: [community.general]\n'],
  ])
  lines.length = 0
  expect(await install('requirements.yml')).toEqual([[], []])
  expect(lines).toEqual([])
})

test('in a hook of git, a role that is cloned leaves the index of the commit alone', async () => {
  const dir = scratchDir()
  const role = join(dir, 'role')
  mkdirSync(role)
  writeFileSync(join(role, 'a file'), '')
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: role, env: withoutRepository(process.env) })
  git('init', '--quiet')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message=a')
  // Called as `role install -r FILE -p DIR`.
  const program = `#!/bin/sh\ngit clone --quiet '${role}' "$6"\n`
  writeFileSync(join(dir, 'ansible-galaxy'), program, { mode: 0o755 })
  writeFileSync(join(dir, 'requirements.yml'), 'roles: [web]\n')
  const index = join(dir, 'index')
  const env = { ...process.env, PATH: `${dir}:${process.env.PATH}`, GIT_INDEX_FILE: index }
  const log = () => {}
  const { roles } = await installRequirements(true, { projectDir: dir, runDir: dir, env, log })
  expect(existsSync(join(roles[0] ?? '', 'a file'))).toBe(true)
  expect(existsSync(index)).toBe(false)
})
