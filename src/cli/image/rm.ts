import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { removeImage } from '../../freeze/cached-images.ts'
import { megabytes, shortId, wanted, withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

/** Adds `rm`. */
export function addRm(image: Command, { context, output }: ImageCommand): void {
  withCommonOptions(image.command('rm'), '[{ name, id, bytes, frozen }]')
    .description('remove an image, what it was downloaded as and the frozen Pis that lie on it')
    .argument('<image>', 'its name, or the beginning of its id')
    .addHelpText('after', '\nDo it while no test runs. What is wanted again is made again.')
    .action(async (wish: string, { json, cacheDir = context.cacheDir }: ImageOptions) => {
      const images = await wanted(cacheDir, wish)
      if (images.length > 1) {
        throw new RaspiError('image', `${images.length} images are called ${wish}.`, {
          hint: `Name one by its id: ${images.map(({ id }) => shortId(id)).join(', ')}`,
        })
      }
      for (const each of images) await removeImage(cacheDir, each)
      if (json) {
        const removed = images.map(({ name, id, bytes, frozen }) => ({ name, id, bytes, frozen }))
        output.out(JSON.stringify(removed, undefined, 2))
      } else
        for (const { name, id, bytes, frozen } of images) {
          const pis = frozen.length > 0 ? `, and its frozen Pi${frozen.length > 1 ? 's' : ''}` : ''
          output.out(`Removed ${name} (${shortId(id)}), ${megabytes(bytes)}${pis}.`)
        }
    })
}
