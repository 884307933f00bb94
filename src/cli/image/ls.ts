import { resolve } from 'node:path'
import type { Command } from 'commander'
import { listImages } from '../../freeze/cached-images.ts'
import { lockFileName } from '../../image/lock-file.ts'
import { table } from '../output.ts'
import { ago, megabytes, shortId, withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

/** Adds `ls`. */
export function addLs(image: Command, { context, output }: ImageCommand): void {
  withCommonOptions(image.command('ls'), '[{ name, id, path, bytes, made, used, frozen, lockFiles, damage }]')
    .description('list the images of the cache, and what uses them')
    .action(async ({ json, cacheDir = context.cacheDir }: ImageOptions) => {
      const images = await listImages(cacheDir, [resolve(lockFileName)])
      if (json) {
        const shown = images.map(({ name, id, dir, bytes, made, used, frozen, lockFiles, damage }) => ({
          ...{ name, id, path: dir, bytes, made, used, frozen, lockFiles, damage: damage ?? null },
        }))
        output.out(JSON.stringify(shown, undefined, 2))
      } else if (images.length === 0) output.out(`There is no image in ${cacheDir}.`)
      else {
        const rows = images.map(({ name, id, bytes, made, frozen, lockFiles, damage }) => [
          ...[name, shortId(id), megabytes(bytes), ago(made)],
          damage ? `damaged: ${damage}` : usedBy(frozen.length, lockFiles),
        ])
        for (const line of table(['IMAGE', 'ID', 'SIZE', 'MADE', 'USED BY'], rows)) output.out(line)
      }
    })
}

function usedBy(frozen: number, lockFiles: string[]): string {
  const pis = frozen === 0 ? [] : [frozen === 1 ? 'a frozen Pi' : `${frozen} frozen Pis`]
  return [...pis, ...lockFiles].join(', ') || '-'
}
