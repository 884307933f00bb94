import { getuid } from 'node:process'
import { supervise } from '../host/supervise.ts'

/** Debian keeps mke2fs, mkfs.vfat and sfdisk where a user's PATH does not lead. */
export const searchPath = `${process.env.PATH}:/usr/sbin:/sbin`

/**
 * Runs a command as root in mounts of its own, which vanish with it; without root in a user namespace whose root is the
 * caller and whose other users are the caller's subordinate ids (subuid(5)). Never leaves a process behind.
 */
export function asRoot(
  [file, ...args]: readonly [string, ...string[]],
  { signal, env = {} }: { signal?: AbortSignal | undefined; env?: Record<string, string> } = {},
) {
  const namespaces = getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--map-auto', '--mount']
  // The guest's directories have the modes they have, whatever the caller's umask.
  const withUmask = ['sh', '-c', 'umask 022; exec "$@"', 'sh', file, ...args]
  return supervise('unshare', [...namespaces, '--', ...withUmask], {
    stdin: 'ignore',
    // Hints go by the words of programs, which in C.UTF-8 are still those of LANGUAGE.
    env: { LC_ALL: 'C.UTF-8', LANGUAGE: 'C', PATH: searchPath, ...env },
    ...(signal ? { cancelSignal: signal } : {}),
  })
}
