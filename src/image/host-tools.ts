import { platform } from 'node:os'
import { execa } from 'execa'
import { RaspiError } from '../errors.ts'
import { searchPath } from './as-root.ts'

/** The programs a build calls and the packages (Debian, Ubuntu) that have them. */
const packages: Record<string, string> = {
  mmdebstrap: 'mmdebstrap',
  unshare: 'util-linux',
  sfdisk: 'fdisk',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
  mke2fs: 'e2fsprogs',
}

/** Throws a `RaspiError` of kind `host` where the host lacks what the build of the image `name` calls. */
export async function checkHost(name: string): Promise<void> {
  const system = platform()
  if (system !== 'linux') {
    throw new RaspiError('host', `Image ${name} cannot be built: that takes Linux, and this is ${system}.`, {
      hint: 'Build it once in a Linux virtual machine and copy the cache directory here.',
    })
  }
  const lacking = await missing(Object.keys(packages))
  if (lacking.length === 0) return
  const wanted = lacking.map((tool) => packages[tool])
  throw new RaspiError('host', `Image ${name} cannot be built: ${lacking.join(', ')} not found.`, {
    hint: `sudo apt install ${wanted.join(' ')} qemu-user-static arch-test debian-archive-keyring uidmap`,
  })
}

/** Those of `tools` that are not in the search path. */
export async function missing(tools: string[], path: string = searchPath): Promise<string[]> {
  const script = 'for tool; do command -v "$tool" >/dev/null || echo "$tool"; done'
  const { stdout } = await execa('/bin/sh', ['-c', script, 'sh', ...tools], { env: { PATH: path } })
  return stdout.split('\n').filter(Boolean)
}
