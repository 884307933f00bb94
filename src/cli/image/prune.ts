import { resolve } from 'node:path'
import type { Command } from 'commander'
import { removeEntry, unusedImages } from '../../freeze/cache-entries.ts'
import { lockFileName } from '../../image/lock-file.ts'
import { olderThan, prunedAndKept } from '../prune.ts'
import { megabytes, shortId, withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

/** Adds `prune`. */
export function addPrune(image: Command, { context, output }: ImageCommand): void {
  withCommonOptions(
    image.command('prune'),
    '{ images: [{ name, id, bytes }], strays: [{ path, bytes }], bytes }',
  )
    .description(
      'remove images that nothing has used for a while, the frozen Pis on them, and downloads of no image',
    )
    .addOption(olderThan())
    .option('--dry-run', 'only print what would be removed')
    .addHelpText(
      'after',
      `\n${prunedAndKept}\n\`vitest-raspi prune\` also removes unused frozen Pis of images that are kept.`,
    )
    .action(async (options: ImageOptions & { olderThan: number; dryRun?: boolean }) => {
      const { json, cacheDir = context.cacheDir, dryRun = false } = options
      const gone = await unusedImages(cacheDir, new Date(Date.now() - options.olderThan), [
        resolve(lockFileName),
      ])
      if (!dryRun) for (const each of gone) await removeEntry(cacheDir, each)
      const images = gone
        .filter(({ kind }) => kind === 'image')
        .map(({ name = 'damaged', id, bytes }) => ({ name, id, bytes }))
      const strays = gone
        .filter(({ kind }) => kind !== 'image')
        .map(({ dir, bytes }) => ({ path: dir, bytes }))
      const bytes = gone.reduce((sum, each) => sum + each.bytes, 0)
      if (json) return output.out(JSON.stringify({ images, strays, bytes }, undefined, 2))
      const verb = dryRun ? 'Would remove' : 'Removed'
      for (const { name, id, bytes } of images)
        output.out(`${verb} ${name} (${shortId(id)}), ${megabytes(bytes)}.`)
      for (const { path, bytes } of strays) output.out(`${verb} ${path}, ${megabytes(bytes)}.`)
      output.out(gone.length === 0 ? 'Nothing to remove.' : `${megabytes(bytes)} in all.`)
    })
}
