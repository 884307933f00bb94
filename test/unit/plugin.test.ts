import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createVitest, type TestUserConfig } from 'vitest/node'
import { raspi } from '../../src/plugin.ts'

/** Vitest with the plugin. */
async function started(options: TestUserConfig = {}) {
  const root = mkdtempSync(join(tmpdir(), 'raspi-plugin-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const vitest = await createVitest(
    'test',
    { root, config: false, watch: false },
    { plugins: [raspi()], test: options },
  )
  onTestFinished(() => vitest.close())
  return vitest
}

/** The configuration of a project with the plugin, as Vitest resolves it. */
const configured = async (options?: TestUserConfig) => (await started(options)).projects[0]?.config

test('what takes long on an emulated Pi gets longer than Vitest gives it', async () => {
  expect(await configured()).toMatchObject({
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    expect: { poll: { timeout: 60_000, interval: 1_000 } },
  })
})

test('what the user has set stays', async () => {
  const poll = (set: object) => configured({ testTimeout: 7, expect: { requireAssertions: true, poll: set } })
  expect(await poll({ timeout: 5 })).toMatchObject({
    testTimeout: 7,
    expect: { requireAssertions: true, poll: { timeout: 5, interval: 1_000 } },
  })
  expect(await poll({ interval: 6 })).toMatchObject({ expect: { poll: { timeout: 60_000, interval: 6 } } })
})

test('each project has its lab, and the configuration around projects, which has no tests, has none', async () => {
  const lab = [expect.stringMatching(/global-setup/)]
  expect(await configured()).toMatchObject({ globalSetup: lab })
  const projects = ['a', 'b'].map((name) => ({ extends: true as const, test: { name } }))
  const vitest = await started({ projects })
  expect(vitest.projects.map(({ config }) => config.globalSetup)).toEqual([lab, lab])
  expect(vitest.config.globalSetup).toEqual([])
})
