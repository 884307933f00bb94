import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Gate } from '../../../src/lab/gate.ts'
import { PiStarter, type StarterContext } from '../../../src/lab/pi-starter.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aPi } from './fake-pis.ts'

test('of a Pi that cannot be ended, or removed, whoever ends it hears nothing, and the user does', async () => {
  const said: string[] = []
  const path = join(scratchDir(), 'no directory')
  writeFileSync(path, '')
  const context = { runDir: { path }, starts: new Gate(1), log: (line: string) => said.push(line) }
  const starter = new PiStarter(context as unknown as StarterContext)
  await starter.end(aPi(1, { end: () => Promise.reject(new Error('its container is gone')) }))
  expect(said).toEqual([
    'Not all is gone of Pi pi-1, which has ended: its container is gone',
    expect.stringMatching(/^Not all is gone of Pi pi-1, which has ended: ENOTDIR/),
  ])
})
