import { rm } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { listImages, removeImage, strays } from '../../image/cache.ts'
import { megabytes, shortId, withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

const dayMs = 86_400_000

/** Adds `prune`. */
export function addPrune(image: Command, { context, output }: ImageCommand): void {
  withCommonOptions(
    image.command('prune'),
    '{ images: [{ name, id, bytes }], strays: [{ path, bytes }], bytes }',
  )
    .description(
      'remove images that no lock file names and no test has used lately, and what belongs to no image',
    )
    .option('--older-than <days>', 'how long unused', days, 30)
    .option('--dry-run', 'only tell what would be removed')
    .addHelpText('after', '\nDo it while no test runs. What is wanted again is made again.')
    .action(async (options: ImageOptions & { olderThan: number; dryRun?: boolean }) => {
      const { json, cacheDir = context.cacheDir, olderThan, dryRun = false } = options
      const images = (await listImages(cacheDir)).filter(
        ({ lockFiles, used }) => lockFiles.length === 0 && Date.now() - used.getTime() >= olderThan * dayMs,
      )
      if (!dryRun) for (const each of images) await removeImage(cacheDir, each)
      const others = await strays(cacheDir)
      if (!dryRun) for (const { path } of others) await rm(path, { recursive: true, force: true })
      const bytes = [...images, ...others].reduce((sum, each) => sum + each.bytes, 0)
      if (json) {
        const gone = images.map(({ name, id, bytes }) => ({ name, id, bytes }))
        output.out(JSON.stringify({ images: gone, strays: others, bytes }, undefined, 2))
        return
      }
      const verb = dryRun ? 'Would remove' : 'Removed'
      for (const { name, id, bytes } of images)
        output.out(`${verb} ${name} (${shortId(id)}), ${megabytes(bytes)}.`)
      for (const { path, bytes } of others) output.out(`${verb} ${path}, ${megabytes(bytes)}.`)
      output.out(images.length + others.length === 0 ? 'Nothing to remove.' : `${megabytes(bytes)} in all.`)
    })
}

function days(text: string): number {
  const count = Number(text)
  if (text.trim() !== '' && count >= 0) return count
  throw new InvalidArgumentError('It is a number of days.')
}
