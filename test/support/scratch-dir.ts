import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory that is removed when the test has ended. */
export function scratchDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'vitest-raspi-test-'))
  // A stream that the test has left may be about to open its file there.
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }))
  return dir
}
