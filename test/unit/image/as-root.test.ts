import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { scratchDir } from '../../support/scratch-dir.ts'

test('whatever language the user speaks, programs say why they fail in the one that hints know', async () => {
  const dir = scratchDir()
  writeFileSync(join(dir, 'unshare'), '#!/bin/sh\necho "$LC_ALL, $LANGUAGE"\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${dir}:${process.env.PATH}`)
  vi.stubEnv('LANGUAGE', 'de')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { asRoot } = await import('../../../src/image/as-root.ts')
  expect(await asRoot(['true'])).toMatchObject({ stdout: 'C.UTF-8, C' })
})
