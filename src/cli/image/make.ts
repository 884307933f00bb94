import { dirname, resolve } from 'node:path'
import { privateDir } from '../../host/paths.ts'
import { lockFileName } from '../../image/lock-file.ts'
import { resolveImage } from '../../image/resolve-image.ts'
import type { ImageOption } from '../../image-option.ts'
import { interruptible } from '../interrupt.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

/** The options of the commands that make images. */
export interface MakeOptions extends ImageOptions {
  lockFile?: string
  update?: boolean
}

/** Makes an image and tells where it is: what it does goes to stderr, the path to stdout. Ctrl-C leaves nothing behind. */
export async function makeImage(
  option: ImageOption,
  options: MakeOptions,
  { context, output }: ImageCommand,
) {
  const { json, cacheDir = context.cacheDir, lockFile = lockFileName, update = false } = options
  const image = await interruptible((signal) =>
    resolveImage(option, {
      ...{ cacheDir: privateDir(cacheDir), log: output.err, signal, update },
      ...{ lockFile: resolve(lockFile), baseDir: dirname(resolve(lockFile)) },
    }),
  )
  const { name, id, path, architecture, user } = image
  output.out(json ? JSON.stringify({ name, id, path, architecture, user }, undefined, 2) : path)
}
