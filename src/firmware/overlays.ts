import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Fdt, nodeAt, stringOf } from './fdt.ts'
import type { Model } from './models.ts'

/** Applies the overlay blob `overlay` to the device tree blob `base`. Throws an Error that says why it cannot. */
export type ApplyOverlay = (base: Buffer, overlay: Buffer) => Promise<Buffer>

/**
 * Applies overlays with `fdtoverlay` of the device tree compiler, with a temporary file in `dir`.
 * https://manpages.debian.org/stable/device-tree-compiler/fdtoverlay.1.en.html
 */
export function fdtoverlay(dir: string): ApplyOverlay {
  return async (base, overlay) => {
    const file = join(dir, 'overlay.dtbo')
    await writeFile(file, overlay, { mode: 0o600 })
    const result = await execa('fdtoverlay', ['-i', '-', '-o', '-', file], {
      input: base,
      encoding: 'buffer',
      reject: false,
    })
    await rm(file, { force: true })
    if (!result.failed) return Buffer.from(result.stdout)
    if (result.code === 'ENOENT') throw new Error('fdtoverlay is missing: install device-tree-compiler')
    const code = /FDT_ERR_\w+/.exec(Buffer.from(result.stderr ?? []).toString())?.[0]
    const why = code === 'FDT_ERR_NOTFOUND' ? 'the device tree lacks something that it refers to' : code
    throw new Error(`fdtoverlay cannot apply it: ${why ?? result.originalMessage}`)
  }
}

/** What overlay_map.dtb makes of the overlay `name` on `model`. Throws an Error where it is not for the model. */
export function mappedOverlay(map: Fdt | undefined, name: string, { platform }: Model): string {
  const entry = map && nodeAt(map, `/${name}`)
  if (!entry) return name
  if (entry.properties.has(platform)) return stringOf(entry, platform) || name
  const renamed = stringOf(entry, 'renamed')
  if (renamed) return renamed
  throw new Error(stringOf(entry, 'deprecated') ?? `it is not for ${platform}`)
}
