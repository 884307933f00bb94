import { execFileSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2'
import { RaspiError } from '../../errors.ts'

/** What ssh2 is to ask a host for that has a key of this type. */
const algorithms: Record<string, ServerHostKeyAlgorithm[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/** How ssh2 says that a host has shown none of the keys that are known of it. */
export const otherKey = /Host denied|no matching host key format/

/** Where OpenSSH looks by default: ssh_config(5). */
const knownHostsFiles = () => [
  ...['known_hosts', 'known_hosts2'].map((file) => join(homedir(), '.ssh', file)),
  ...['ssh_known_hosts', 'ssh_known_hosts2'].map((file) => join('/etc/ssh', file)),
]

/**
 * How ssh2 takes only the keys of a host that OpenSSH's known_hosts have: who answers in its place would be given passwords of
 * registries, and the user's project. Throws a `RaspiError` where they have none, which says how to `logIn` there.
 */
export function knownHost(
  host: string,
  port: number,
  { files = knownHostsFiles(), logIn }: { files?: readonly string[]; logIn: string },
): Pick<ConnectConfig, 'hostVerifier' | 'algorithms'> {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
  const lines = files.flatMap((file) => linesOf(name, file))
  const revoked = new Set(lines.filter(({ marker }) => marker === '@revoked').map(({ key }) => key))
  const known = lines.filter(
    ({ marker, type, key }) => marker === undefined && type in algorithms && !revoked.has(key),
  )
  if (known.length === 0) {
    throw new RaspiError(
      'host',
      `The host key of ${host} is not known, so that anybody could answer in its place.`,
      { hint: `Log in there once, and accept its key: ${logIn}` },
    )
  }
  const keys = new Set(known.map(({ key }) => key))
  return {
    hostVerifier: (key: Buffer) => keys.has(key.toString('base64')),
    // A host shows one of its keys only: one of those that are known, if it is asked for that.
    algorithms: { serverHostKey: [...new Set(known.flatMap(({ type }) => algorithms[type] ?? []))] },
  }
}

/** The lines of a file of known hosts that are of `name`, which may be hashed there: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
function linesOf(name: string, file: string): { marker: string | undefined; type: string; key: string }[] {
  let text: string
  try {
    text = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    // There is no such line, or no such file.
    return []
  }
  return [...text.matchAll(/^(?:(@\S+) )?[^\s#@]\S* (\S+) (\S+)/gm)].map(
    ([, marker, type = '', key = '']) => ({
      ...{ marker, type, key },
    }),
  )
}
