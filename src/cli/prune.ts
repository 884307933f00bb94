import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { removeEntry, unusedEntries } from '../freeze/cache-entries.ts'
import { defaultCacheDir } from '../host/paths.ts'
import { megabytes } from '../image/free-space.ts'
import { lockFileName } from '../image/lock-file.ts'
import { parseAge, roughly } from './duration.ts'
import { type CommandContext, cacheDirOption, json } from './output.ts'

/** What both commands that prune take. */
export const olderThan = () =>
  new Option('--older-than <time>', 'what nothing has used for this time: 12h, 30d, or a number of days')
    .argParser(parseAge)
    .default(parseAge('30d'), '30d')

/** What both have to tell. */
export const prunedAndKept = `What is removed is made or downloaded again when it is wanted. What a running Pi needs is kept,
and what a lock file names: that of this directory, and those of the projects that use this cache.`

const examples = `
Examples:
  vitest-raspi prune --dry-run          what would be removed
  vitest-raspi prune                    remove what nothing has used for 30 days
  vitest-raspi prune --older-than 12h   or for a shorter time

${prunedAndKept}`

interface PruneOptions {
  olderThan: number
  dryRun?: boolean
  json?: boolean
  cacheDir?: string
}

/** Adds `prune`, which removes from the cache what nothing uses. */
export function addPrune(program: Command, { output, env, cwd }: CommandContext): void {
  program
    .command('prune')
    .description('clear the cache of frozen Pis, images and downloads that nothing has used for a while')
    .addOption(olderThan())
    .option('--dry-run', 'only print what would be removed')
    .addOption(cacheDirOption('where they are kept'))
    .option('--json', 'print JSON: { dryRun, bytes, removed }')
    .addHelpText('after', examples)
    .action(async ({ olderThan, dryRun = false, ...options }: PruneOptions) => {
      const cacheDir = options.cacheDir ?? defaultCacheDir(env)
      const now = Date.now()
      const removed = await unusedEntries(cacheDir, new Date(now - olderThan), [join(cwd, lockFileName)])
      for (const entry of removed) {
        if (!dryRun) await removeEntry(cacheDir, entry)
        if (options.json) continue
        const what = `${entry.kind} ${entry.id.slice(0, 12)}, ${megabytes(entry.bytes)}`
        const when = `used ${roughly(now - entry.lastUse.getTime())} ago`
        output.out(`${dryRun ? 'Would remove' : 'Removed'} ${what}, ${when}`)
      }
      const bytes = removed.reduce((sum, entry) => sum + entry.bytes, 0)
      if (options.json) return output.out(json({ dryRun, bytes, removed }))
      if (removed.length === 0)
        output.out(`Nothing in ${cacheDir} was left unused for ${roughly(olderThan)}.`)
      else output.out(`${megabytes(bytes)} ${dryRun ? 'would be' : 'are'} free again.`)
    })
}
