import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getuid } from 'node:process'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'

const MiB = 2 ** 20
const sector = 512
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

/** What makes a test's image another than Raspberry Pi OS is. */
export interface PiImageOptions {
  /** Files of the boot part to add or, where undefined, to leave out. */
  boot?: Record<string, string | Buffer | undefined>
  /** The same for the root part. */
  root?: Record<string, string | Buffer | undefined>
  /** What makes the file system of the root part. @default an ext4 as Raspberry Pi OS has it */
  mkfs?: (path: string, offset: number, bytes: number) => Promise<unknown>
}

/** An arm64 ELF file, as far as anybody looks. */
export function elf(machine: number, flags = 0): Buffer {
  const header = Buffer.alloc(64)
  header.write('\x7fELF', 'latin1')
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(flags, 36)
  return header
}

const boot = {
  'kernel8.img': gzipSync(
    Buffer.from('….Linux version 6.12.47+rpt-rpi-v8 (serge@raspberrypi.com) (gcc-14) #1 SMP'),
  ),
  initramfs8: 'an initramfs',
  'bcm2710-rpi-3-b.dtb': 'a device tree',
  'config.txt': 'arm_64bit=1\nauto_initramfs=1\n',
  'cmdline.txt':
    'console=serial0,115200 console=tty1 root=PARTUUID=12345678-02 rootfstype=ext4 fsck.repair=yes rootwait quiet resize\n',
  'issue.txt': 'Raspberry Pi reference 2026-09-15\n',
}

const unit = '[Service]\nExecStart=/bin/true\n'
const root = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\npi:x:1000:1000:,,,:/home/pi:/usr/sbin/nologin\n',
  '/etc/shadow': 'root:*:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\npi:!:0:0:99999:7:::\n',
  '/etc/group': 'root:x:0:\nadm:x:4:pi\nsudo:x:27:pi\npi:x:1000:\n',
  '/etc/gshadow': 'root:*::\nadm:*::pi\nsudo:*::pi\npi:!::\n',
  '/etc/hostname': 'raspberrypi\n',
  '/etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n',
  '/usr/bin/dpkg': elf(183),
  '/usr/bin/sudo': 'sudo',
  '/home/pi/.profile': '# theirs\n',
  '/etc/init.d/resize2fs_once': '#!/bin/sh\n',
  ...Object.fromEntries(
    ['ssh', 'userconfig', 'rpi-resize', 'regenerate_ssh_host_keys', 'NetworkManager-wait-online'].map(
      (name) => [`/usr/lib/systemd/system/${name}.service`, unit],
    ),
  ),
}

/** Makes a raw image of Raspberry Pi OS's layout in `dir`, 80 MiB, sparse, that nothing could boot. Gives its path. */
export async function makePiImage(dir: string, options: PiImageOptions = {}): Promise<string> {
  const image = join(dir, 'pi.img')
  const bootDir = join(dir, 'boot')
  const rootDir = join(dir, 'root')
  fill(bootDir, { ...boot, ...options.boot })
  fill(rootDir, { ...root, ...options.root })
  symlinkSync('usr/lib', join(rootDir, 'lib'))
  chmodSync(join(rootDir, 'etc/shadow'), 0o640)
  if (getuid?.() === 0) chownSync(join(rootDir, 'home/pi'), 1000, 1000)

  writeFileSync(image, '')
  truncateSync(image, 80 * MiB)
  const [bootStart, bootBytes] = [4 * MiB, 40 * MiB]
  const rootStart = bootStart + bootBytes
  const table = [
    ...['label: dos', 'label-id: 0x12345678', 'unit: sectors', ''],
    `start=${bootStart / sector}, size=${bootBytes / sector}, type=c`,
    `start=${rootStart / sector}, type=83\n`,
  ]
  await run('sfdisk', ['--quiet', image], table.join('\n'))
  await run('mkfs.vfat', [
    ...['-F', '32', '-s', '1', '-n', 'bootfs', '--offset', String(bootStart / sector), image],
    String(bootBytes / 1024),
  ])
  await run('mcopy', [
    '-s',
    '-i',
    `${image}@@${bootStart}`,
    ...Object.keys({ ...boot, ...options.boot }).flatMap((name) =>
      ({ ...boot, ...options.boot })[name as 'initramfs8'] === undefined ? [] : [join(bootDir, name)],
    ),
    '::/',
  ])
  const rootBytes = 80 * MiB - rootStart
  const mkfs = options.mkfs ?? ((path, offset, bytes) => mke2fs(path, offset, bytes, 'ext4', rootDir))
  await mkfs(image, rootStart, rootBytes)
  rmSync(bootDir, { recursive: true })
  rmSync(rootDir, { recursive: true })
  return image
}

/** Makes a file system within `path`. */
export function mke2fs(path: string, offset: number, bytes: number, type: string, from?: string) {
  const features = type === 'ext4' ? ['-O', 'metadata_csum,64bit,orphan_file', '-b', '4096'] : []
  const content = from ? ['-d', from] : []
  return run('mke2fs', [
    ...['-q', '-F', '-t', type, ...features, '-E', `offset=${offset}`, ...content, path],
    `${bytes / 1024}k`,
  ])
}

function run(program: string, args: string[], input?: string) {
  return execa(program, args, {
    ...{ env: { PATH, MTOOLS_SKIP_CHECK: '1' } },
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  })
}

function fill(dir: string, files: Record<string, string | Buffer | undefined>) {
  mkdirSync(dir)
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) continue
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
}
