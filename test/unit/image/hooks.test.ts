import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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
  mkdirSync(join(root, 'etc'), { recursive: true })
  symlinkSync('/proc/version', join(root, 'etc/hostname'))
  // Of chroot(8), which only root may call, it has that the last argument, a path, is below the root.
  standIn('root="$1"\nexec "$2" "$3" "$4" "$5" "$6" "$root$7"\n')
  run(hookScript(staged), root)
  expect(lstatSync(join(root, 'etc/hostname')).isFile()).toBe(true)
  expect(readFileSync(join(root, 'etc/hostname'), 'utf8')).toBe('raspberrypi\n')
  expect(statSync(join(root, 'etc/hostname')).mode & 0o777).toBe(0o644)
  expect(readFileSync(join(root, "etc/sudoers.d/it's secret"), 'utf8')).toBe('$HOME `id`\n')
  expect(statSync(join(root, "etc/sudoers.d/it's secret")).mode & 0o777).toBe(0o440)
})

test('no file leaves the guest by an absolute link in it', async () => {
  const outside = join(dir, 'outside')
  const root = join(dir, 'root')
  mkdirSync(outside)
  mkdirSync(join(root, 'usr/lib/ssl'), { recursive: true })
  symlinkSync(outside, join(root, 'usr/lib/ssl/certs'))
  const staged = await stageFiles(join(dir, 'staged'), [{ path: '/usr/lib/ssl/certs/corp.pem', text: 'PEM' }])
  standIn('printf "%s|" "$1" "$2" "$5" "$6" "$7"\ncat\n')
  expect(run(hookScript(staged), root)).toBe(`${root}|sh|sh|0644|/usr/lib/ssl/certs/corp.pem|PEM`)
  expect(readdirSync(outside)).toEqual([])
})

test('a script of the guest runs in the guest, unchanged', () => {
  const script = 'usermod --password \'*\' pi\necho "$1"\n'
  standIn('printf "%s|" "$@"\n')
  expect(run(hookScript(script), '/guest')).toBe(`/guest|sh|-ec|${script}|`)
})

test('a hook ends at the first failure', () => {
  expect(() => run(hookScript({ outside: 'false\n' }, { outside: 'true\n' }), dir)).toThrow()
})

/** Stands for chroot(8), which only root may call. */
function standIn(script: string): void {
  writeFileSync(join(dir, 'chroot'), `#!/bin/sh\n${script}`, { mode: 0o755 })
}

function run(script: string, root: string): string {
  const file = join(dir, 'hook.sh')
  writeFileSync(file, script, { mode: 0o755 })
  return execFileSync(file, [root], {
    encoding: 'utf8',
    env: { PATH: `${dir}:${process.env.PATH}` },
    stdio: 'pipe',
  })
}
