import { expect, test } from 'vitest'
import { borrow } from '../../../src/vitest/borrow.ts'
import { moleculeScenario } from '../../../src/vitest/molecule-scenario.ts'
import { plannerOf } from '../../../src/vitest/plan.ts'

// As these tests are: their configuration is without the plugin.

test('without the plugin a test is told of it, and how a project gets it', async () => {
  const borrowed = borrow('a test', plannerOf({}), { steps: undefined }, undefined, () => undefined)
  await expect(borrowed).rejects.toThrow(
    /^vitest-raspi's plugin is not in this project's configuration\.\n.*plugins: \[raspi\(\)\].*\n.*`extends: true`/,
  )
  expect(() => moleculeScenario('molecule/default')).toThrow(
    "vitest-raspi's plugin is not in this project's configuration.",
  )
})
