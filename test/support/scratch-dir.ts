import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory that is removed when the test has ended. */
export function scratchDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'vitest-raspi-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
