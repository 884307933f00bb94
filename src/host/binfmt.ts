import { existsSync, readFileSync } from 'node:fs'
import type { Check } from './check.ts'
import { type HostContext, systemPath } from './context.ts'
import { asRoot, type Command, shown } from './packages.ts'

const directory = '/proc/sys/fs/binfmt_misc'

/** What an image's programs are for, by Debian's name, and how qemu-user calls it. */
const qemuNames = { arm64: 'aarch64', armhf: 'arm' } as const
type Programs = keyof typeof qemuNames

const nameOf = (programs: Programs) => `binfmt for ${programs}`
const entryOf = (programs: Programs) => `${directory}/qemu-${qemuNames[programs]}`

/** What the packages of qemu-user call the file that registers it: Debian and openSUSE, then Fedora and Arch. */
const configurationsOf = (programs: Programs) =>
  ['', '-static'].map((end) => `/usr/lib/binfmt.d/qemu-${qemuNames[programs]}${end}.conf`)

/**
 * Whether the kernel hands arm64 programs to qemu-user, which the image builder needs to run Debian's maintainer
 * scripts; or those for armhf, which only images of 32 bits need. https://docs.kernel.org/admin-guide/binfmt-misc.html
 */
export function checkBinfmt(context: HostContext, programs: Programs): Check {
  const check = { name: nameOf(programs), group: 'build' } as const
  const entry = entryOf(programs)
  const state = read(context, entry)
  if (state?.startsWith('enabled')) {
    const interpreter = /^interpreter (.+)$/m.exec(state)?.[1]
    return { ...check, status: 'ok', found: `runs ${interpreter}`, path: entry }
  }
  const commands = registerCommands(context, programs)
  return {
    ...check,
    status: 'missing',
    found: state ? `${entry} is disabled` : `(lets the image builder run ${programs} programs)`,
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
export function registerCommands(context: HostContext, programs: Programs): Command[] {
  const entry = entryOf(programs)
  const state = read(context, entry)
  if (state?.startsWith('enabled')) return []
  const shell = (script: string) => asRoot(context.uid, ['sh', '-c', script])
  if (state) return [shell(`echo 1 > ${entry}`)]
  const configuration = configurationsOf(programs).find((path) => existsSync(systemPath(context, path)))
  if (!configuration) return []
  // The test by which sd_booted(3) knows.
  if (existsSync(systemPath(context, '/run/systemd/system'))) {
    return [asRoot(context.uid, ['systemctl', 'restart', 'systemd-binfmt'])]
  }
  const register = `grep ^: ${configuration} > ${directory}/register`
  if (existsSync(systemPath(context, `${directory}/register`))) return [shell(register)]
  return [
    asRoot(context.uid, ['mount', '-t', 'binfmt_misc', 'binfmt_misc', directory]),
    // The kernel may have had it all along, unseen here: as in a container, or in a chroot with a /proc of its own.
    shell(`[ -e ${entry} ] || ${register}`),
  ]
}

/** The programs whose entry `check` is about, where it is one of {@link checkBinfmt}. */
export function binfmtOf({ name }: Check): Programs | undefined {
  return (Object.keys(qemuNames) as Programs[]).find((programs) => nameOf(programs) === name)
}

function read(context: HostContext, entry: string): string | undefined {
  try {
    return readFileSync(systemPath(context, entry), 'utf8')
  } catch {
    return undefined
  }
}
