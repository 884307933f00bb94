import { type BootFiles, prefixed } from './boot-files.ts'
import { type Config, lastOf } from './config-txt.ts'

/**
 * Reads the initramfs that goes with the kernel `kernel`: the one config.txt names, else with `auto_initramfs=1` the one
 * named like the kernel, initramfs8 for kernel8.img. The firmware boots without one that is not there.
 * https://www.raspberrypi.com/documentation/computers/config_txt.html#auto_initramfs
 */
export async function readInitramfs(
  files: BootFiles,
  config: Config,
  kernel: string,
  prefix: string,
): Promise<{ content: Buffer | undefined; notEmulated: string[] }> {
  const setting = config.settings.findLast(({ name }) => name === 'initramfs' || name === 'ramfsfile')
  if (!setting) {
    const name = kernel.replace(/(?<=^|\/)kernel([^/]*)\.img$/, 'initramfs$1')
    const wanted = Number(lastOf(config, 'auto_initramfs') ?? 0) !== 0 && name !== kernel
    return { content: wanted ? await files.read(prefixed(prefix, name)) : undefined, notEmulated: [] }
  }
  const notEmulated: string[] = []
  const [names = '', address = 'followkernel'] = setting.value.split(/\s+/)
  if (address !== 'followkernel' && Number(address) !== 0) {
    notEmulated.push(`${setting.name} ${setting.value}: QEMU picks the address itself`)
  }
  const contents: Buffer[] = []
  for (const name of names.split(',').filter(Boolean)) {
    const content = await files.read(prefixed(prefix, name))
    if (!content)
      notEmulated.push(`${setting.name} ${name}: there is no such file, the kernel starts without it`)
    // Several are one to the kernel, each at a multiple of 4: https://github.com/raspberrypi/firmware/issues/1318
    else contents.push(Buffer.alloc(-(contents.at(-1)?.length ?? 0) & 3), content)
  }
  return { content: contents.length > 0 ? Buffer.concat(contents) : undefined, notEmulated }
}
