import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { compressionOf } from '../../image/compression.ts'
import { type GuestFacts, readGuestFacts } from '../../image/guest-facts.ts'
import { describe, type PartTable, readPartTable } from '../../image/parts.ts'
import { cardFile } from '../../image/store.ts'
import { megabytes, wanted, withCommonOptions } from './common.ts'
import type { ImageCommand, ImageOptions } from './image.ts'

const examples = `
Examples:
  vitest-raspi image inspect debian-12-arm64     an image of the cache
  vitest-raspi image inspect ./pi.img            a file, unpacked`

/** Adds `inspect`. */
export function addInspect(image: Command, { context, output }: ImageCommand): void {
  withCommonOptions(
    image.command('inspect'),
    '{ path, table, system, issue, bootFiles, kernels, config, commandLine }',
  )
    .description('tell what is on an image: partitions, files of the boot part, kernels, configuration')
    .argument('<image>', 'a name or an id of the cache, or the path of a raw image')
    .addHelpText('after', examples)
    .action(async (wish: string, { json, cacheDir = context.cacheDir }: ImageOptions) => {
      const path = await pathOf(wish, cacheDir)
      const table = await readPartTable(path)
      if (
        table.type !== 'mbr' ||
        table.parts[0]?.fileSystem !== 'FAT' ||
        table.parts[1]?.fileSystem !== 'ext4'
      )
        throw new RaspiError('image', `${path} is no image of a Raspberry Pi: it has ${describe(table)}.`)
      const facts = await readGuestFacts(path)
      if (json) output.out(JSON.stringify({ path, table, ...facts }, undefined, 2))
      else for (const line of report(path, table, facts)) output.out(line)
    })
}

async function pathOf(wish: string, cacheDir: string): Promise<string> {
  const stats = await stat(wish).catch(() => undefined)
  if (!stats?.isFile()) {
    const [image] = await wanted(cacheDir, wish)
    if (image) return join(image.dir, cardFile)
  }
  const compression = await compressionOf(wish)
  if (compression === 'none') return wish
  throw new RaspiError('image', `${wish} cannot be looked at: it is compressed (${compression}).`, {
    hint: `Unpack it, or take it into the cache: vitest-raspi image pull ${wish.includes('/') ? wish : `./${wish}`}`,
  })
}

function report(path: string, { parts }: PartTable, facts: GuestFacts): string[] {
  const title = (text: string) => styleText('bold', text)
  const block = (name: string, text: string | undefined) =>
    text === undefined
      ? []
      : [
          '',
          title(name),
          ...text
            .trimEnd()
            .split('\n')
            .map((line) => `  ${line}`),
        ]
  return [
    path,
    ...(facts.system ? [`${facts.system}${facts.issue ? `, ${facts.issue.split('\n')[0]}` : ''}`] : []),
    '',
    title('Partitions'),
    ...parts.map(
      ({ number, fileSystem, offset, size }) =>
        `  ${number}  ${fileSystem.padEnd(5)} ${megabytes(size).padStart(8)}  from byte ${offset}`,
    ),
    '',
    title('Boot part'),
    ...facts.bootFiles.map(({ name, bytes }) => {
      const version = facts.kernels[name]
      return `  ${String(bytes).padStart(10)}  ${name}${version ? `  (Linux ${version})` : ''}`
    }),
    ...block('config.txt', facts.config),
    ...block('cmdline.txt', facts.commandLine),
  ]
}
