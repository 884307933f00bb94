import { mkdirSync, readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { FileDisk, withOpenFile } from 'file-disk'
import { test as base, describe, expect } from 'vitest'
import { cardFiles } from '../../src/image/card-files.ts'
import { onDocker } from '../support/engine.ts'
import { programsWithout, programThatSays } from '../support/programs.ts'
import { entriesOf, makeCache, Project } from '../support/project.ts'

// What a user reads where a run cannot have a Pi at all: one sentence, what to do, and the evidence. What is about this host's
// QEMU, and about cards and frozen Pis in the cache, is not asked of a Docker engine, which has its own of all three.

const test = base.extend('project', async ({}, { onCleanup }) => {
  const project = new Project({
    options: 'bootTimeout: 150_000',
    files: {
      'a.test.ts': `
import { test } from 'vitest-raspi'
test('a Pi', async ({ pi }) => {
  await pi.run('true')
})`,
    },
  })
  onCleanup(() => project[Symbol.dispose]())
  return project
})

describe('a host that lacks something', () => {
  test('ansible-playbook is missing', { timeout: 120_000 }, async ({ project }) => {
    const PATH = await programsWithout('ansible-playbook', join(project.root, 'bin'))
    const { code, output } = await project.vitest([], { PATH }).finished(60_000)
    expect(output).toContain('Nothing was started, because this host lacks what it needs: ansible-playbook')
    expect(output).toContain('`npx vitest-raspi doctor --fix` installs')
    expect(output).toMatch(/^ *missing {2,}ansible-playbook .* → /m)
    expect(code).toBe(1)
  })

  test.skipIf(onDocker)(
    'of two copies of QEMU the first is too old',
    { timeout: 120_000 },
    async ({ project }) => {
      const name = 'qemu-system-aarch64'
      const old = programThatSays('QEMU emulator version 6.2.0', name, join(project.root, 'old'))
      const { code, output } = await project
        .vitest([], { PATH: `${old}:${process.env.PATH}` })
        .finished(60_000)
      expect(output).toContain(`Nothing was started, because this host lacks what it needs: ${name}.`)
      expect(output).toMatch(
        /too old +qemu-system-aarch64 +6\.2\.0, \S+; 7\.2 or later is needed → (\S+)\/qemu-system-aarch64 is [\d.]+, new enough: put \1 first in PATH, or set VITEST_RASPI_QEMU=\1\//,
      )
      expect(code).toBe(1)
    },
  )
})

describe.skipIf(onDocker)('an image that does not boot', () => {
  test.for([
    [
      'its root is not there',
      (line: string) => line.replace(/root=\S+/, 'root=/dev/mmcblk0p9'),
      /ALERT! +\/dev\/mmcblk0p9 does not exist/,
    ],
    // Without an initramfs of use the kernel is left to itself.
    [
      'its kernel panics',
      (line: string) => `${line} rdinit=/nothing root=/dev/nothing`.replace('rootwait', ''),
      /Kernel panic - not syncing: VFS: Unable to mount root fs/,
    ],
  ] as const)('%s', { timeout: 240_000 }, async ([, change, sign], { project }) => {
    const cache = makeCache(join(project.root, 'cache'))
    await breakImage(cache, change)
    const { code, output } = await project.vitest([], { VITEST_RASPI_CACHE: cache }).finished(220_000)
    expect(output).toMatch(/RaspiError: The Pi failed to boot\n/)
    expect(output).toMatch(sign)
    const [, shown = ''] = /The Pi failed to boot\n([\s\S]*?)\s*\n(?: ❯ |⎯)/.exec(output) ?? []
    expect(shown.split('\n').length).toBeGreaterThan(20)
    expect(shown.split('\n').length).toBeLessThanOrEqual(40)
    expect(code).toBe(1)
    expect(entriesOf(cache, 'frozen')).toEqual([])
    expect(readdirSync(join(cache, 'tmp'))).toEqual([])
  })
})

// Only root may mount a small file system to fill.
describe.skipIf(process.getuid?.() !== 0)('a cache whose disk is full', () => {
  test('before the run', { timeout: 120_000 }, async ({ project }) => {
    await withDisk('64m', join(project.root, 'disk'), async (cache) => {
      const { code, output } = await project.vitest([], { VITEST_RASPI_CACHE: cache }).finished(60_000)
      expect(output).toContain('Nothing was started, because this host lacks what it needs: disk.')
      expect(output).toMatch(
        /missing +disk +0 GB free for \S+disk, 2 GB are needed → free 2 GB there, or set VITEST_RASPI_CACHE to a directory on a larger disk/,
      )
      expect(code).toBe(1)
    })
  })

  test.skipIf(onDocker)('while a Pi is frozen', { timeout: 240_000 }, async ({ project }) => {
    await withDisk('2200m', join(project.root, 'disk'), async (cache) => {
      const run = project.vitest([], { VITEST_RASPI_CACHE: makeCache(cache, 'images') })
      await run.starts(/qemu-system-aarch64 -machine/, 60_000)
      // What the guest still touches of its RAM does not fit any more.
      const { bavail, bsize } = statfsSync(cache)
      await execa('fallocate', [
        '--length',
        String(Math.floor(bavail * bsize * 0.97)),
        join(cache, 'ballast'),
      ])
      const { code, output } = await run.finished(200_000)
      expect(output).toMatch(/RaspiError: The Pi was lost while it booted: .*disk.* full/)
      expect(code).toBe(1)
      expect(entriesOf(cache, 'frozen')).toEqual([])
      expect(readdirSync(join(cache, 'tmp'))).toEqual([])
    })
  })
})

/** Gives `cache` a copy of each image, with another kernel command line. */
async function breakImage(cache: string, change: (line: string) => string) {
  const whole = makeCache(join(cache, 'whole'), 'images')
  for (const name of entriesOf(whole, 'images')) {
    mkdirSync(join(cache, 'images'), { recursive: true })
    const dir = join(cache, 'images', name)
    await execa('cp', ['-rL', '--sparse=always', '--no-preserve=mode', join(whole, 'images', name), dir])
    const { interact } = await cardFiles()
    await withOpenFile(join(dir, 'card.raw'), 'r+', (handle) =>
      interact(new FileDisk(handle), 1, async ({ promises: fs }) => {
        const line = String(await fs.readFile('/cmdline.txt')).trim()
        await fs.writeFile('/cmdline.txt', `${change(line)}\n`)
      }),
    )
  }
}

/** Lets `use` work with an empty disk of `size` at `dir`. */
async function withDisk(size: string, dir: string, use: (dir: string) => Promise<void>) {
  mkdirSync(dir)
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'vitest-raspi-test', dir])
  try {
    await use(dir)
  } finally {
    await execa('umount', ['--lazy', dir])
  }
}
