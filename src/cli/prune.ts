import type { Command } from 'commander'
import { removeEntry, unusedEntries } from '../freeze/unused.ts'
import { defaultCacheDir } from '../host/paths.ts'
import { parseDuration, roughly } from './duration.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  vitest-raspi prune --dry-run          what would be removed
  vitest-raspi prune                    remove what nothing has used for 30 days
  vitest-raspi prune --older-than 12h   or for a shorter time

What is removed is made again when it is wanted. What a running Pi needs is kept.`

interface PruneOptions {
  olderThan: number
  dryRun?: boolean
  json?: boolean
  cacheDir?: string
}

/** Adds `prune`, which removes from the cache what nothing uses. */
export function addPrune(program: Command, { output, env }: CommandContext): void {
  program
    .command('prune')
    .description('remove images and frozen Pis that nothing has used for a while')
    .option('--older-than <time>', 'that nothing has used for this time', parseDuration, parseDuration('30d'))
    .option('--dry-run', 'remove nothing, only tell')
    .option('--cache-dir <dir>', 'where they are kept (default: as in the tests)')
    .option('--json', 'print JSON: { dryRun, bytes, removed }')
    .addHelpText('after', examples)
    .action(async ({ olderThan, dryRun = false, ...options }: PruneOptions) => {
      const cacheDir = options.cacheDir ?? defaultCacheDir(env)
      const now = Date.now()
      const removed = await unusedEntries(cacheDir, new Date(now - olderThan))
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

const megabytes = (bytes: number) => `${Math.round(bytes / 1_000_000)} MB`
