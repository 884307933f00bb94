import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keygen } from './keys.ts'
import type { GuestFile } from './recipe.ts'

/** A guest's host keys, made here and not in the guest, so that they are known before the first connection. */
export async function makeHostKeys(dir: string): Promise<{ files: GuestFile[]; publicKeys: string[] }> {
  await mkdir(dir)
  const files: GuestFile[] = []
  const publicKeys: string[] = []
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const file = join(dir, type)
    await keygen(type, file, 'root@raspberrypi')
    const path = `/etc/ssh/ssh_host_${type}_key`
    const publicKey = await readFile(`${file}.pub`, 'utf8')
    files.push(
      { path, mode: '0600', text: await readFile(file, 'utf8') },
      { path: `${path}.pub`, text: publicKey },
    )
    publicKeys.push(publicKey.split(' ', 2).join(' '))
  }
  return { files, publicKeys }
}
