import { existsSync, mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RunDir, sweepDeadRuns } from '../../../src/host/run-dir.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

test('a living run is not swept', () => {
  const dir = scratchDir()
  const run = new RunDir(dir)
  expect(sweepDeadRuns(dir)).toBe(0)
  expect(existsSync(run.path)).toBe(true)
})

test('what was made again after its run had removed it is swept, but not what has just been made', () => {
  const dir = scratchDir()
  const [old, young] = [join(dir, 'vitest-raspi-old'), join(dir, 'vitest-raspi-young')]
  for (const each of [old, young]) mkdirSync(join(each, 'workers/ansible/tmp'), { recursive: true })
  const aMinuteAgo = Date.now() / 1000 - 60
  utimesSync(old, aMinuteAgo, aMinuteAgo)
  expect(sweepDeadRuns(dir)).toBe(1)
  expect([existsSync(old), existsSync(young)]).toEqual([false, true])
})
