import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** Runs the command line's `--version` on a Node that calls itself `version`. */
const runOn = (version: string) => {
  const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`
  const options = { reject: false } as const
  return execa(
    'node',
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, main, '--version'],
    options,
  )
}

test('a Node that is too old is told so, and nothing else', async () => {
  const { exitCode, stderr, stdout } = await runOn('20.20.2')
  expect(stderr).toBe('vitest-raspi needs Node.js 22.19 or newer, and this is 20.20.2.')
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
})

test('the oldest Node that will do, and a newer one, will do', async () => {
  for (const version of ['22.19.0', '24.1.0']) expect(await runOn(version)).toMatchObject({ exitCode: 0 })
})
