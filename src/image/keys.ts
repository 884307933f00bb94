import { existsSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { privateDir } from '../host/paths.ts'

/** The key pair that all Pis of a cache accept. */
export interface ClientKey {
  privateKeyFile: string
  /** As in authorized_keys: `ssh-ed25519 AAAA… vitest-raspi`. */
  publicKey: string
}

/** The cache's key pair, made where there is none; processes that come at the same time get the same one. */
export async function clientKey(cacheDir: string): Promise<ClientKey> {
  const dir = privateDir(cacheDir, 'keys')
  const privateKeyFile = join(dir, 'id_ed25519')
  if (!existsSync(privateKeyFile)) await makeOnce(privateKeyFile, privateDir(cacheDir, 'tmp'))
  const { stdout } = await execa('ssh-keygen', ['-y', '-f', privateKeyFile])
  const publicKey = stdout.trim()
  if (!existsSync(`${privateKeyFile}.pub`)) {
    const temporary = `${privateKeyFile}.${process.pid}`
    writeFileSync(temporary, `${publicKey}\n`)
    renameSync(temporary, `${privateKeyFile}.pub`)
  }
  return { privateKeyFile, publicKey }
}

/** link(2) fails where the name is taken: the first process wins and no reader sees half a key. */
async function makeOnce(file: string, tmpDir: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpDir, 'key-'))
  try {
    await keygen('ed25519', join(scratch, 'key'), 'vitest-raspi')
    linkSync(join(scratch, 'key'), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Makes a pair without passphrase: `file` and `file.pub`. */
export async function keygen(
  type: 'ed25519' | 'ecdsa' | 'rsa',
  file: string,
  comment: string,
): Promise<void> {
  await execa('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', comment, '-f', file])
}
