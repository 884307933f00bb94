import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entriesOf, makeCache, Project } from '../support/project.ts'

// Two machines that have nothing in common but a share: the first has image and frozen Pi, the second nothing at all.

const files = {
  'prepare.yml': `- name: Leave a mark
  hosts: all
  gather_facts: false
  tasks:
    - name: Leave a mark
      ansible.builtin.raw: touch mark
`,
  'a.test.ts': `import { expect, raspiTest } from 'vitest-raspi'
const test = raspiTest({ prepare: 'prepare.yml' })
test('is marked', async ({ pi }) => {
  expect(await pi.run('ls')).toMatchObject({ stdout: 'mark' })
})
`,
}

test('a machine that has nothing fetches image, frozen Pi and layer, and boots nothing', {
  timeout: 1_800_000,
}, async ({ onTestFinished }) => {
  const root = mkdtempSync(join(tmpdir(), 'share-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const env = { VITEST_RASPI_SHARE: join(root, 'share') }

  using one = new Project({ files, cacheDir: makeCache(join(root, 'one'), 'images', 'frozen') })
  const first = await one.vitest([], env).finished(800_000)
  expect(first.code, first.output).toBe(0)
  expect(first.output).not.toContain('is not shared')
  expect(readdirSync(join(root, 'share')).sort()).toEqual([
    ...['content', 'frozen', 'images', 'key.json', 'layers'],
  ])

  const cacheDir = join(root, 'two')
  using two = new Project({ files, cacheDir })
  const second = await two.vitest([], env).finished(800_000)
  expect(second.code, second.output).toBe(0)
  expect(second.output).toContain('Image debian-12-arm64: fetched, another machine has made it')
  expect(second.output).toContain('prepare.yml: from the cache, another machine has made it')
  expect(second.output).not.toMatch(/building it|Freezing a booted|is not used/)
  expect(entriesOf(cacheDir, 'images')).toHaveLength(1)
  expect(entriesOf(cacheDir, 'frozen')).toHaveLength(2)
  expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([])
})
