import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { makeCard, rebaseCard } from '../../src/machine/card.ts'
import { HostPlace } from '../../src/machine/host-place.ts'

test('a copied card holds what it held, on the same base, and moves with it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'raspi card '))
  const cache = join(root, 'cache')
  for (const dir of ['cache/frozen/a', 'cache/frozen/b', 'cache/tmp', 'run'])
    mkdirSync(join(root, dir), { recursive: true })
  try {
    writeFileSync(join(cache, 'card.raw'), Buffer.alloc(1024 * 1024, 1))
    const tools = { qemu: '', qemuVersion: '', qemuImg: 'qemu-img' }
    const image = { path: join(cache, 'card.raw'), format: 'raw' } as const
    const place = new HostPlace(join(root, 'run'), image, tools, () => {})
    const base = join(cache, 'frozen/a/card.qcow2')
    await makeCard(place, { path: '../../card.raw', format: 'raw' }, base)
    const used = join(root, 'run/card.qcow2')
    await makeCard(place, { path: base, format: 'qcow2' }, used)
    const write = (card: string, what: string) =>
      execa('qemu-io', ['-f', 'qcow2', '-c', `write -P ${what} 4k 4k`, card])
    await write(base, '2')
    await write(used, '3')

    const copy = join(cache, 'frozen/b/card.qcow2')
    const from = { path: relative(dirname(copy), base), format: 'qcow2' } as const
    copyFileSync(used, copy)
    await rebaseCard(place, copy, from)
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
