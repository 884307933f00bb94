import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import type { Board } from '../machine/boards.ts'
import { type BootFiles, type BootSource, prefixed, withBootFiles } from './boot-files.ts'
import { kernelCommandLine } from './command-line.ts'
import { type Config, lastOf, readConfig } from './config-txt.ts'
import { makeDeviceTree } from './device-tree.ts'
import { readInitramfs } from './initramfs.ts'
import { findKernel } from './kernel.ts'
import { modelOf } from './models.ts'
import { type ApplyOverlay, fdtoverlay } from './overlays.ts'

/** What the boot ROM and the firmware would have loaded. Paths of files on the host. */
export interface BootPlan {
  kernel: string
  initramfs?: string
  /** Absent where QEMU makes it. */
  deviceTree?: string
  commandLine: string
  /** What the boot part asks for and this Pi does not get, and why; one sentence each, each once. */
  notEmulated: string[]
}

/** The same as contents. */
export interface BootContents {
  kernel: Buffer
  initramfs: Buffer | undefined
  deviceTree: Buffer | undefined
  commandLine: string
  notEmulated: string[]
}

/** The settings that are followed; `enable_uart=1` is how QEMU's UARTs are anyway. */
const followed = new Set(
  (
    'kernel arm_64bit initramfs ramfsfile auto_initramfs cmdline os_prefix overlay_prefix device_tree ' +
    'dtoverlay dtparam enable_uart'
  ).split(' '),
)

/**
 * Does what a Pi's firmware does before the kernel starts, which QEMU does not: reads config.txt and cmdline.txt of the
 * boot part in `source` as they are now, and writes kernel, initramfs and device tree into `outDir`, for QEMU's -kernel,
 * -initrd and -dtb. A kernel may be gzipped: QEMU unpacks arm64 ones
 * (https://gitlab.com/qemu-project/qemu/-/blob/master/hw/arm/boot.c). Throws a `RaspiError` where a real Pi would not
 * boot either, and for a 32-bit kernel that QEMU cannot start.
 */
export async function readBootPlan(source: BootSource, board: Board, outDir: string): Promise<BootPlan> {
  const dir = privateDir(outDir)
  const contents = await withBootFiles(source, (files) => bootContents(files, board, fdtoverlay(dir)))
  const write = async (name: string, content: Buffer) => {
    const path = join(dir, name)
    await writeFile(path, content, { mode: 0o600 })
    return path
  }
  const { kernel, initramfs, deviceTree, commandLine, notEmulated } = contents
  return {
    kernel: await write('kernel', kernel),
    ...(initramfs && { initramfs: await write('initramfs', initramfs) }),
    ...(deviceTree && { deviceTree: await write('device-tree.dtb', deviceTree) }),
    commandLine,
    notEmulated,
  }
}

/** What `files` make `board` boot. */
export async function bootContents(
  files: BootFiles,
  board: Pick<Board, 'name' | 'deviceTrees' | 'serial0' | 'kernelParameters'>,
  applyOverlay: ApplyOverlay,
): Promise<BootContents> {
  const model = modelOf(board)
  const text = async (path: string) => (await files.read(path))?.toString('utf8')
  const config = await readConfig(text, model)

  const chosen = await findKernel(files, config, model, board)
  const { kernel, name, prefix } = chosen
  const initramfs = await readInitramfs(files, config, name, prefix)

  const overlays = lastOf(config, 'overlay_prefix') || 'overlays/'
  // Without a README the overlays of all prefixes are the same: https://www.raspberrypi.com/documentation/computers/config_txt.html#overlay_prefix
  const own = prefix !== '' && (await files.read(`${prefix}${overlays}README`)) !== undefined
  const tree = chosen.base
    ? await makeDeviceTree({
        ...{ base: chosen.base, settings: config.settings, model, applyOverlay },
        readOverlay: (file) => files.read(`${own ? prefix : ''}${overlays}${file}`),
      }).catch((error) => {
        throw new RaspiError(
          'firmware',
          `The device tree of the boot part cannot be used: ${messageOf(error)}`,
          { hint: 'Copy it again from the kernel that it belongs to.' },
        )
      })
    : withoutTree(config, board)

  const file = prefixed(prefix, lastOf(config, 'cmdline') || 'cmdline.txt')
  const line = kernelCommandLine(board, { file, text: await text(file), deviceTree: tree.bootArguments })
  const notEmulated = [config, chosen, initramfs, tree, line].flatMap((part) => part.notEmulated)
  notEmulated.push(...unfollowed(config))
  return {
    kernel,
    initramfs: initramfs.content,
    deviceTree: tree.blob,
    commandLine: line.commandLine,
    notEmulated: [...new Set(notEmulated)],
  }
}

/** What becomes of overlays and parameters on a board whose device tree is QEMU's. */
function withoutTree({ settings }: Config, board: Pick<Board, 'name'>) {
  const notEmulated = settings
    .filter(({ name }) => name === 'dtoverlay' || name === 'dtparam')
    .map(({ name, value }) => `${name}=${value}: the board ${board.name} has nothing of a Pi's hardware`)
  return { blob: undefined, bootArguments: '', notEmulated }
}

function unfollowed({ settings }: Config): string[] {
  return settings
    .filter(({ name, value }) => !followed.has(name) || (name === 'enable_uart' && value === '0'))
    .map(({ name, value }) => `${name}=${value}: nothing in QEMU heeds it`)
}
