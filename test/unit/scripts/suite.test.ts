import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { readSuite } from '../../../scripts/suite.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const root = join(import.meta.dirname, '../../..')

describe('what a suite came to', () => {
  it('names each failed test with the beginning of its error, and a file that cannot be loaded', async () => {
    const dir = scratchDir()
    await mkdir(join(dir, 'test'))
    await writeFile(
      join(dir, 'test/one.test.ts'),
      `import { expect, it } from 'vitest'
       it('holds', () => {})
       it('does not', () => { expect([1, 2].length, 'how many').toBe(3) })`,
    )
    await writeFile(join(dir, 'test/broken.test.ts'), `throw new Error('cannot be loaded')`)
    await writeFile(join(dir, 'vitest.config.ts'), 'export default {}')
    const report = join(dir, 'report.json')

    await execa('vitest', ['run', '--root', dir, '--reporter=json', `--outputFile.json=${report}`], {
      preferLocal: true,
      localDir: root,
      reject: false,
    })

    const { passed, failed } = readSuite(report, dir)
    expect(passed).toBe(1)
    expect(failed.toSorted()).toEqual([
      expect.stringMatching(/^test\/broken\.test\.ts\n {4}cannot be loaded/),
      expect.stringMatching(
        /^test\/one\.test\.ts > does not\n {4}AssertionError: how many: expected 2 to be 3/,
      ),
    ])
    for (const failure of failed) expect(failure.split('\n').length).toBeLessThanOrEqual(13)
  })

  it('tells of nothing where there is no report', () => {
    expect(readSuite('/nowhere/report.json', '/')).toEqual({ passed: 0, failed: [] })
  })
})
