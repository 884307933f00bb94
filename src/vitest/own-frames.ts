import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { InlineConfig } from 'vitest/node'
import { isInside } from '../host/shown-path.ts'

/** What gives `false` is not shown. */
type FrameFilter = NonNullable<InlineConfig['onStackTrace']>

const packageDir = fileURLToPath(new URL('../..', import.meta.url))
const ownDirs = [packageDir, realpathSync(packageDir)].flatMap((dir) => [`${dir}src`, `${dir}dist`])
/** It is in the stack of what the lab tells a worker. */
const channel = /\/node_modules\/birpc\//

/**
 * Lets a stack of ours end where the user's code is: a `RaspiError` says itself what went wrong, and our own lines below
 * it only hide the user's. What `theirs` leaves out is left out, too.
 * https://vitest.dev/config/onstacktrace
 */
export function withoutOwnFrames(theirs?: FrameFilter): FrameFilter {
  return (error, frame) => {
    const ours = ownDirs.some((dir) => isInside(frame.file, dir)) || channel.test(frame.file)
    if (error.name === 'RaspiError' && ours) return false
    return theirs?.(error, frame)
  }
}
