import { setTimeout as delay } from 'node:timers/promises'
import type { Output } from './output.ts'

/** Something that is looked at again and again. */
export interface Watched<T> {
  look: () => Promise<T>
  /** What is shown of what was seen; may tell the time, too. */
  lines: (seen: T) => string[]
  /** Whether the list stays in its place and is drawn anew; else all of it is printed whenever what is seen has changed. */
  moving: boolean
  signal: AbortSignal
  /** Waits for the next look. @default a second */
  wait?: () => Promise<unknown>
}

/** Shows `look()` until `signal` aborts. Throws what `look()` throws. */
export async function watch<T>({ out }: Output, watched: Watched<T>): Promise<void> {
  const { look, lines, moving, signal } = watched
  const wait = watched.wait ?? (() => delay(1_000, undefined, { signal }).catch(() => {}))
  let before: string | undefined
  while (!signal.aborted) {
    const seen = await look()
    if (signal.aborted) return
    const now = JSON.stringify(seen)
    if (moving) out(redrawn(lines(seen)))
    else if (now !== before) out(lines(seen).join('\n'))
    before = now
    await wait()
  }
}

/**
 * `lines` over what the terminal shows, in one go: to the upper left corner, each line to its end, and nothing below.
 * https://man7.org/linux/man-pages/man4/console_codes.4.html
 */
function redrawn(lines: readonly string[]): string {
  const room = process.stdout.rows ? process.stdout.rows - 1 : lines.length
  return `\x1b[H${lines.slice(0, room).join('\x1b[K\n')}\x1b[J`
}
