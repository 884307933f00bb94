import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { copyCard, makeCard } from '../../src/machine/card.ts'

test('a copied card holds what it held, on the same base, and moves with it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'raspi card '))
  const cache = join(root, 'cache')
  for (const dir of ['cache/frozen/a', 'cache/frozen/b', 'cache/tmp', 'run'])
    mkdirSync(join(root, dir), { recursive: true })
  try {
    writeFileSync(join(cache, 'card.raw'), Buffer.alloc(1024 * 1024, 1))
    const base = join(cache, 'frozen/a/card.qcow2')
    await makeCard('qemu-img', { path: '../../card.raw', format: 'raw' }, base)
    const used = join(root, 'run/card.qcow2')
    await makeCard('qemu-img', { path: base, format: 'qcow2' }, used)
    const write = (card: string, what: string) =>
      execa('qemu-io', ['-f', 'qcow2', '-c', `write -P ${what} 4k 4k`, card])
    await write(base, '2')
    await write(used, '3')

    const copy = join(cache, 'frozen/b/card.qcow2')
    const from = { path: relative(dirname(copy), base), format: 'qcow2' } as const
    await copyCard('qemu-img', { path: used }, from, copy)
    await execa('qemu-img', ['compare', used, copy])
    const moved = join(root, 'moved')
    renameSync(cache, moved)
    const there = join(moved, 'frozen/b/card.qcow2')
    const { stdout } = await execa('qemu-io', ['-r', '-f', 'qcow2', '-c', 'read -P 3 4k 4k', there])
    expect(stdout).toMatch(/^read 4096\/4096 bytes/)
    expect(stdout).not.toMatch(/failed/)
  } finally {
    rmSync(root, { recursive: true })
  }
})
