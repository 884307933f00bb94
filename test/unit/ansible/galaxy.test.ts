import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { installRequirements } from '../../../src/ansible/galaxy.ts'
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
