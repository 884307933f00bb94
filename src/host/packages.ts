import { readFileSync } from 'node:fs'
import { type HostContext, systemPath } from './context.ts'
import { programsNamed } from './programs.ts'

/** The package managers that `doctor --fix` can use. */
export type PackageManager = 'apt' | 'dnf' | 'pacman' | 'zypper' | 'brew'

/** A command as it would be typed: shown first, then run. */
export type Command = readonly [file: string, ...args: string[]]

/** The packages of one thing by package manager; none where the distribution has no package of it. */
export type Packages = Partial<Record<PackageManager, readonly string[]>>

const commandOf: Record<PackageManager, string> = {
  apt: 'apt-get',
  dnf: 'dnf',
  pacman: 'pacman',
  zypper: 'zypper',
  brew: 'brew',
}

/** The families of https://www.freedesktop.org/software/systemd/man/latest/os-release.html that ID and ID_LIKE name. */
const managerOfFamily: Record<string, PackageManager> = {
  debian: 'apt',
  ubuntu: 'apt',
  fedora: 'dnf',
  rhel: 'dnf',
  arch: 'pacman',
  suse: 'zypper',
  opensuse: 'zypper',
}

/**
 * The package manager of the host's distribution, else the first one that is installed. The distribution comes first,
 * because apt is also a plain tool on Fedora and Arch, where mmdebstrap depends on it.
 */
export async function packageManager(context: HostContext): Promise<PackageManager | undefined> {
  const { ID = '', ID_LIKE = '' } = osRelease(context)
  const ofFamily = [ID, ...ID_LIKE.split(' ')].map((family) => managerOfFamily[family])
  for (const manager of [...ofFamily, ...(Object.keys(commandOf) as PackageManager[])]) {
    if (manager && (await programsNamed(commandOf[manager], context)).length > 0) return manager
  }
  return undefined
}

/** The host's operating system as it calls itself: `Debian GNU/Linux 12 (bookworm)`. */
export function systemName(context: HostContext): string {
  return osRelease(context).PRETTY_NAME ?? (context.platform === 'darwin' ? 'macOS' : context.platform)
}

/** The one command that installs `packages`, without asking and without what they merely recommend. */
export function installCommand(
  manager: PackageManager,
  packages: readonly string[],
  { uid }: HostContext,
): Command {
  switch (manager) {
    case 'apt': {
      const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages]
      return asRoot(uid, ['env', 'DEBIAN_FRONTEND=noninteractive', ...install])
    }
    case 'dnf':
      return asRoot(uid, ['dnf', 'install', '-y', ...packages])
    case 'pacman':
      return asRoot(uid, ['pacman', '-S', '--needed', '--noconfirm', ...packages])
    case 'zypper':
      return asRoot(uid, ['zypper', '--non-interactive', 'install', '--no-recommends', ...packages])
    case 'brew':
      // Homebrew refuses to run as root.
      return ['brew', 'install', ...packages]
  }
}

/** What people type to install `packages`; the manager may then ask and recommend what it likes. */
export function installByHand(
  manager: PackageManager,
  packages: readonly string[],
  { uid }: HostContext,
): string {
  const command: Command = [commandOf[manager], manager === 'pacman' ? '-S' : 'install', ...packages]
  return shown(manager === 'brew' ? command : asRoot(uid, command))
}

/** What has to run before {@link installCommand}: apt's lists of packages are stale or absent in a fresh container. */
export function refreshCommands(manager: PackageManager, { uid }: HostContext): Command[] {
  return manager === 'apt' ? [asRoot(uid, ['apt-get', 'update'])] : []
}

/** The command as root runs it: through sudo for everyone else. */
export function asRoot(uid: number, command: Command): Command {
  return uid === 0 ? command : ['sudo', ...command]
}

/** The command for people, as they would type it into a shell. */
export function shown(command: Command): string {
  return command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

function osRelease(context: HostContext): Record<string, string> {
  try {
    const lines = readFileSync(systemPath(context, '/etc/os-release'), 'utf8').split('\n')
    const pairs = lines.map((line) => /^(\w+)=["']?(.*?)["']?$/.exec(line))
    return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1], pair[2]]] : [])))
  } catch {
    return {}
  }
}
