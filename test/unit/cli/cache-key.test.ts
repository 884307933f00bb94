import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cacheKeyOf } from '../../../src/cli/cache-key/key.ts'
import { lockFileName } from '../../../src/image/lock-file.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { fakeHost } from '../host/fake-host.ts'
import { run } from './run.ts'

// Where no configuration of Vitest is, which takes its time.
beforeEach(() => void vi.spyOn(process, 'cwd').mockReturnValue(scratchDir()))
afterEach(() => void vi.restoreAllMocks())

const needsOf = (projectDir: string) => ({
  ...{ images: ['debian-12-arm64'], board: 'raspi3b' as const, playbooks: [], projectDir },
  lockFiles: [join(projectDir, lockFileName)],
})

test('the key tells the host and its QEMU, and is the same for the same cache', async () => {
  const one = await run(['cache-key', '--json'])
  const two = await run(['cache-key', '--json'])
  expect(one.exitCode).toBe(0)
  const [first, second] = [JSON.parse(one.out), JSON.parse(two.out)]
  expect(first.key).toBe(second.key)
  expect(first.key).toMatch(/^vitest-raspi-linux-x64-\d+\.\d+\.\d+-qemu-8\.2\.2-[0-9a-f]{16}$/)
  expect(first.restoreKeys.every((begin: string) => first.key.startsWith(begin))).toBe(true)
  expect(first.paths.map((path: string) => path.split('/').at(-1))).toEqual([
    'images',
    'frozen',
    'layers',
    'keys',
  ])
})

test('what makes a cache useless makes another key; other images keep those that help', async () => {
  const { context, program } = fakeHost()
  const dir = scratchDir()
  const keyOf = async (more: object = {}, version = '1.0.0') =>
    cacheKeyOf({ ...needsOf(dir), ...more }, context, version)
  const before = await keyOf()
  const board = await keyOf({ board: 'raspi3ap' })
  const image = await keyOf({ images: ['debian-12-armhf'] })
  const version = await keyOf({}, '2.0.0')
  expect(new Set([before, board, image, version].map(({ key }) => key)).size).toBe(4)
  expect(image.restoreKeys).toEqual(before.restoreKeys)
  expect(version.restoreKeys[0]).not.toBe(before.restoreKeys[0])
  expect(version.restoreKeys[1]).toBe(before.restoreKeys[1])
  program('/usr/bin/qemu-system-aarch64', 'QEMU emulator version 9.0.1')
  const qemu = await keyOf()
  expect(qemu.restoreKeys[0]).not.toBe(before.restoreKeys[0])
})

test('packages of an image count, of one that can have them', async () => {
  const keyOf = async (...more: string[]) => JSON.parse((await run(['cache-key', '--json', ...more])).out).key
  const rsync = await keyOf('--package', 'rsync')
  expect(rsync).not.toBe(await keyOf())
  expect(await keyOf('--package', 'rsync', '--package', 'nginx-light')).not.toBe(rsync)
  // Another that can have none has none.
  const both = ['--image', 'debian-12-arm64', 'raspios-lite-arm64']
  expect(await keyOf(...both, '--package', 'rsync')).not.toBe(await keyOf(...both))
  expect(await run(['cache-key', '--image', 'raspios-lite-arm64', '--package', 'rsync'])).toMatchObject({
    ...{ exitCode: 2, err: expect.stringContaining('can be given no packages') },
  })
})

test('what is pinned counts for an image that is downloaded', async () => {
  const { context } = fakeHost()
  const dir = scratchDir()
  const needs = { ...needsOf(dir), images: ['raspios-lite-arm64'] }
  const before = await cacheKeyOf(needs, context, '1.0.0')
  const pinned = {
    ...{ url: 'https://images.test/a.img.xz', sha256: 'a'.repeat(64), release: '2026-09-15' },
  }
  writeFileSync(
    join(dir, lockFileName),
    JSON.stringify({ version: 1, images: { 'raspios-lite-arm64@latest': pinned } }),
  )
  expect((await cacheKeyOf(needs, context, '1.0.0')).key).not.toBe(before.key)
})

test('of an image that is a file its content counts, wherever it lies and whenever it was written', async () => {
  const { context } = fakeHost()
  const keyOf = async (content: string) => {
    const dir = scratchDir()
    writeFileSync(join(dir, 'pi.img'), content)
    return (await cacheKeyOf({ ...needsOf(dir), images: ['./pi.img'] }, context, '1.0.0')).key
  }
  const before = await keyOf('image 1')
  expect(await keyOf('image 1')).toBe(before)
  expect(await keyOf('image 2')).not.toBe(before)
})

test('what prepares the Pis counts, once it is named', async () => {
  const { context, script } = fakeHost()
  script('/usr/bin/ansible-config', "echo '[]'")
  const dir = scratchDir()
  const needs = { ...needsOf(dir), playbooks: ['base.yml'] }
  writeFileSync(join(dir, 'base.yml'), '- hosts: all\n')
  const keyOf = async () => (await cacheKeyOf(needs, context, '1.0.0')).key
  const before = await keyOf()
  expect(await keyOf()).toBe(before)
  writeFileSync(join(dir, 'base.yml'), '- hosts: pis\n')
  expect(await keyOf()).not.toBe(before)
  expect((await cacheKeyOf(needsOf(dir), context, '1.0.0')).key).not.toBe(before)
})

test('for GitHub it prints outputs of a step', async () => {
  const { out } = await run(['cache-key', '--for', 'github'])
  expect(out).toMatch(
    /^key=vitest-raspi-\S+\nrestore-keys<<end-of-restore-keys\n(vitest-raspi-\S+\n)+end-of-restore-keys\n/,
  )
  expect(out).toMatch(/\npath<<end-of-path\n(\/.+\n){4}end-of-path$/)
})

test('for GitLab it prints a job to extend, with paths in the project only', async () => {
  const inside = await run(['cache-key', '--for', 'gitlab', '--cache-dir', '.cache/raspi'])
  expect(inside.out).toContain('      - ".cache/raspi/frozen"')
  const outside = await run(['cache-key', '--for', 'gitlab'])
  expect(outside).toMatchObject({ exitCode: 2, out: '' })
  expect(outside.err).toContain('GitLab caches only what lies in the project')
})

test('a host without QEMU, an unknown image, and two forms at once are refused', async () => {
  const { context, remove } = fakeHost()
  remove('/usr/bin/qemu-system-aarch64')
  expect(await run(['cache-key'], context)).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('doctor --fix'),
  })
  expect(await run(['cache-key', '--image', 'windows'])).toMatchObject({ exitCode: 2 })
  expect(await run(['cache-key', '--for', 'jenkins'])).toMatchObject({ exitCode: 2 })
  expect(await run(['cache-key', '--for', 'github', '--json'])).toMatchObject({ exitCode: 2 })
})

test('what is not there has no key', async () => {
  const { context, script } = fakeHost()
  script('/usr/bin/ansible-config', "echo '[]'")
  const needs = needsOf(scratchDir())
  await expect(cacheKeyOf({ ...needs, playbooks: ['nope.yml'] }, context, '1.0.0')).rejects.toThrow(
    'The playbook nope.yml does not exist',
  )
  await expect(cacheKeyOf({ ...needs, images: ['./nope.img'] }, context, '1.0.0')).rejects.toThrow(
    'Image nope.img cannot be had: there is no file',
  )
})
