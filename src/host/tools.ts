import { existsSync } from 'node:fs'
import { ansibleVariable } from '../ansible-option.ts'
import type { Group } from './check.ts'
import { type HostContext, systemPath } from './context.ts'
import type { Packages } from './packages.ts'

/** A program or file that must be on the host. */
export interface Tool {
  group: Group
  /** The names by which it goes, the preferred first: programs of the PATH, or one absolute path of a file. */
  names: readonly [string, ...string[]]
  /** What it does here, for whoever lacks it. */
  purpose: string
  /** How to ask for the version, and where it is in the answer. Absent where the program has no version. */
  version?: { args: readonly string[]; pattern: RegExp }
  minimum?: string
  /** An environment variable that names the program, in place of PATH. */
  variable?: string
  packages: Packages
  /** Where to get it where no package is known. */
  home: string
  /** Whether most tests do without it: then nothing is kept from starting. @default false */
  optional?: boolean
  /** Where it is needed. @default everywhere */
  only?: (context: HostContext) => boolean
}

const onLinux = ({ platform }: HostContext) => platform === 'linux'
/** An arm64 host runs the image's programs itself. */
const onForeignLinux = ({ platform, arch }: HostContext) => platform === 'linux' && arch !== 'arm64'
const ansibleIsHere = ({ env }: HostContext) => !env[ansibleVariable]
const onLinuxWithoutRoot = ({ platform, uid }: HostContext) => platform === 'linux' && uid !== 0
const utilLinux = {
  version: { args: ['--version'], pattern: /util-linux (\d+(?:\.\d+)+)/ },
  packages: { apt: ['util-linux'], dnf: ['util-linux'], pacman: ['util-linux'], zypper: ['util-linux'] },
  home: 'https://github.com/util-linux/util-linux',
} as const

/**
 * Every program and file that the host needs. Package names: https://packages.debian.org,
 * https://packages.fedoraproject.org, https://archlinux.org/packages, https://software.opensuse.org,
 * https://formulae.brew.sh. A path in place of a name asks dnf and zypper for whatever package has it.
 */
export const tools = {
  qemu: {
    group: 'run',
    names: ['qemu-system-aarch64'],
    purpose: 'emulates the Pis',
    version: { args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/ },
    minimum: '7.2',
    variable: 'VITEST_RASPI_QEMU',
    packages: {
      apt: ['qemu-system-arm'],
      dnf: ['qemu-system-aarch64-core'],
      pacman: ['qemu-system-aarch64'],
      zypper: ['qemu-arm'],
      brew: ['qemu'],
    },
    home: 'https://www.qemu.org/download/',
  },
  qemuImg: {
    group: 'run',
    names: ['qemu-img'],
    purpose: "makes the Pis' SD cards",
    version: { args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/ },
    packages: {
      apt: ['qemu-utils'],
      dnf: ['qemu-img'],
      pacman: ['qemu-img'],
      // In the package qemu-img of Tumbleweed, in qemu-tools before.
      zypper: ['/usr/bin/qemu-img'],
      brew: ['qemu'],
    },
    home: 'https://www.qemu.org/download/',
  },
  ansiblePlaybook: {
    group: 'run',
    names: ['ansible-playbook'],
    purpose: 'runs your playbooks',
    // `ansible-playbook [core 2.14.18]`; before 2.11 `ansible-playbook 2.10.17`.
    version: { args: ['--version'], pattern: /ansible-playbook \[?(?:core )?(\d+(?:\.\d+)+)/ },
    minimum: '2.14',
    packages: {
      apt: ['ansible-core'],
      dnf: ['ansible-core'],
      pacman: ['ansible-core'],
      zypper: ['ansible-core'],
      brew: ['ansible'],
    },
    home: 'https://docs.ansible.com/ansible/latest/installation_guide/',
    only: ansibleIsHere,
  },
  ssh: {
    group: 'run',
    names: ['ssh'],
    purpose: 'reaches the Pis',
    version: { args: ['-V'], pattern: /(?:OpenSSH_|OpenSSH_for_\w+_)(\d+\.\d+\w*)/ },
    packages: {
      apt: ['openssh-client'],
      dnf: ['openssh-clients'],
      pacman: ['openssh'],
      zypper: ['openssh-clients'],
      brew: ['openssh'],
    },
    home: 'https://www.openssh.com/portable.html',
  },
  python3: {
    group: 'run',
    names: ['python3'],
    purpose: 'ends what a playbook run leaves behind',
    version: { args: ['--version'], pattern: /Python (\d+(?:\.\d+)+)/ },
    packages: {
      apt: ['python3'],
      dnf: ['python3'],
      pacman: ['python'],
      zypper: ['python3'],
    },
    home: 'https://www.python.org/downloads/',
    only: onLinux,
  },
  setpriv: {
    group: 'run',
    names: ['setpriv'],
    purpose: "ends QEMU when Vitest ends; BusyBox's cannot",
    ...utilLinux,
    only: onLinux,
  },
  fdtoverlay: {
    group: 'run',
    names: ['fdtoverlay'],
    purpose: 'applies device tree overlays of a config.txt',
    packages: {
      apt: ['device-tree-compiler'],
      dnf: ['dtc'],
      pacman: ['dtc'],
      zypper: ['dtc'],
      brew: ['dtc'],
    },
    home: 'https://git.kernel.org/pub/scm/utils/dtc/dtc.git',
    optional: true,
  },
  mitogen: {
    group: 'run',
    names: ['/usr/lib/python3/dist-packages/ansible_mitogen'],
    purpose: "makes a playbook's tasks several times as fast, with the option `accelerate`",
    packages: { apt: ['ansible-mitogen'] },
    home: 'https://mitogen.networkgenomics.com/ansible_detailed.html',
    // Elsewhere it comes by pip into whatever Python Ansible has, and there is no one place to look.
    only: (context) => ansibleIsHere(context) && existsSync(systemPath(context, '/usr/bin/apt-get')),
    optional: true,
  },
  ipmiSim: {
    group: 'bmc',
    names: ['ipmi_sim'],
    purpose: 'is the BMC of a Pi',
    packages: { apt: ['openipmi'], dnf: ['/usr/bin/ipmi_sim'], zypper: ['/usr/bin/ipmi_sim'] },
    home: 'https://openipmi.sourceforge.io',
  },
  dnsmasq: {
    group: 'dhcp',
    names: ['dnsmasq'],
    purpose: 'gives Pis their addresses',
    version: { args: ['--version'], pattern: /[Vv]ersion (\d+(?:\.\d+)+)/ },
    packages: {
      apt: ['dnsmasq-base'],
      dnf: ['dnsmasq'],
      pacman: ['dnsmasq'],
      zypper: ['dnsmasq'],
    },
    home: 'https://thekelleys.org.uk/dnsmasq/doc.html',
    only: onLinux,
  },
  mmdebstrap: {
    group: 'build',
    names: ['mmdebstrap'],
    purpose: 'fills the image with Debian',
    version: { args: ['--version'], pattern: /mmdebstrap (\d+(?:\.\d+)+)/ },
    packages: { apt: ['mmdebstrap'], dnf: ['mmdebstrap'] },
    home: 'https://gitlab.mister-muffin.de/josch/mmdebstrap',
    only: onLinux,
  },
  keyring: {
    group: 'build',
    names: ['/usr/share/keyrings/debian-archive-keyring.gpg'],
    purpose: "has the keys that Debian's archive is signed with",
    packages: {
      apt: ['debian-archive-keyring'],
      dnf: ['debian-keyring'],
      pacman: ['debian-archive-keyring'],
    },
    home: 'https://packages.debian.org/stable/debian-archive-keyring',
    only: onLinux,
  },
  archTest: {
    group: 'build',
    names: ['arch-test'],
    purpose: 'tells mmdebstrap that arm64 programs run',
    packages: { apt: ['arch-test'], dnf: ['arch-test'] },
    home: 'https://github.com/kilobyte/arch-test',
    only: onForeignLinux,
  },
  qemuUser: {
    group: 'build',
    // From Debian 13 on qemu-aarch64 is the static one, and the name with -static goes away.
    names: ['qemu-aarch64-static', 'qemu-aarch64'],
    purpose: "runs the image's arm64 programs while it is built",
    version: { args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/ },
    packages: {
      apt: ['qemu-user-static'],
      dnf: ['qemu-user-static-aarch64'],
      pacman: ['qemu-user-static', 'qemu-user-static-binfmt'],
      zypper: ['qemu-linux-user'],
    },
    home: 'https://www.qemu.org/download/',
    only: onForeignLinux,
  },
  newuidmap: {
    group: 'build',
    names: ['newuidmap'],
    purpose: 'lets mmdebstrap have users of its own without root',
    packages: { apt: ['uidmap'], dnf: ['shadow-utils'], pacman: ['shadow'], zypper: ['shadow'] },
    home: 'https://github.com/shadow-maint/shadow',
    only: onLinuxWithoutRoot,
  },
  unshare: {
    group: 'build',
    names: ['unshare'],
    purpose: 'lets mmdebstrap work without root',
    ...utilLinux,
    // Since then with --map-auto: https://mirrors.edge.kernel.org/pub/linux/utils/util-linux/v2.38/v2.38-ReleaseNotes
    minimum: '2.38',
    only: onLinuxWithoutRoot,
  },
  mke2fs: {
    group: 'build',
    names: ['mke2fs'],
    purpose: "makes the image's root file system",
    version: { args: ['-V'], pattern: /mke2fs (\d+(?:\.\d+)+)/ },
    packages: { apt: ['e2fsprogs'], dnf: ['e2fsprogs'], pacman: ['e2fsprogs'], zypper: ['e2fsprogs'] },
    home: 'https://e2fsprogs.sourceforge.net',
    only: onLinux,
  },
  sfdisk: {
    group: 'build',
    names: ['sfdisk'],
    purpose: 'divides the image into its two partitions',
    ...utilLinux,
    packages: { ...utilLinux.packages, apt: ['fdisk'] },
    only: onLinux,
  },
  xz: {
    group: 'build',
    names: ['xz'],
    purpose: 'unpacks images that are downloaded',
    version: { args: ['--version'], pattern: /xz \(XZ Utils\) (\d+(?:\.\d+)+)/ },
    packages: { apt: ['xz-utils'], dnf: ['xz'], pacman: ['xz'], zypper: ['xz'] },
    home: 'https://tukaani.org/xz/',
    only: onLinux,
  },
  mkfsVfat: {
    group: 'build',
    names: ['mkfs.vfat'],
    purpose: "makes the image's boot file system",
    version: { args: ['--help'], pattern: /mkfs\.fat (\d+(?:\.\d+)+)/ },
    packages: { apt: ['dosfstools'], dnf: ['dosfstools'], pacman: ['dosfstools'], zypper: ['dosfstools'] },
    home: 'https://github.com/dosfstools/dosfstools',
    only: onLinux,
  },
  mcopy: {
    group: 'build',
    names: ['mcopy'],
    purpose: "fills the image's boot file system",
    version: { args: ['--version'], pattern: /mtools\) (\d+(?:\.\d+)+)/ },
    packages: { apt: ['mtools'], dnf: ['mtools'], pacman: ['mtools'], zypper: ['mtools'] },
    home: 'https://www.gnu.org/software/mtools/',
    only: onLinux,
  },
} as const satisfies Record<string, Tool>

/** What this package calls a program or file that the host needs. */
export type ToolName = keyof typeof tools
