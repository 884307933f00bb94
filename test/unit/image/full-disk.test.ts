import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Part } from '../../../src/image/parts.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const root: Part = { number: 2, type: 0x83, offset: 4096, size: 4096, fileSystem: 'ext4' }

/** Puts a program on the PATH that fails and says `text`; gives a directory with a card. */
function setUp(program: string, text: string): string {
  const dir = scratchDir()
  writeFileSync(join(dir, program), `#!/bin/sh\necho '${text}' >&2\nexit 1\n`, { mode: 0o755 })
  writeFileSync(join(dir, 'card.raw'), Buffer.alloc(16_384, 1))
  vi.stubEnv('PATH', `${dir}:${process.env.PATH}`)
  // The PATH is read as the module is loaded.
  vi.resetModules()
  onTestFinished(() => void vi.unstubAllEnvs())
  return dir
}

test.for([
  [
    'qemu-img: error while writing at byte 0: No space left on device',
    /^Image pi has no room: the disk of .* is full\.\n {2}Make room/,
  ],
  [
    'qemu-img: error while reading at byte 0: Input/output error',
    /^Image pi cannot be used: .*\n {2}The image is damaged/,
  ],
] as const)('where its root part cannot be copied, %s', async ([text, message]) => {
  const card = join(setUp('qemu-img', text), 'card.raw')
  const { growCard } = await import('../../../src/image/grow.ts')
  await expect(growCard('pi', card, { root, all: [root] })).rejects.toThrow(message)
})

test.for([
  ['plain_io write: No space left on device', /^Image pi has no room: .*\n {2}Make room/],
  ['Disk full', /^Image pi cannot be set up: .*\n {2}Is it full/],
] as const)('where its boot part cannot be written, %s', async ([text, message]) => {
  const dir = setUp('mcopy', text)
  const { writeBootFiles } = await import('../../../src/image/write-boot-files.ts')
  const written = writeBootFiles('pi', join(dir, 'card.raw'), root, { ssh: '' }, join(dir, 'files'))
  await expect(written).rejects.toThrow(message)
})

test('a root part is copied only where there is room for the copy', async () => {
  const card = join(setUp('qemu-img', 'not reached'), 'card.raw')
  vi.doMock('node:fs/promises', async (original) => ({
    ...(await original<typeof import('node:fs/promises')>()),
    statfs: async () => ({ bavail: 3, bsize: 4096 }),
  }))
  onTestFinished(() => void vi.doUnmock('node:fs/promises'))
  const { growCard } = await import('../../../src/image/grow.ts')
  await expect(growCard('pi', card, { root, all: [root] })).rejects.toThrow(
    /^Image pi has no room: .* free, setting it up needs/,
  )
})
