import { statfs } from 'node:fs/promises'
import { availableParallelism, platform } from 'node:os'
import { join } from 'node:path'
import { availableMemory } from './memory.ts'
import { defaultCacheDir } from './paths.ts'

/** What is known of the host before it is looked at. Everything comes in here, so that a test can be another host. */
export interface HostContext {
  env: NodeJS.ProcessEnv
  cacheDir: string
  platform: NodeJS.Platform
  /** As `process.arch`: `x64`, `arm64`. */
  arch: string
  /** The user's id; 0 is root. */
  uid: number
  /** Where the file system begins: `/proc`, `/etc`, `/usr/share` and the sbin directories are looked up below it. @default '/' */
  root: string
  cores: number
  /** Memory that processes may still take, in bytes; within a container what its limit leaves. */
  availableMemory: () => number
  /** Space that the user may still fill on the file system of `dir`, in bytes. */
  freeSpace: (dir: string) => Promise<number>
}

/** This host, with `given` in place of what it really is. */
export function hostContext(given: Partial<HostContext> = {}): HostContext {
  const { env = process.env, root = '/' } = given
  return {
    env,
    cacheDir: defaultCacheDir(env),
    platform: platform(),
    arch: process.arch,
    uid: process.getuid?.() ?? 0,
    root,
    cores: availableParallelism(),
    availableMemory: () => availableMemory(root),
    freeSpace,
    ...given,
  }
}

/** The path of a system file on the host of `context`. */
export function systemPath({ root }: HostContext, path: string): string {
  return join(root, path)
}

async function freeSpace(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}
