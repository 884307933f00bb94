import { messageOf } from '../errors.ts'
import type { Setting } from './config-txt.ts'
import { type Fdt, formatFdt, nodeAt, parseFdt, removeNode, stringOf, stringValue } from './fdt.ts'
import type { Model } from './models.ts'
import { type ApplyOverlay, mappedOverlay } from './overlays.ts'
import { isOn, setParameter, statusOf } from './parameters.ts'

/** What a device tree is made from. */
export interface DeviceTreeSource {
  /** The board's own device tree blob. */
  base: Buffer
  /** The `dtoverlay` and `dtparam` of config.txt; others are passed over. */
  settings: readonly Setting[]
  model: Model
  /** Reads a file of the overlays' directory. */
  readOverlay: (file: string) => Promise<Buffer | undefined>
  applyOverlay: ApplyOverlay
}

/** The device tree as the kernel gets it. */
export interface DeviceTree {
  blob: Buffer
  /** The kernel arguments it holds in /chosen; empty where it has none. */
  bootArguments: string
  notEmulated: string[]
}

/** The firmware's own names of the bus for users (`i2c_arm`) and of that for cameras and HATs (`i2c_vc`). */
const aliases: Record<string, string> = {
  i2c: 'i2c1',
  i2c_arm: 'i2c1',
  i2c_vc: 'i2c0',
  i2c_baudrate: 'i2c1_baudrate',
  i2c_arm_baudrate: 'i2c1_baudrate',
  i2c_vc_baudrate: 'i2c0_baudrate',
}

/**
 * The nodes that Raspberry Pi's device trees let parameters switch. Mainline's have the nodes but no parameters:
 * https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/arch/arm/boot/dts/broadcom/bcm283x.dtsi
 */
const switched: Record<string, string> = {
  i2c0: '/soc/i2c@7e205000',
  i2c1: '/soc/i2c@7e804000',
  i2s: '/soc/i2s@7e203000',
  spi: '/soc/spi@7e204000',
  uart0: '/soc/serial@7e201000',
  uart1: '/soc/serial@7e215040',
}

/**
 * Applies the overlays and parameters of config.txt to the board's device tree, in their order, and lets go of the
 * Bluetooth chip that QEMU lacks. What fails is told and left out, as the firmware boots without it too.
 * https://www.raspberrypi.com/documentation/computers/configuration.html#device-trees-overlays-and-parameters
 */
export async function makeDeviceTree(source: DeviceTreeSource): Promise<DeviceTree> {
  const { settings, model, readOverlay, applyOverlay } = source
  const notEmulated: string[] = []
  let tree = parseFdt(source.base)

  const attempt = async <T>(setting: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      notEmulated.push(`${setting}: ${messageOf(error)}`)
      return undefined
    }
  }
  const load = async (name: string): Promise<Fdt> => {
    const map = await readOverlay('overlay_map.dtb')
    const file = `${mappedOverlay(map && parseFdt(map), name, model)}.dtbo`
    const blob = await readOverlay(file)
    if (!blob) throw new Error(`there is no overlay ${file} on the boot part`)
    return parseFdt(blob)
  }

  const scopes = scopesOf(settings)
  for (const { overlay: name, parameters } of scopes) {
    const overlay = name ? await attempt(`dtoverlay=${name}`, () => load(name)) : undefined
    for (const parameter of parameters) {
      await attempt(`dtparam=${parameter}`, () => {
        const [key = '', value = 'true'] = parameter.split(/=(.*)/s)
        if ((overlay && setParameter(overlay, key, value)) || setOfBase(tree, key, value)) return
        // That an overlay is missing is said already, and its parameters are missing with it.
        if (!name || overlay) throw new Error('there is no such parameter')
      })
    }
    if (!overlay) continue
    const applied = await attempt(`dtoverlay=${name}`, () =>
      applyOverlay(formatFdt(tree), formatFdt(overlay)),
    )
    if (applied) tree = parseFdt(applied)
  }

  const bluetooth = scopes
    .flatMap(({ parameters }) => parameters)
    .findLast((each) => /^krnbt(=|$)/.test(each))
  if (bluetooth && isOn(bluetooth.split('=')[1] ?? 'on')) {
    notEmulated.push(
      `dtparam=${bluetooth}: its driver takes the first UART, so nobody can log in on the console`,
    )
  } else giveUartToConsole(tree)
  return {
    blob: formatFdt(tree),
    bootArguments: stringOf(nodeAt(tree, '/chosen'), 'bootargs') ?? '',
    notEmulated,
  }
}

/** The overlays in their order, and the parameters that are looked up in each first; those before any in none. */
function scopesOf(settings: readonly Setting[]): { overlay: string; parameters: string[] }[] {
  const first: { overlay: string; parameters: string[] } = { overlay: '', parameters: [] }
  const scopes = [first]
  for (const { name, value } of settings) {
    const [head = '', ...others] = value.split(',').map((part) => part.trim())
    if (name === 'dtparam') scopes.at(-1)?.parameters.push(...[head, ...others].filter(Boolean))
    if (name === 'dtoverlay') scopes.push({ overlay: head, parameters: others.filter(Boolean) })
  }
  return scopes
}

/** Sets a parameter of the base device tree. Gives false where it has none of that name. */
function setOfBase(tree: Fdt, name: string, value: string): boolean {
  const alias = aliases[name] ?? name
  if (setParameter(tree, name, value) || setParameter(tree, alias, value)) return true
  const node = nodeAt(tree, '/__overrides__') ? undefined : nodeAt(tree, switched[alias] ?? '/-')
  node?.properties.set('status', stringValue(statusOf(value)))
  return node !== undefined
}

/**
 * Makes the PL011 what it is on a Pi without Bluetooth, or with `dtoverlay=disable-bt`: the first serial port, free for
 * the console. With a Bluetooth chip below it Linux makes no /dev/ttyAMA0 of it, so nobody could log in. The chip is
 * left where the user asked the kernel for it, by `krnbt=on`, or moved it to the other UART, by `miniuart-bt`.
 * https://www.raspberrypi.com/documentation/computers/configuration.html#primary-and-secondary-uart
 */
function giveUartToConsole(tree: Fdt): void {
  const pl011 = '/soc/serial@7e201000'
  const miniUart = '/soc/serial@7e215040'
  removeNode(tree, `${pl011}/bluetooth`)
  const names = nodeAt(tree, '/aliases')?.properties
  if (!names || !nodeAt(tree, pl011) || !nodeAt(tree, miniUart)) return
  names.set('serial0', stringValue(pl011))
  names.set('serial1', stringValue(miniUart))
}
