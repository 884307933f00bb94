import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratchDir } from '../../support/scratch-dir.ts'
import { run } from './run.ts'

/** A project whose Vitest tells what it is asked for and ends with `exitCode`, and what a shard of it left. */
function aProject(exitCode: number) {
  const root = scratchDir()
  const vitest = join(root, 'node_modules/vitest')
  const shard = join(root, 'shard')
  for (const dir of [vitest, join(shard, 'blob')]) mkdirSync(dir, { recursive: true })
  writeFileSync(join(vitest, 'package.json'), '{ "name": "vitest", "bin": { "vitest": "fake.mjs" } }')
  writeFileSync(
    join(vitest, 'fake.mjs'),
    `import { readdirSync } from 'node:fs'
const dir = process.argv[3].split('=')[1]
console.log(process.argv.slice(4).join(' '), readdirSync(dir).join(' '), process.cwd())
process.exit(${exitCode})\n`,
  )
  writeFileSync(join(shard, 'blob/blob-1-1.json'), '{}')
  return { root, shard }
}

test('Vitest merges what the shards left, with what is said for it, and its verdict counts', async () => {
  for (const [vitestExit, exitCode] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const { root, shard } = aProject(vitestExit)
    const merged = await run(['report', 'merge', '--root', root, shard, '--', '--reporter=junit', 'more'])
    expect(merged).toMatchObject({ exitCode, out: `--reporter=junit more 1-blob-1-1.json ${root}` })
  }
})

test('with --json only JSON is on stdout', async () => {
  const { root, shard } = aProject(1)
  const { out, err, exitCode } = await run(['report', 'merge', '--root', root, '--json', shard])
  expect(exitCode).toBe(1)
  expect(err).toContain('1-blob-1-1.json')
  expect(JSON.parse(out)).toMatchObject({
    ...{ passed: false, reports: [join(shard, 'blob/blob-1-1.json')], evidence: [] },
    ...{ page: expect.stringMatching(/\.vitest\/raspi\/index\.html$/) },
  })
})

test('directories without a report, and projects without Vitest, are a wrong command line', async () => {
  const { root, shard } = aProject(0)
  const nothing = scratchDir()
  expect(await run(['report', 'merge', '--root', root, nothing])).toMatchObject({ exitCode: 2, out: '' })
  expect(await run(['report', 'merge', '--root', nothing, shard])).toMatchObject({ exitCode: 2, out: '' })
  expect(await run(['report', 'merge'])).toMatchObject({ exitCode: 2 })
  expect(readdirSync(nothing)).toEqual([])
})
