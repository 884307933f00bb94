import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CutShortEvidence } from '../../../src/vitest/cut-short.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aLentPi } from '../report/samples.ts'

test('what a test can no longer tell itself is kept, masked, and told in a line', () => {
  const dir = scratchDir()
  writeFileSync(join(dir, 'console.log'), '\x1b[1mBooting\x1b[0m\r\ndb_password: ocelot-17\r\n')
  const lines: string[] = []
  const evidence = new CutShortEvidence(join(dir, 'evidence'), (line) => lines.push(line))
  const cut = { holder: 'web > it serves', pis: [aLentPi(join(dir, 'console.log'))] }
  evidence.keep('The run was interrupted in', cut)

  const kept = join(dir, 'evidence/interrupted/web-it-serves')
  expect(lines).toEqual([
    `The run was interrupted in "web > it serves", and its Pi is ended. Evidence: ${kept}`,
  ])
  // QEMU has not said anything.
  expect(readdirSync(kept)).toEqual([`${cut.pis[0]?.name}.console.log`])
  expect(readFileSync(join(kept, `${cut.pis[0]?.name}.console.log`), 'utf8')).toBe(
    'Booting\ndb_password: ***\n',
  )
  expect(readFileSync(join(dir, 'evidence/.gitignore'), 'utf8')).toBe('*\n')

  evidence.keep('The run was interrupted in', cut)
  expect(lines[1]).toContain(`Evidence: ${kept}-2`)
  expect(readdirSync(`${kept}-2`)).toEqual(readdirSync(kept))

  evidence.clear()
  expect(existsSync(kept)).toBe(false)
})

test('what the tests of one project have left is not cleared for the next one', () => {
  const dir = scratchDir()
  const evidenceOf = () => new CutShortEvidence(join(dir, 'evidence'), () => {})
  const one = evidenceOf()
  one.clear()
  one.keep('A test worker has ended in the middle of', { holder: 'web', pis: [] })
  evidenceOf().clear()
  expect(existsSync(join(dir, 'evidence/interrupted/web'))).toBe(true)
})

test('where nothing can be kept the line says why', () => {
  const dir = scratchDir()
  writeFileSync(join(dir, 'evidence'), 'a file')
  const lines: string[] = []
  const evidence = new CutShortEvidence(join(dir, 'evidence'), (line) => lines.push(line))
  const pis = [aLentPi('/none'), aLentPi('/none')]
  evidence.keep('The run was interrupted in', { holder: 'web', pis })
  expect(lines[0]).toMatch(
    /^The run was interrupted in "web", and its 2 Pis are ended\. No evidence could be kept: (ENOTDIR|EEXIST)/,
  )
})
