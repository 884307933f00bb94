import { existsSync, readFileSync } from 'node:fs'
import type { Check } from './check.ts'
import { type HostContext, systemPath } from './context.ts'
import { asRoot, type Command, shown } from './packages.ts'

const name = 'binfmt for arm64'
const directory = '/proc/sys/fs/binfmt_misc'
const entry = `${directory}/qemu-aarch64`

/** What the packages of qemu-user call the file that registers it: Debian and openSUSE, then Fedora and Arch. */
const configurations = ['/usr/lib/binfmt.d/qemu-aarch64.conf', '/usr/lib/binfmt.d/qemu-aarch64-static.conf']

/**
 * Whether the kernel hands arm64 programs to qemu-user, which the image builder needs to run Debian's maintainer
 * scripts. https://docs.kernel.org/admin-guide/binfmt-misc.html
 */
export function checkBinfmt(context: HostContext): Check {
  const check = { name, group: 'build' } as const
  const state = read(context)
  if (state?.startsWith('enabled')) {
    const interpreter = /^interpreter (.+)$/m.exec(state)?.[1]
    return { ...check, status: 'ok', found: `runs ${interpreter}`, path: entry }
  }
  const commands = registerCommands(context)
  return {
    ...check,
    status: 'missing',
    found: state ? `${entry} is disabled` : '(lets the image builder run arm64 programs)',
    remedy:
      commands.length > 0
        ? commands.map(shown).join(' && ')
        : 'install qemu-user, whose package brings the entry',
  }
}

/**
 * The commands that register the entry: by systemd where it runs, else by hand, as in a container. None as long as
 * qemu-user is not installed, or where the entry is there.
 */
export function registerCommands(context: HostContext): Command[] {
  const state = read(context)
  if (state?.startsWith('enabled')) return []
  const shell = (script: string) => asRoot(context.uid, ['sh', '-c', script])
  if (state) return [shell(`echo 1 > ${entry}`)]
  const configuration = configurations.find((path) => existsSync(systemPath(context, path)))
  if (!configuration) return []
  // The test by which sd_booted(3) knows.
  if (existsSync(systemPath(context, '/run/systemd/system'))) {
    return [asRoot(context.uid, ['systemctl', 'restart', 'systemd-binfmt'])]
  }
  const mounted = existsSync(systemPath(context, `${directory}/register`))
  return [
    ...(mounted ? [] : [asRoot(context.uid, ['mount', '-t', 'binfmt_misc', 'binfmt_misc', directory])]),
    shell(`grep ^: ${configuration} > ${directory}/register`),
  ]
}

/** Tells whether `check` is that of {@link checkBinfmt}. */
export function isBinfmt(check: Check): boolean {
  return check.name === name
}

function read(context: HostContext): string | undefined {
  try {
    return readFileSync(systemPath(context, entry), 'utf8')
  } catch {
    return undefined
  }
}
