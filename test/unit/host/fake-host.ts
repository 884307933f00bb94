import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type HostContext, hostContext } from '../../../src/host/context.ts'

/** What a host with everything answers when its programs are asked for their versions. */
const complete = {
  'qemu-system-aarch64': 'QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1)',
  'qemu-img': 'qemu-img version 8.2.2',
  'ansible-playbook': 'ansible-playbook [core 2.16.3]',
  ssh: 'OpenSSH_9.6p1 Ubuntu-3ubuntu13, OpenSSL 3.0.13',
  python3: 'Python 3.12.3',
  fdtoverlay: '',
  setpriv: 'setpriv from util-linux 2.39.3',
  mmdebstrap: 'mmdebstrap 1.4.3',
  'arch-test': '',
  'qemu-aarch64-static': 'qemu-aarch64 version 8.2.2',
  mke2fs: 'mke2fs 1.47.0 (5-Feb-2023)',
  'mkfs.vfat': 'mkfs.fat 4.2 (2021-01-31)',
  xz: 'xz (XZ Utils) 5.4.1',
  sfdisk: 'sfdisk from util-linux 2.39.3',
  mcopy: 'mcopy (GNU mtools) 4.0.43',
  lscpu: 'Virtualization:      VT-x',
  ipmi_sim: '',
  dnsmasq: 'Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley',
  'apt-get': '',
}

export interface FakeHost {
  context: HostContext
  /** The directory below which the host's file system lies. */
  root: string
  /** Puts a program at `path` that says `output`. */
  program: (path: string, output: string) => string
  /** Puts a program at `path` that is this shell script. */
  script: (path: string, script: string) => string
  file: (path: string, text: string) => void
  remove: (path: string) => void
}

/** A Debian host in a temporary directory that has everything; root's, x86, with 4 cores, 8 GiB and 100 GB. */
export function fakeHost(given: Partial<HostContext> = {}): FakeHost {
  const root = mkdtempSync(join(tmpdir(), 'vitest-raspi-host-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const file = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const script = (path: string, text: string) => {
    file(path, `#!/bin/sh\n${text}\n`)
    chmodSync(join(root, path), 0o755)
    return join(root, path)
  }
  const program = (path: string, output: string) => script(path, `echo '${output}'`)
  for (const [name, output] of Object.entries(complete)) program(`/usr/bin/${name}`, output)
  file('/etc/os-release', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n')
  file('/usr/share/keyrings/debian-archive-keyring.gpg', '')
  file('/usr/lib/python3/dist-packages/ansible_mitogen', '')
  for (const name of ['aarch64', 'arm']) {
    file(
      `/usr/lib/binfmt.d/qemu-${name}.conf`,
      `:qemu-${name}:M::…:/usr/libexec/qemu-binfmt/${name}-binfmt-P:OPF\n`,
    )
    file(
      `/proc/sys/fs/binfmt_misc/qemu-${name}`,
      `enabled\ninterpreter /usr/bin/qemu-${name}-static\nflags: OCF\n`,
    )
  }
  file('/proc/sys/fs/binfmt_misc/register', '')
  const context = hostContext({
    env: { PATH: join(root, 'usr/bin') },
    cacheDir: join(root, 'home/pi/.cache/vitest-raspi'),
    platform: 'linux',
    arch: 'x64',
    uid: 0,
    root,
    cores: 4,
    availableMemory: () => 8 * 2 ** 30,
    freeSpace: async () => 100e9,
    ...given,
  })
  return { context, root, program, script, file, remove: (path) => rmSync(join(root, path)) }
}
