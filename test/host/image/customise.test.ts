import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readText, withPart } from '../../../src/image/card-edit.ts'
import { customise } from '../../../src/image/customise.ts'
import { readCardParts } from '../../../src/image/parts.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const MiB = 2 ** 20
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`
const run = (program: string, args: string[], input = '') =>
  execa(program, args, { input, env: { PATH, MTOOLS_SKIP_CHECK: '1' } })

/** A card with just what an image is set up by: accounts, ssh's unit, a boot part that fstab has at `mount`. */
async function smallCard(dir: string, mount: string): Promise<string> {
  const card = join(dir, 'card.raw')
  const root = join(dir, 'root')
  const texts = {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
    'etc/shadow': 'root:*:1:0:99999:7:::\n',
    'etc/group': 'root:x:0:\n',
    'etc/fstab': `PARTUUID=1-01 ${mount} vfat defaults 0 2\n`,
    'usr/lib/systemd/system/ssh.service': '[Service]\n',
    'usr/bin/sudo': '',
  }
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), text)
  }
  await writeFile(card, '')
  await truncate(card, 112 * MiB)
  await run('sfdisk', ['--quiet', card], 'label: dos\nstart=1MiB, size=48MiB, type=c\nstart=49MiB, type=83\n')
  await run('mkfs.vfat', ['-F', '32', '-s', '1', '--offset', String(MiB / 512), card, String(48 * 1024)])
  await writeFile(join(dir, 'cmdline.txt'), 'console=serial0 resize\n')
  await run('mcopy', ['-i', `${card}@@${MiB}`, join(dir, 'cmdline.txt'), '::/'])
  await run('mmd', ['-i', `${card}@@${MiB}`, '::/overlays'])
  await run('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-E',
    `offset=${49 * MiB}`,
    '-d',
    root,
    card,
    `${63 * 1024}k`,
  ])
  return card
}

test.for(['/boot/firmware', '/boot'])('files for %s are on the boot part', async (mount) => {
  const dir = scratchDir()
  const card = await smallCard(dir, mount)
  const { boot } = await readCardParts('small', card)
  const files = [
    { path: `${mount}/config.txt`, text: 'dtparam=audio=on\n' },
    { path: `${mount}/overlays/own.dts`, text: 'own' },
    { path: '/etc/motd', text: 'hello\n' },
  ]
  const wish = { user: 'pi', publicKey: 'ssh-ed25519 AAAA', files, boot, dir: join(dir, 'boot-files') }
  await customise('small', card, wish, () => {})
  await withPart(card, 1, 'read', async (fs) => {
    expect(await readText(fs, '/config.txt')).toBe('dtparam=audio=on\n')
    expect(await readText(fs, '/overlays/own.dts')).toBe('own')
    expect(await readText(fs, '/cmdline.txt')).toBe('console=serial0\n')
  })
  await withPart(card, 2, 'read', async (fs) => {
    expect(await readText(fs, '/etc/motd')).toBe('hello\n')
    expect(await readText(fs, `${mount}/config.txt`)).toBeUndefined()
  })
})
