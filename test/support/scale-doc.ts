import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What docs/scale.md quotes: the arguments of each run of the script, and what it printed, or the end of that. */
export function quotedRuns(): { args: string; text: string }[] {
  const doc = readFileSync(`${root}docs/scale.md`, 'utf8')
  const quotes = doc.matchAll(
    /<!-- node scripts\/scale\.ts((?: --[\w-]+ \d+)*) -->\n\n(.*?)\n\n<!-- end -->/gs,
  )
  return [...quotes].map(([, args = '', text = '']) => ({ args: args.trim(), text }))
}

/** What the script prints. */
export async function scale(args: string): Promise<string> {
  const words = args.split(' ').filter(Boolean)
  return (await execa(process.execPath, ['scripts/scale.ts', ...words], { cwd: root })).stdout.trim()
}
