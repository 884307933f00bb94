import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test, vi } from 'vitest'
import { unpacking } from '../../../src/image/compression.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

afterEach(() => vi.unstubAllEnvs())

/** Lets `xz` be a program that gives its output, closes it, and ends some time later, as `last` says. */
function slowXz(last: string) {
  const dir = scratchDir()
  writeFileSync(join(dir, 'xz'), `#!/bin/sh\necho unpacked\nexec >&-\nsleep 0.3\n${last}\n`, { mode: 0o755 })
  vi.stubEnv('PATH', `${dir}:${process.env.PATH}`)
}

test('an xz that has given all its output may take its time to end', async () => {
  slowXz('exit 0')
  const { stream, ended } = await unpacking('/any', 'xz')
  expect(await text(stream)).toBe('unpacked\n')
  await ended
})

test('what it tells at its end is not lost', async () => {
  slowXz('echo "xz: /any: Unexpected end of input" >&2; exit 1')
  const { stream, ended } = await unpacking('/any', 'xz')
  await text(stream)
  await expect(ended).rejects.toThrow('Unexpected end of input')
})
