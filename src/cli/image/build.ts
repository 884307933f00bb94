import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { recipeNames } from '../../image/catalogue.ts'
import { withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'
import { makeImage } from './make.ts'

const examples = `
Examples:
  vitest-raspi image build debian-12-arm64
  vitest-raspi image build debian-12-arm64 --package nginx-light --package rsync`

interface BuildOptions extends ImageOptions {
  package: string[]
  securityUpdates: boolean
}

/** Adds `build`. */
export function addBuild(image: Command, command: ImageCommand): void {
  withCommonOptions(image.command('build'), '{ name, id, path, architecture, user }')
    .description('build an image from the archive of Debian; print its path')
    .argument('<name>', recipeNames().join(', '))
    .option(
      '--package <name>',
      'a Debian package to have, once for each',
      (one, all: string[]) => [...all, one],
      [],
    )
    .option('--no-security-updates', "build without Debian's security updates: a mirror may not have them")
    .addHelpText('after', examples)
    .action(async (name: string, options: BuildOptions) => {
      if (!recipeNames().includes(name)) {
        throw new RaspiError('options', `Image ${name} cannot be built here.`, {
          hint: `There is: ${recipeNames().join(', ')}. Others are downloaded: vitest-raspi image pull.`,
        })
      }
      const { package: packages, securityUpdates } = options
      await makeImage({ name, packages, securityUpdates }, options, command)
    })
}
