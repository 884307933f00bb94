import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { type CachedImage, listImages, matching } from '../../freeze/cached-images.ts'
import { megabytes } from '../../image/free-space.ts'
import { cacheDirOption } from '../output.ts'

/** Adds what every command about images takes. */
export function withCommonOptions(command: Command, json: string): Command {
  return command.option('--json', `print JSON: ${json}`).addOption(cacheDirOption('where images are kept'))
}

/** The images that `wish` means. Throws a `RaspiError` where there is none. */
export async function wanted(cacheDir: string, wish: string): Promise<CachedImage[]> {
  const images = await listImages(cacheDir)
  const found = matching(images, wish)
  if (found.length > 0) return found
  throw new RaspiError('image', `There is no image ${wish} in ${cacheDir}.`, {
    hint:
      images.length > 0
        ? `There is: ${[...new Set(images.map(({ name }) => name))].join(', ')}.`
        : 'It has none.',
  })
}

/** What is shown of an id: enough to name it by. */
export const shortId = (id: string) => id.slice(0, 12)

/** How long ago something was, for people: `3 days ago`. */
export function ago(date: Date, now = Date.now()): string {
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  const minutes = Math.round((date.getTime() - now) / 60_000)
  if (minutes > -60) return format.format(minutes, 'minute')
  const hours = Math.round(minutes / 60)
  return hours > -24 ? format.format(hours, 'hour') : format.format(Math.round(hours / 24), 'day')
}

export { megabytes }
