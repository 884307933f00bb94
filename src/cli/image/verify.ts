import { styleText } from 'node:util'
import type { Command } from 'commander'
import { type Verdict, verifyCache } from '../../freeze/verify-cache.ts'
import { exitCodes } from '../exit-codes.ts'
import { withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

const styles = { ok: 'green', damaged: 'red', unknown: 'yellow' } as const

/** Adds `verify`. */
export function addVerify(image: Command, { context, output, setExitCode }: ImageCommand): void {
  withCommonOptions(image.command('verify'), '{ ok, files: [{ path, status, problem }] }')
    .description('hash all images, downloads and frozen Pis of the cache again, and tell what has changed')
    .addHelpText('after', '\nWhat is damaged is named, and not removed: `vitest-raspi image rm` does that.')
    .action(async ({ json, cacheDir = context.cacheDir }: ImageOptions) => {
      const files: Verdict[] = []
      for await (const verdict of verifyCache(cacheDir)) {
        files.push(verdict)
        const { status, path, problem } = verdict
        if (!json)
          output.out(
            `${styleText(styles[status], status.padEnd(7))}  ${path}${problem ? `: ${problem}` : ''}`,
          )
      }
      const damaged = files.filter(({ status }) => status === 'damaged')
      if (json) output.out(JSON.stringify({ ok: damaged.length === 0, files }, undefined, 2))
      else if (files.length === 0) output.out(`There is nothing in ${cacheDir}.`)
      if (damaged.length > 0) setExitCode(exitCodes.failed)
    })
}
