import { resolve } from 'node:path'
import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { lockFileName, readLockFile } from '../../image/lock-file.ts'
import { parseReference } from '../../image/reference.ts'
import type { ImageOption } from '../../image-option.ts'
import { withCommonOptions } from './common.ts'
import type { ImageCommand } from './image.ts'
import { type MakeOptions, makeImage } from './make.ts'

interface PullOptions extends MakeOptions {
  sha256?: string
  checksumUrl?: string
}

const examples = `
Examples:
  vitest-raspi image pull raspios-lite-arm64                the newest, or what the lock file says
  vitest-raspi image pull raspios-lite-arm64@2026-09-15     the release of a day
  vitest-raspi image pull https://example.org/pi.img.xz --sha256 <sum>
  vitest-raspi image pull ./pi.img
  vitest-raspi image pull --update                          the newest of all that the lock file names`

/** Adds `pull`. */
export function addPull(image: Command, command: ImageCommand): void {
  withCommonOptions(image.command('pull'), '{ name, id, path, architecture, user }')
    .description('download an image, verify it and set it up; print its path')
    .argument('[image]', 'a name, a URL or a path')
    .option('--sha256 <sum>', 'its SHA-256, as it is downloaded')
    .option('--checksum-url <url>', 'where its SHA-256 is (default: its URL with .sha256)')
    .option('--update', 'ask what is the newest, and pin that')
    .option('--lock-file <file>', `where the newest is pinned (default: ${lockFileName} here)`)
    .addHelpText('after', examples)
    .action(async (name: string | undefined, options: PullOptions) => {
      for (const each of name ? [name] : pinnedNames(options)) {
        const option = described(each, options)
        const { kind } = parseReference(option)
        if (kind === 'recipe') {
          throw new RaspiError('options', `Image ${each} cannot be pulled: it is built here.`, {
            hint: `vitest-raspi image build ${each}`,
          })
        }
        await makeImage(option, options, command)
      }
    })
}

function pinnedNames({ update, lockFile = lockFileName }: PullOptions): string[] {
  const names = update ? Object.keys(readLockFile(resolve(lockFile))) : []
  if (names.length > 0) return names
  throw new RaspiError('options', update ? `${lockFile} names no image.` : 'No image to pull was named.', {
    hint: 'vitest-raspi image pull raspios-lite-arm64',
  })
}

function described(name: string, { sha256, checksumUrl }: PullOptions): ImageOption {
  if (sha256 === undefined && checksumUrl === undefined) return name
  const sums = { ...(sha256 && { sha256 }), ...(checksumUrl && { checksumUrl }) }
  if (/^https?:/.test(name)) return { url: name, ...sums }
  if (!checksumUrl && parseReference(name).kind === 'file') return { file: name, ...sums }
  throw new RaspiError(
    'options',
    `Image ${name} has a checksum of its own: give one only for a URL or a path.`,
  )
}
