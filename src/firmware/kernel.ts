import { RaspiError } from '../errors.ts'
import type { Board } from '../machine/boards.ts'
import { type BootFiles, prefixed } from './boot-files.ts'
import { type Config, lastOf } from './config-txt.ts'
import type { Model } from './models.ts'

/** The kernel and the device tree that the firmware would take. */
export interface Chosen {
  kernel: Buffer
  /** The kernel's name without prefix, by which `auto_initramfs` finds its initramfs. */
  name: string
  /** The `os_prefix` that holds for all files of the operating system. */
  prefix: string
  /** The board's device tree before overlays; undefined where QEMU makes it. */
  base: Buffer | undefined
  notEmulated: string[]
}

const kernel8 = 'kernel8.img'
const kernelHelp = 'https://www.raspberrypi.com/documentation/computers/config_txt.html#kernel'

/** Finds kernel and device tree. Throws a `RaspiError` where there is none that the board starts. */
export async function findKernel(
  files: BootFiles,
  config: Config,
  model: Model,
  { name: board, deviceTrees }: Pick<Board, 'name' | 'deviceTrees'>,
): Promise<Chosen> {
  const notEmulated: string[] = []
  const names = kernelNames(config, model)
  const chosenTree = lastOf(config, 'device_tree')
  if (chosenTree === '')
    notEmulated.push('device_tree=: a Linux of today needs a device tree, so it gets the usual one')
  const ofQemu = deviceTrees.length === 0
  if (ofQemu && chosenTree)
    notEmulated.push(`device_tree=${chosenTree}: QEMU makes that of the board ${board}`)
  const trees = chosenTree && !ofQemu ? [chosenTree] : deviceTrees

  const osPrefix = lastOf(config, 'os_prefix') ?? ''
  let prefix = osPrefix
  let kernel = await firstOf(files, prefix, names)
  let tree = await firstOf(files, prefix, trees)
  if (prefix !== '' && !(kernel && (tree || ofQemu))) {
    const missing = kernel ? trees : names
    notEmulated.push(
      `os_prefix=${prefix}: the firmware ignores it, as there is no ${prefix}${missing.join(' or ')}`,
    )
    prefix = ''
    kernel = await firstOf(files, prefix, names)
    tree = await firstOf(files, prefix, trees)
  }
  if (!kernel) throw await nothingToBoot(files, `no kernel for the board ${board}, ${names.join(' or ')}`)
  if (!tree && !ofQemu)
    throw await nothingToBoot(files, `no device tree for the board ${board}, ${trees.join(' or ')}`)

  if (model.starts === 64 && is32bit(kernel.content)) {
    const other = await firstOf(files, prefix, [kernel8])
    if (!other) {
      throw new RaspiError(
        'firmware',
        `${kernel.name} is a 32-bit kernel, which QEMU's ${board} cannot start.`,
        {
          hint: `Put a 64-bit ${kernel8} on the boot part: it runs 32-bit programs too.`,
        },
      )
    }
    notEmulated.push(`${kernel.name}: QEMU's ${board} starts 64-bit kernels only, so it gets ${kernel8}`)
    kernel = other
  }
  return { kernel: kernel.content, name: kernel.name, prefix, base: tree?.content, notEmulated }
}

/**
 * The kernels the firmware looks for, best first. Without arm_64bit a Pi 3 prefers a 32-bit kernel:
 * https://github.com/raspberrypi/firmware/issues/1193
 */
function kernelNames(config: Config, { kernels, arm64bit }: Model): readonly string[] {
  const named = lastOf(config, 'kernel')
  if (named) return [named]
  if (arm64bit === undefined) return kernels
  const asked = lastOf(config, 'arm_64bit')
  if (asked !== undefined) return Number(asked) ? [kernel8] : kernels
  return arm64bit ? [kernel8, ...kernels] : [...kernels, kernel8]
}

async function firstOf(files: BootFiles, prefix: string, names: readonly string[]) {
  for (const name of names) {
    const content = await files.read(prefixed(prefix, name))
    if (content) return { name, content }
  }
  return undefined
}

/** A zImage tells by its magic number: https://docs.kernel.org/arch/arm/booting.html */
function is32bit(kernel: Buffer): boolean {
  return kernel.length >= 40 && kernel.readUInt32LE(36) === 0x016f2818
}

async function nothingToBoot(files: BootFiles, lacking: string): Promise<RaspiError> {
  const names = (await files.list()).toSorted().join(', ')
  return new RaspiError('firmware', `The card's boot part has ${lacking}; it has ${names || 'no files'}.`, {
    hint: `Copy it there, or name another in config.txt: ${kernelHelp}`,
  })
}
