import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { messageOf, RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import type { Shelf } from './shelf.ts'

/** The key pair that all Pis of a cache accept. */
export interface ClientKey {
  privateKeyFile: string
  /** As in authorized_keys: `ssh-ed25519 AAAA… vitest-raspi`. */
  publicKey: string
}

const comment = 'vitest-raspi'

/**
 * The cache's key pair, made where there is none, or taken from `shelf`; processes that come at the same time get the same
 * one.
 */
export async function clientKey(cacheDir: string, shelf?: Shelf | undefined): Promise<ClientKey> {
  const dir = privateDir(cacheDir, 'keys')
  const privateKeyFile = join(dir, 'id_ed25519')
  if (!existsSync(privateKeyFile)) await makeOnce(privateKeyFile, privateDir(cacheDir, 'tmp'), shelf)
  // Not all versions print the comment.
  const [type, key] = (await sshKeygen('-y', '-f', privateKeyFile)).split(' ')
  const publicKey = `${type} ${key?.trim()} ${comment}`
  if (!existsSync(`${privateKeyFile}.pub`)) {
    const temporary = `${privateKeyFile}.${process.pid}`
    writeFileSync(temporary, `${publicKey}\n`)
    renameSync(temporary, `${privateKeyFile}.pub`)
  }
  return { privateKeyFile, publicKey }
}

/** Fetches a key that ssh can read, and tells whether there is one. */
async function fetchInto(file: string, shelf: Shelf | undefined): Promise<boolean> {
  if (!(await shelf?.fetchKey(file))) return false
  const readable = await sshKeygen('-y', '-f', file).catch(() => undefined)
  if (readable === undefined) rmSync(file)
  return readable !== undefined
}

/** link(2) fails where the name is taken: the first process wins and no reader sees half a key. */
async function makeOnce(file: string, tmpDir: string, shelf: Shelf | undefined): Promise<void> {
  const scratch = join(tmpDir, scratchName('key'))
  mkdirSync(scratch, { mode: 0o700 })
  try {
    const key = join(scratch, basename(file))
    if (!(await fetchInto(key, shelf))) await keygen('ed25519', key, comment)
    linkSync(key, file)
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
  await sshKeygen('-q', '-t', type, '-N', '', '-C', comment, '-f', file)
}

async function sshKeygen(...args: string[]): Promise<string> {
  try {
    return (await execa('ssh-keygen', args, { stdin: 'ignore' })).stdout
  } catch (error) {
    throw new RaspiError('host', 'The ssh keys of the cache cannot be made or read: ssh-keygen failed.', {
      hint: 'Install openssh-client; remove the directory keys of the cache where it is damaged.',
      evidence: messageOf(error),
      cause: error,
    })
  }
}
