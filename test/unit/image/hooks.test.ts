import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hookScript, stageFiles } from '../../../src/image/hooks.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "vitest-raspi it's a hook-"))
})
afterEach(() => rmSync(dir, { recursive: true }))

test('a hook writes each file with its text and mode, whatever its path looks like', async () => {
  const staged = await stageFiles(join(dir, 'staged'), [
    { path: '/etc/hostname', text: 'raspberrypi\n' },
    { path: "/etc/sudoers.d/it's secret", mode: '0440', text: '$HOME `id`\n' },
  ])
  const root = join(dir, 'root')
  run(hookScript(staged), root)
  expect(readFileSync(join(root, 'etc/hostname'), 'utf8')).toBe('raspberrypi\n')
  expect(statSync(join(root, 'etc/hostname')).mode & 0o777).toBe(0o644)
  expect(readFileSync(join(root, "etc/sudoers.d/it's secret"), 'utf8')).toBe('$HOME `id`\n')
  expect(statSync(join(root, "etc/sudoers.d/it's secret")).mode & 0o777).toBe(0o440)
})

test('a script of the guest runs in the guest, unchanged', () => {
  const script = 'usermod --password \'*\' pi\necho "$1"\n'
  // Stands for chroot(8), which only root may call.
  writeFileSync(join(dir, 'chroot'), '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 })
  expect(run(hookScript(script), '/guest')).toBe(`/guest|sh|-ec|${script}|`)
})

test('a hook ends at the first failure', () => {
  expect(() => run(hookScript({ outside: 'false\n' }, { outside: 'true\n' }), dir)).toThrow()
})

function run(script: string, root: string): string {
  const file = join(dir, 'hook.sh')
  writeFileSync(file, script, { mode: 0o755 })
  return execFileSync(file, [root], {
    encoding: 'utf8',
    env: { PATH: `${dir}:${process.env.PATH}` },
    stdio: 'pipe',
  })
}
